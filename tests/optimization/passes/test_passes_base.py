"""The contract that the base class enforces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.errors import InferenceError, OptimizationError
from edgeworthy.optimization.passes import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import editable

TEXT = "g (float[n,2] x) => (float[n,2] y) { a = Neg (x) y = Neg (a) }"


@pytest.fixture
def model(parse: Callable[..., ModelProto]) -> ModelProto:
    return parse(TEXT)


@pytest.fixture
def proof() -> Proof:
    return Proof([{"x": np.array([[1.0, -2.0]], dtype=np.float32)}], seed=None)


def rewrite_with(edit: Callable[[ModelProto], Rewrite], *, keeps: bool = True) -> Pass:
    class Given(Pass):
        name = "given"
        keeps_outputs = keeps

        def call(self, model: ModelProto) -> Rewrite:
            return edit(model)

    return Given()


def renamed(model: ModelProto, op_type: str) -> ModelProto:
    result = editable(model)
    result.graph.node[0].op_type = op_type
    return result


def test_a_true_rewrite_is_recorded_with_its_proof(model: ModelProto, proof: Proof) -> None:
    def describe(model: ModelProto) -> Rewrite:
        result = editable(model)
        result.doc_string = "another"
        return changed(result, "described")

    result = rewrite_with(describe)(model, proof)
    assert result.record.changed
    assert result.record.detail == "described; largest difference 0.0e+00"
    assert result.equivalence is not None
    assert result.equivalence.sample_count == 1
    assert result.equivalence.largest_difference == 0.0
    assert result.model.doc_string == "another"


def test_a_pass_that_hides_a_change_is_caught(model: ModelProto, proof: Proof) -> None:
    liar = rewrite_with(lambda given: unchanged(renamed(given, "Abs"), "nothing, honestly"))
    with pytest.raises(OptimizationError, match="says that it did not change the graph"):
        liar(model, proof)


def test_a_pass_that_boasts_of_a_change_is_caught(model: ModelProto, proof: Proof) -> None:
    liar = rewrite_with(lambda given: changed(editable(given), "wonders"))
    with pytest.raises(OptimizationError, match="says that it changed the graph"):
        liar(model, proof)


def test_a_pass_that_edits_what_it_was_given_is_caught(model: ModelProto, proof: Proof) -> None:
    def vandalize(given: ModelProto) -> Rewrite:
        given.doc_string = "mine"
        return unchanged(given, "")

    with pytest.raises(OptimizationError, match="changed the graph that it was given"):
        rewrite_with(vandalize)(model, proof)


def test_a_pass_that_breaks_the_outputs_is_caught_by_name(model: ModelProto, proof: Proof) -> None:
    breaker = rewrite_with(lambda given: changed(renamed(given, "Abs"), "better"))
    with pytest.raises(OptimizationError, match="outputs are no longer the same") as caught:
        breaker(model, proof)
    assert caught.value.where == "pass given"
    assert caught.value.found == "1"


def test_a_pass_may_change_outputs_when_it_says_so(model: ModelProto, proof: Proof) -> None:
    result = rewrite_with(lambda g: changed(renamed(g, "Abs"), "abs"), keeps=False)(model, proof)
    assert result.equivalence is None
    assert result.record.detail == "abs"


def test_an_invalid_result_is_caught(model: ModelProto, proof: Proof) -> None:
    def dangle(given: ModelProto) -> Rewrite:
        result = editable(given)
        result.graph.node[0].input[0] = "nowhere"
        return changed(result, "")

    with pytest.raises(OptimizationError, match="not a valid model"):
        rewrite_with(dangle)(model, proof)


def test_a_result_that_does_not_run_is_caught(model: ModelProto, proof: Proof) -> None:
    def mismatch(given: ModelProto) -> Rewrite:
        result = editable(given)
        result.graph.node[0].domain = "nobody.knows"
        result.opset_import.add(domain="nobody.knows", version=1)
        return changed(result, "")

    with pytest.raises(OptimizationError, match="does not run"):
        rewrite_with(mismatch)(model, proof)


def test_a_model_that_never_ran_is_not_the_fault_of_the_pass(model: ModelProto) -> None:
    wrong = Proof([{"x": np.zeros((1, 3), dtype=np.float32)}], seed=None)
    breaker = rewrite_with(lambda given: changed(renamed(given, "Abs"), ""))
    with pytest.raises(InferenceError):
        breaker(model, wrong)


def test_requires_and_ensures_have_their_say(model: ModelProto, proof: Proof) -> None:
    class Picky(Pass):
        name = "picky"
        wish = ""

        def requires(self, model: ModelProto) -> str:  # noqa: ARG002 - the contract's signature
            return self.wish

        def call(self, model: ModelProto) -> Rewrite:
            result = editable(model)
            result.doc_string = "another"
            return changed(result, "")

        def ensures(self, before: ModelProto, after: ModelProto) -> str:
            return f"{before.doc_string!r} became {after.doc_string!r}"

    with pytest.raises(OptimizationError, match="'' became 'another'"):
        Picky()(model, proof)
    refusing = Picky()
    refusing.wish = "not today"
    result = refusing(model, proof)
    assert result.model is model
    assert result.record.detail == "not today"
    assert not result.record.changed
