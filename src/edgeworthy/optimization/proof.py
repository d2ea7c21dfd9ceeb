"""Proof by trial that a rewrite kept the outputs.

Rules:

1. The trial uses real calibration samples and generated inputs from a stated seed.
2. The difference is that of :func:`~edgeworthy.graph.compare_outputs`: relative to the largest
   absolute output.
3. A proof that finds a larger difference than its tolerance is an error of the caller's pass,
   never a warning.
4. Two graphs that compute the same in the same way are not run to be compared, and a graph like one
   of the last two is not run again: the engine rewrites nothing here, so that it would give the
   same bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.variant import EquivalenceRecord
from edgeworthy.errors import OptimizationError
from edgeworthy.graph import compare_outputs
from edgeworthy.optimization.computation import Computation
from edgeworthy.optimization.execution import Executor
from edgeworthy.runtimes.base import Tensors, random_inputs

#: Real samples that a proof tries at most.
SAMPLE_LIMIT = 32
#: Generated inputs beside them.
RANDOM_COUNT = 4
#: Float arithmetic in another order differs by this much at most.
TOLERANCE = 1e-4
#: Stands for an infinite difference: a record holds no infinity.
_HUGE = float(np.finfo(np.float64).max)

Outputs = tuple[dict[str, NDArray[Any]], ...]


class Proof:
    """Inputs on which graphs are compared.

    Args:
        batches: What to try, model-ready tensors by input name.
        seed: Seed of the generated ones among them; absent when there are none.
        tolerance: Largest difference allowed, relative to the largest absolute output.
    """

    def __init__(
        self, batches: Iterable[Tensors], *, seed: int | None, tolerance: float = TOLERANCE
    ) -> None:
        self._batches = tuple(dict(batch) for batch in batches)
        self._seed = seed
        self._tolerance = tolerance
        self._known: dict[str, Outputs] = {}
        self._recent: list[Computation] = []

    @property
    def batches(self) -> tuple[Tensors, ...]:
        """What is tried."""
        return self._batches

    @property
    def sample_count(self) -> int:
        """Number of inputs that are tried."""
        return sum(len(next(iter(batch.values()))) for batch in self._batches if batch)

    def outputs(self, model: onnx.ModelProto) -> Outputs:
        """Outputs of ``model`` on every batch; those of the last two models are remembered.

        Args:
            model: Must not be edited afterwards: the last one is remembered as it is.

        Raises:
            InferenceError: The engine cannot run the model.
        """
        digest = self._digest(model)
        if digest not in self._known:
            executor = Executor(model)
            # Copies: what the engine gave lies in its memory, and holds on to all of it.
            outputs = tuple(
                {name: values.copy() for name, values in executor.run(batch).items()}
                for batch in self._batches
            )
            self._known = {**dict(list(self._known.items())[-1:]), digest: outputs}
        return self._known[digest]

    def compare(self, before: onnx.ModelProto, after: onnx.ModelProto) -> EquivalenceRecord:
        """State the largest difference of both models' outputs, within the tolerance or not.

        Raises:
            InferenceError: The engine cannot run one of them.
        """
        largest = self._largest_difference(before, after)
        self._recent = self._recent[-1:]  # the one before is large, and needed no more
        return EquivalenceRecord(
            sample_count=self.sample_count,
            inputs_digest=self._inputs_digest(),
            seed=self._seed,
            tolerance=self._tolerance,
            largest_difference=largest,
        )

    def are_alike(self, before: onnx.ModelProto, after: onnx.ModelProto) -> bool:
        """Whether both compute the same in the same way, without running them."""
        return self._digest(before) == self._digest(after)

    def _largest_difference(self, before: onnx.ModelProto, after: onnx.ModelProto) -> float:
        if self.are_alike(before, after):
            return 0.0
        pairs = zip(self.outputs(before), self.outputs(after), strict=True)
        return max((difference(left, right) for left, right in pairs), default=0.0)

    def _digest(self, model: onnx.ModelProto) -> str:
        """The digest, known for the last two models."""
        for seen in self._recent:
            if seen.model is model:
                return seen.digest
        last = self._recent[-1:]
        self._recent = [*last, Computation.of(model, last[0] if last else None)]
        return self._recent[-1].digest

    def _inputs_digest(self) -> str:
        hasher = hashlib.sha256()
        for batch in self._batches:
            for name in sorted(batch):
                values = np.ascontiguousarray(batch[name])
                hasher.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
                hasher.update(values.tobytes())
        return f"sha256:{hasher.hexdigest()}"


def difference(left: Tensors, right: Tensors) -> float:
    """Largest difference, relative to the largest absolute output; huge when shapes differ.

    >>> difference({"y": np.array([1.0, 4.0])}, {"y": np.array([1.0, 2.0])})
    0.5
    """
    try:
        found = compare_outputs(left, right)
    except OptimizationError:
        return _HUGE
    return min(found, _HUGE)


def gather_proof(
    signature: ModelSignature,
    samples: Iterable[Tensors],
    *,
    seed: int,
    limit: int = SAMPLE_LIMIT,
) -> Proof:
    """A proof on the first samples and on generated inputs.

    Args:
        signature: What the model takes; only the first axis may be open.
        samples: Batches of calibration samples; the first ones are used, the rest is not read.
        seed: Of the generated inputs.
        limit: How many samples are used at most.
    """
    generator = np.random.default_rng(seed)
    generated = random_inputs(signature, batch=RANDOM_COUNT, generator=generator)
    return Proof([*_first_samples(signature, samples, limit), generated], seed=seed)


def _first_samples(
    signature: ModelSignature, samples: Iterable[Tensors], left: int
) -> Iterator[Tensors]:
    for batch in samples:
        size = _batch_size(batch)
        yield batch if size <= left else _first_rows(signature, batch, left)
        left -= size
        if left <= 0:
            return


def _first_rows(signature: ModelSignature, batch: Tensors, count: int) -> Tensors:
    open_axis = {
        tensor.name
        for tensor in signature.inputs
        if tensor.shape and not isinstance(tensor.shape[0], int)
    }
    if open_axis != set(batch):
        return batch
    return {name: values[:count] for name, values in batch.items()}


def _batch_size(batch: Tensors) -> int:
    return max((len(values) for values in batch.values() if values.ndim), default=1)
