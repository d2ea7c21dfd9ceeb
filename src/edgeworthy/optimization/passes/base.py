"""The contract of a pass: requires, call, ensures.

Rules:

1. A pass is a function from one graph to another; the graph that it is given stays as it is.
2. A pass says whether it changed anything, and says the truth: a comparison of both graphs decides.
3. What comes out is a valid model.
4. A pass that keeps the outputs is proved on real samples and on generated inputs; the proof is
   recorded.
5. A pass that cannot apply says why and leaves the graph alone.

The base class enforces all five, so that a pass is only its rule.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, final

import onnx
from onnx import ModelProto

from edgeworthy.documents.variant import EquivalenceRecord, PassRecord
from edgeworthy.errors import InferenceError, OptimizationError
from edgeworthy.graph.shapes import skeleton
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import editable, is_standard, model_bytes


@dataclass(frozen=True)
class Rewrite:
    """What a pass returns.

    Attributes:
        model: The new graph, or the given one when nothing changed.
        changed: Whether it is another graph; checked.
        detail: What was done, or why nothing was.
    """

    model: ModelProto
    changed: bool
    detail: str


@dataclass(frozen=True)
class PassResult:
    """A rewrite that was checked.

    Attributes:
        model: The graph after the pass.
        record: What the pass did.
        equivalence: Proof that the outputs are the same; absent when nothing changed or when the
            pass is meant to change them.
    """

    model: ModelProto
    record: PassRecord
    equivalence: EquivalenceRecord | None


class Witness:
    """A copy of a graph that nobody else holds, made when it is first asked for.

    Passes that follow one another share it until one of them changes the graph: large graphs take
    time to copy, and room.
    """

    def __init__(self) -> None:
        self._copy: ModelProto | None = None

    def of(self, model: ModelProto) -> ModelProto:
        """The copy; ``model`` must be the graph of the last call unless it was forgotten."""
        if self._copy is None:
            self._copy = editable(model)
        return self._copy

    def forget(self) -> None:
        """Free the copy."""
        self._copy = None


class Pass(abc.ABC):
    """One rule that rewrites a graph.

    Attributes:
        name: Name in records; kebab-case.
        keeps_outputs: Whether the outputs stay the same up to the proof's tolerance.
        operators: Operators that the pass is about: a graph without them is not even copied.
    """

    name: ClassVar[str]
    operators: ClassVar[tuple[str, ...]] = ()
    keeps_outputs: ClassVar[bool] = True

    def requires(self, model: ModelProto) -> str:  # noqa: ARG002 - most passes apply to any model
        """Why the pass cannot apply to this model; empty when it can."""
        return ""

    @abc.abstractmethod
    def call(self, model: ModelProto) -> Rewrite:
        """Rewrite a copy of ``model``."""

    def ensures(self, before: ModelProto, after: ModelProto) -> str:  # noqa: ARG002 - as above
        """What the pass promised and did not keep; empty when all is well."""
        return ""

    @final
    def __call__(
        self, model: ModelProto, proof: Proof, *, witness: Witness | None = None
    ) -> PassResult:
        """Apply the pass and check its contract.

        Args:
            model: The graph, left as it is.
            proof: Inputs on which outputs are compared.
            witness: Keeps a copy of ``model`` for the next pass if this one changes nothing.

        Raises:
            OptimizationError: The pass broke its contract.
        """
        reason = self.requires(model) or self._idle(model)
        if reason:
            return self._unchanged(model, reason)
        witness = witness or Witness()
        given = witness.of(model)
        rewrite = self.call(model)
        if _differ(model, given):
            raise self._broken("it changed the graph that it was given")
        truth = rewrite.model is not model and _differ(
            rewrite.model, given, expected=rewrite.changed
        )
        if rewrite.changed != truth:
            claim = "changed" if rewrite.changed else "did not change"
            raise self._broken(f"it says that it {claim} the graph, a comparison says otherwise")
        if not truth:
            return self._unchanged(model, rewrite.detail)
        del given
        witness.forget()
        return self._checked(rewrite, proof, model)

    def _unchanged(self, model: ModelProto, detail: str) -> PassResult:
        return PassResult(model, self._record(changed=False, detail=detail), None)

    def _idle(self, model: ModelProto) -> str:
        if not self.operators or any(is_standard(n, *self.operators) for n in model.graph.node):
            return ""
        return f"no {' or '.join(self.operators)}"

    def _checked(self, rewrite: Rewrite, proof: Proof, before: ModelProto) -> PassResult:
        try:
            onnx.checker.check_model(skeleton(rewrite.model))
        except (onnx.checker.ValidationError, ValueError) as error:
            raise self._broken(f"the result is not a valid model: {error}") from error
        promise = self.ensures(before, rewrite.model)
        if promise:
            raise self._broken(promise)
        if not self.keeps_outputs:
            record = self._record(changed=True, detail=rewrite.detail)
            return PassResult(rewrite.model, record, None)
        equivalence = self._proved(proof, before, rewrite.model)
        detail = f"{rewrite.detail}; largest difference {equivalence.largest_difference:.1e}"
        record = self._record(changed=True, detail=detail)
        return PassResult(rewrite.model, record, equivalence)

    def _proved(self, proof: Proof, before: ModelProto, after: ModelProto) -> EquivalenceRecord:
        if not proof.are_alike(before, after):
            proof.outputs(before)  # a model that never ran is not this pass's fault
        try:
            equivalence = proof.compare(before, after)
        except InferenceError as error:
            raise self._broken(f"the result does not run: {error.problem}") from error
        if equivalence.largest_difference > equivalence.tolerance:
            raise self._broken(
                "the outputs are no longer the same",
                expected=f"a relative difference of at most {equivalence.tolerance:g}",
                found=f"{equivalence.largest_difference:g}",
            )
        return equivalence

    def _record(self, *, changed: bool, detail: str) -> PassRecord:
        return PassRecord(name=self.name, changed=changed, detail=detail)

    def _broken(self, problem: str, *, expected: str = "", found: str = "") -> OptimizationError:
        return OptimizationError(
            f"the pass broke its contract: {problem}",
            expected=expected,
            found=found,
            where=f"pass {self.name}",
            next_step="Please report this with the model; the original is untouched",
        )


def _differ(one: ModelProto, other: ModelProto, *, expected: bool = False) -> bool:
    """Whether they say different things.

    A NaN equals nothing, not even itself, so a difference that nobody expected is looked for in the
    bytes as well.
    """
    return one != other and (expected or model_bytes(one) != model_bytes(other))


def unchanged(model: ModelProto, detail: str) -> Rewrite:
    """Nothing to do."""
    return Rewrite(model=model, changed=False, detail=detail)


def changed(model: ModelProto, detail: str) -> Rewrite:
    """Something was done."""
    return Rewrite(model=model, changed=True, detail=detail)
