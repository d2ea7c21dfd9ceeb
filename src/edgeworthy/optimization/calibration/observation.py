"""One streaming pass over the samples, in which every calibrator sees enough.

Rules:

1. A batch is cut into runs of at most eight samples, fewer where activations are large; a run is
   looked at and forgotten. What is kept per tensor is a histogram: memory does not grow with the
   number of samples.
2. The engine finds the extremes of all values; of a large tensor at most 65,536 values per run of
   eight samples, fewer of shorter runs, are counted, evenly spread. No activation leaves the engine
   whole, but for those that a companion asks for.
3. The same samples in the same order give the same sight, and one pass serves every method.
4. A value that is not finite is an error that names the tensor; it is not clipped away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.errors import DatasetError, OptimizationError
from edgeworthy.graph.macs import node_macs
from edgeworthy.graph.shapes import shapes_per_sample, skeleton
from edgeworthy.optimization.calibration.ranges import Sight, TensorRange, range_of
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name, opset_version
from edgeworthy.runtimes.base import Tensors

#: Values of a tensor that are counted per run of the most samples at most.
MOST_COUNTED = 1 << 16
#: Samples per run at most.
MOST_SAMPLES = 8
#: Samples of a closer look, and multiply-accumulates of all of them together.
_FEWEST_CLOSE = 64
_MOST_CLOSE = 512
_CLOSE_ARITHMETIC = 20_000_000_000
#: All watched activations of a run together, about.
_MOST_RUN_BYTES = 32 << 20
_AXES_AS_INPUT_OPSET = 18
_PARTS = ("flat", "size", "more", "rough", "half", "even", "step", "some", "high", "low")


@dataclass(frozen=True)
class _Probe:
    tensor: str
    some: str
    high: str
    low: str


class Companion(Protocol):
    """Whoever looks at the first runs as well, for another purpose.

    Attributes:
        left: Samples that it still wants to see.
    """

    left: int

    def watch(self, model: ModelProto) -> list[str]:
        """Add what it wants to see to the graph's outputs, and give their names."""

    def see(self, run: Tensors, values: Tensors) -> None:
        """Take in one run and its outputs."""


def observe(
    model: ModelProto,
    batches: Iterable[Tensors],
    tensors: Sequence[str],
    *,
    companion: Companion | None = None,
) -> dict[str, Sight]:
    """Run the samples and note what each tensor looks like.

    Args:
        model: The float graph, of opset 13 or newer.
        batches: Model-ready inputs, shape ``(n, ...)``; read once, one at a time.
        tensors: Names of float32 tensors of the graph.
        companion: Sees the same runs until it has enough.

    Returns:
        One sight per tensor, in the order given.

    Raises:
        DatasetError: There are no samples, or one is not finite.
        OptimizationError: A tensor is infinite on some sample.
        InferenceError: The engine cannot run the model.
    """
    size = _run_size(model, tensors)
    most = MOST_COUNTED * size // MOST_SAMPLES
    watched, probes = _watched(model, tensors, most=most)
    own = [name for probe in probes for name in (probe.some, probe.high, probe.low)]
    beside = companion.watch(watched) if companion is not None else []
    executor = Executor(watched, optimized=True)
    seen = {tensor: Sight() for tensor in tensors}
    count = 0
    for run in _pieces(batches, size, _open_inputs(model)):
        count += 1
        accompanied = companion is not None and companion.left > 0
        names = [*own, *beside] if accompanied else own
        values = executor.run(run, names) if names else {}
        if companion is not None and accompanied:
            companion.see(run, values)
        for probe in probes:
            lowest, highest = float(values[probe.low]), float(values[probe.high])
            _check_finite(lowest, highest, probe.tensor)
            seen[probe.tensor].add(values[probe.some], lowest, highest)
        values.clear()  # so that the next run finds their room
    if tensors and not count:
        raise DatasetError(
            "no samples to calibrate with",
            expected="at least one sample",
            found="none",
            where="calibration samples",
        )
    return seen


def observe_ranges(
    model: ModelProto, batches: Iterable[Tensors], tensors: Sequence[str], *, method: str
) -> dict[str, TensorRange]:
    """The range that one method finds for each tensor; see :func:`observe`.

    Raises:
        UsageError: There is no such method.
    """
    return ranges_of(observe(model, batches, tensors), method)


def ranges_of(seen: Mapping[str, Sight], method: str) -> dict[str, TensorRange]:
    """The range that one method finds for each tensor that was seen.

    Raises:
        UsageError: There is no such method.
    """
    return {tensor: range_of(sight, method) for tensor, sight in seen.items()}


def in_runs(
    model: ModelProto, batches: Iterable[Tensors], tensors: Sequence[str]
) -> Iterator[Tensors]:
    """Batches in pieces that the engine runs in bounded memory.

    Raises:
        DatasetError: A sample is not finite.
    """
    yield from _pieces(batches, _run_size(model, tensors), _open_inputs(model))


def _pieces(batches: Iterable[Tensors], size: int, sliceable: set[str]) -> Iterator[Tensors]:
    for batch in batches:
        _check_inputs(batch)
        counts = {len(values) for values in batch.values() if values.ndim}
        if set(batch) != sliceable or len(counts) != 1 or max(counts) <= size:
            yield batch
            continue
        for first in range(0, max(counts), size):
            yield {name: values[first : first + size] for name, values in batch.items()}


def first_runs(
    model: ModelProto, batches: Iterable[Tensors], tensors: Sequence[str], *, limit: int
) -> Iterator[Tensors]:
    """Runs of bounded memory until at least this many samples were seen.

    Raises:
        DatasetError: A sample is not finite.
    """
    left = limit
    for run in in_runs(model, batches, tensors):
        yield run
        left -= max((len(values) for values in run.values() if values.ndim), default=1)
        if left <= 0:
            return


def affordable_samples(model: ModelProto) -> int:
    """How many samples a closer look at every layer is taken on: more of a small model's.

    A model whose arithmetic is not known counts as a large one.

    >>> affordable_samples(ModelProto())
    512
    """
    shapes = shapes_per_sample(model)
    costs = [node_macs(node, shapes) for node in model.graph.node]
    if None in costs:
        return _FEWEST_CLOSE
    cost = sum(each or 0 for each in costs)
    return max(_FEWEST_CLOSE, min(_MOST_CLOSE, _CLOSE_ARITHMETIC // max(1, cost)))


def _open_inputs(model: ModelProto) -> set[str]:
    """Inputs whose first axis may be cut."""
    constants = {tensor.name for tensor in model.graph.initializer}
    names = set()
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in constants and dims and not dims[0].HasField("dim_value"):
            names.add(value.name)
    return names


def _run_size(model: ModelProto, tensors: Sequence[str]) -> int:
    wanted = set(tensors)
    graph = onnx.shape_inference.infer_shapes(skeleton(model)).graph
    numbers = 0
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.name in wanted:
            dims = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            numbers += int(np.prod(dims))
    return max(1, min(MOST_SAMPLES, _MOST_RUN_BYTES // max(1, 4 * numbers)))


def _check_inputs(batch: Tensors) -> None:
    for name, values in batch.items():
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise DatasetError(
                f"a calibration sample is not finite in the input `{name}`",
                expected="finite numbers",
                next_step="Remove the sample or correct the preparation of the input",
            )


def _check_finite(lowest: float, highest: float, tensor: str) -> None:
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise OptimizationError(
            f"the tensor `{tensor}` is not finite on a calibration sample",
            expected="finite values",
            next_step="Check the preparation of the inputs and the weights of the model",
        )


def _watched(
    model: ModelProto, tensors: Sequence[str], *, most: int
) -> tuple[ModelProto, list[_Probe]]:
    """The graph with, per tensor, an even sample of its values and its extremes as outputs."""
    watched = editable(model)
    graph = watched.graph
    taken = Wiring(graph).names()
    whole: dict[str, NDArray[Any]] = {
        "flat": np.array([-1], dtype=np.int64),
        "from": np.array([0], dtype=np.int64),
        "to": np.array([np.iinfo(np.int64).max], dtype=np.int64),
        "axis": np.array([0], dtype=np.int64),
        "most": np.array([most], dtype=np.int64),
        "less": np.array([most - 1], dtype=np.int64),
        "two": np.array([2], dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
    }
    shared = {wish: fresh_name(taken, f"calibration.{wish}") for wish in whole}
    graph.initializer.extend(numpy_helper.from_array(whole[w], shared[w]) for w in whole)
    probes = []
    for tensor in tensors:
        own = {part: fresh_name(taken, f"{tensor}.{part}") for part in _PARTS}
        graph.node.extend(_probe_nodes(tensor, own, shared, opset_version(model)))
        graph.output.extend(ValueInfoProto(name=own[name]) for name in ("some", "high", "low"))
        probes.append(_Probe(tensor, own["some"], own["high"], own["low"]))
    return watched, probes


def _probe_nodes(
    tensor: str, own: Mapping[str, str], shared: Mapping[str, str], opset: int
) -> list[NodeProto]:
    """Flatten a tensor, find its extremes, take every so manieth value.

    The step is odd, so that it does not always meet the same column of a picture.
    """
    make = helper.make_node
    return [
        make("Reshape", [tensor, shared["flat"]], [own["flat"]]),
        *(
            make(
                kind, [own["flat"], *([shared["axis"]] if by_input else [])], [own[end]], keepdims=0
            )
            for kind, end, by_input in (
                ("ReduceMax", "high", opset >= _AXES_AS_INPUT_OPSET),
                ("ReduceMin", "low", opset >= _AXES_AS_INPUT_OPSET),
            )
        ),
        make("Shape", [own["flat"]], [own["size"]]),
        make("Add", [own["size"], shared["less"]], [own["more"]]),
        make("Div", [own["more"], shared["most"]], [own["rough"]]),
        make("Div", [own["rough"], shared["two"]], [own["half"]]),
        make("Mul", [own["half"], shared["two"]], [own["even"]]),
        make("Add", [own["even"], shared["one"]], [own["step"]]),
        make(
            "Slice",
            [own["flat"], shared["from"], shared["to"], shared["axis"], own["step"]],
            [own["some"]],
        ),
    ]
