"""The range of every tensor that will be quantized, from real samples.

Rules:

1. One streaming pass: a batch is run, its minima and maxima are merged, the batch is forgotten.
   The engine itself reduces every tensor to two numbers, so that memory does not grow with the
   number of samples and no activation leaves the engine.
2. The same samples in the same order give the same ranges.
3. A tensor that is not finite on some sample has no range; that is said, not clipped away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from onnx import ModelProto, ValueInfoProto, helper

from edgeworthy.errors import DatasetError, OptimizationError
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name
from edgeworthy.runtimes.base import Tensors


@dataclass(frozen=True)
class TensorRange:
    """Smallest and largest value that a tensor took, in the model's own units."""

    lowest: float
    highest: float

    def merged(self, other: TensorRange) -> TensorRange:
        """The range that holds both.

        >>> TensorRange(-1.0, 2.0).merged(TensorRange(0.0, 3.0))
        TensorRange(lowest=-1.0, highest=3.0)
        """
        return TensorRange(min(self.lowest, other.lowest), max(self.highest, other.highest))


def observe_ranges(
    model: ModelProto, batches: Iterable[Tensors], tensors: Sequence[str]
) -> dict[str, TensorRange]:
    """Run the samples and note the smallest and the largest value of each tensor.

    Args:
        model: The float graph.
        batches: Model-ready inputs, shape ``(n, ...)``; read once, one at a time.
        tensors: Names of float tensors of the graph.

    Returns:
        One range per tensor, in the order given.

    Raises:
        DatasetError: There are no samples.
        OptimizationError: A tensor is infinite or not a number on some sample.
        InferenceError: The engine cannot run the model.
    """
    augmented, extremes = _with_extremes(model, tensors)
    executor = Executor(augmented)
    merged: dict[str, TensorRange] = {}
    for batch in batches:
        values = executor.run(batch, extremes)
        pairs = zip(tensors, _pairs([float(values[name]) for name in extremes]), strict=True)
        for name, found in pairs:
            merged[name] = merged[name].merged(found) if name in merged else found
        _check_finite(merged)
    if tensors and not merged:
        raise DatasetError(
            "no samples to calibrate with",
            expected="at least one sample",
            found="none",
            where="calibration samples",
        )
    return merged


def _pairs(values: list[float]) -> Iterator[TensorRange]:
    for index, (lowest, highest) in enumerate(pairwise(values)):
        if index % 2 == 0:
            yield TensorRange(lowest, highest)


def _check_finite(ranges: dict[str, TensorRange]) -> None:
    for name, found in ranges.items():
        if not np.isfinite([found.lowest, found.highest]).all():
            raise OptimizationError(
                f"the tensor `{name}` is not finite on a calibration sample",
                expected="finite values",
                found=f"{found.lowest} to {found.highest}",
                next_step="Check the preparation of the inputs and the weights of the model",
            )


def _with_extremes(model: ModelProto, tensors: Sequence[str]) -> tuple[ModelProto, list[str]]:
    """The graph with a smallest and a largest value per tensor as further outputs."""
    augmented = editable(model)
    taken = Wiring(model.graph).names()
    extremes = []
    for name in tensors:
        for op_type in ("ReduceMin", "ReduceMax"):
            output = fresh_name(taken, f"{name}.{op_type}")
            augmented.graph.node.append(helper.make_node(op_type, [name], [output], keepdims=0))
            augmented.graph.output.append(ValueInfoProto(name=output))
            extremes.append(output)
    return augmented, extremes
