"""The range of every tensor that will be quantized, from real samples.

Rules:

1. One streaming pass: a batch is run, its extremes are merged, the batch is forgotten. The engine
   itself picks the few largest and smallest values of every tensor; no activation leaves it whole.
   At most 2 x 65,536 numbers per tensor are kept, whatever the number of samples.
2. ``minmax`` takes the smallest and the largest value. ``percentile-P`` cuts off ``100 - P``
   percent of the values at either end: a few outliers must not make all steps coarser. With so few
   samples that not even one value may be cut off, both are the same.
3. The same samples in the same order give the same ranges.
4. A value that is not finite is an error that names the tensor; it is not clipped away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.errors import DatasetError, OptimizationError, UsageError
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name
from edgeworthy.runtimes.base import Tensors

#: A batch may hold this many times its share of the values that are cut off.
_OVERSAMPLING = 4
#: Extremes taken from a tensor per batch at least.
_LEAST_TAKEN = 8
#: Extremes kept per tensor and end at most.
_MOST_KEPT = 1 << 16
_PERCENTILE = "percentile-"
_PROBE_PARTS = (
    *("flat", "size", "real", "part", "whole", "count", "more", "take"),
    *("high", "high_index", "low", "low_index"),
)


@dataclass(frozen=True)
class TensorRange:
    """The interval of reals that the integers of a tensor stand for."""

    lowest: float
    highest: float


@dataclass
class _Tail:
    """The largest values seen so far."""

    values: NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=np.float32))

    def add(self, values: NDArray[Any]) -> None:
        merged = np.sort(np.concatenate([self.values, values]))
        self.values = merged[-_MOST_KEPT:]

    def threshold(self, rank: int) -> float:
        """The value of this rank, the largest being 1; the smallest kept one beyond that."""
        return float(self.values[-min(rank, len(self.values))])


@dataclass
class _Extremes:
    """What is remembered of a tensor."""

    value_count: int = 0
    high: _Tail = field(default_factory=_Tail)
    low: _Tail = field(default_factory=_Tail)

    def range(self, cut_ratio: float) -> TensorRange:
        rank = 1 + math.floor(self.value_count * cut_ratio)
        return TensorRange(-self.low.threshold(rank), self.high.threshold(rank))


def cut_ratio(method: str) -> float:
    """Share of the values that a calibration method cuts off at either end.

    Raises:
        UsageError: There is no such method.

    >>> cut_ratio("minmax")
    0.0
    >>> round(cut_ratio("percentile-99.995"), 9)
    5e-05
    """
    if method == "minmax":
        return 0.0
    try:
        percent = float(method.removeprefix(_PERCENTILE))
    except ValueError:
        percent = math.nan
    if not method.startswith(_PERCENTILE) or not 50.0 < percent < 100.0:  # noqa: PLR2004 - percent
        raise UsageError(
            "unknown calibration method",
            expected="`minmax` or `percentile-P` with P between 50 and 100",
            found=f"`{method}`",
        )
    return (100.0 - percent) / 100.0


def observe_ranges(
    model: ModelProto, batches: Iterable[Tensors], tensors: Sequence[str], *, method: str
) -> dict[str, TensorRange]:
    """Run the samples and note the range of each tensor.

    Args:
        model: The float graph, of opset 13 or newer.
        batches: Model-ready inputs, shape ``(n, ...)``; read once, one at a time.
        tensors: Names of float32 tensors of the graph.
        method: ``minmax`` or ``percentile-P``.

    Returns:
        One range per tensor, in the order given.

    Raises:
        DatasetError: There are no samples, or one is not finite.
        OptimizationError: A tensor is infinite on some sample.
        InferenceError: The engine cannot run the model.
    """
    ratio = cut_ratio(method)
    watched, probes = _watched(model, tensors, ratio)
    executor = Executor(watched)
    seen: dict[str, _Extremes] = {}
    for batch in batches:
        _check_inputs(batch)
        values = executor.run(batch, [name for probe in probes for name in probe])
        for tensor, (size, high, low) in zip(tensors, probes, strict=True):
            extremes = seen.setdefault(tensor, _Extremes())
            extremes.value_count += int(values[size][0])
            extremes.high.add(_finite(values[high], tensor))
            extremes.low.add(-_finite(values[low], tensor))
    if tensors and not seen:
        raise DatasetError(
            "no samples to calibrate with",
            expected="at least one sample",
            found="none",
            where="calibration samples",
        )
    return {tensor: extremes.range(ratio) for tensor, extremes in seen.items()}


def _check_inputs(batch: Tensors) -> None:
    for name, values in batch.items():
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise DatasetError(
                f"a calibration sample is not finite in the input `{name}`",
                expected="finite numbers",
                next_step="Remove the sample or correct the preparation of the input",
            )


def _finite(values: NDArray[Any], tensor: str) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise OptimizationError(
            f"the tensor `{tensor}` is not finite on a calibration sample",
            expected="finite values",
            next_step="Check the preparation of the inputs and the weights of the model",
        )
    return values


def _watched(
    model: ModelProto, tensors: Sequence[str], ratio: float
) -> tuple[ModelProto, list[tuple[str, str, str]]]:
    """The graph with, per tensor, its size, its largest and its smallest values as outputs."""
    watched = editable(model)
    graph = watched.graph
    taken = Wiring(graph).names()
    values: dict[str, NDArray[Any]] = {
        "flat": np.array([-1], dtype=np.int64),
        "share": np.array([ratio * _OVERSAMPLING], dtype=np.float32),
        "least": np.array([_LEAST_TAKEN], dtype=np.int64),
    }
    names = {wish: fresh_name(taken, f"calibration.{wish}") for wish in values}
    graph.initializer.extend(numpy_helper.from_array(values[w], names[w]) for w in values)
    probes = []
    for tensor in tensors:
        own = {part: fresh_name(taken, f"{tensor}.{part}") for part in _PROBE_PARTS}
        graph.node.extend(_probe_nodes(tensor, own, names))
        probe = (own["size"], own["high"], own["low"])
        graph.output.extend(ValueInfoProto(name=name) for name in probe)
        probes.append(probe)
    return watched, probes


def _probe_nodes(tensor: str, own: dict[str, str], shared: dict[str, str]) -> list[NodeProto]:
    """Flatten a tensor, work out how many extremes to take from it, take them."""
    make = helper.make_node
    return [
        make("Reshape", [tensor, shared["flat"]], [own["flat"]]),
        make("Shape", [own["flat"]], [own["size"]]),
        make("Cast", [own["size"]], [own["real"]], to=TensorProto.FLOAT),
        make("Mul", [own["real"], shared["share"]], [own["part"]]),
        make("Ceil", [own["part"]], [own["whole"]]),
        make("Cast", [own["whole"]], [own["count"]], to=TensorProto.INT64),
        make("Max", [own["count"], shared["least"]], [own["more"]]),
        make("Min", [own["more"], own["size"]], [own["take"]]),
        *(
            make(
                "TopK",
                [own["flat"], own["take"]],
                [own[end], own[f"{end}_index"]],
                largest=int(end == "high"),
                sorted=0,
            )
            for end in ("high", "low")
        ),
    ]
