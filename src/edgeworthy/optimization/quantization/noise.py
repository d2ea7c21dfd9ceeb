"""How much of what each layer computes is noise once its input has 256 steps.

Rules:

1. A layer is looked at alone: its inputs are those of the float model, rounded to the steps of
   their range; the difference counts after the ReLU or clip behind it, which swallows part of it.
2. Noise is stated against signal, and signal is what varies: the variance of the layer's outputs.
   Ratios of different layers can be compared, and nearly add up along the network.
3. One streaming pass for all layers, over a few samples; the engine reduces each run to sums.

Where a tensor feeds a kernel with large weights of both signs, as edge detectors are, its steps may
drown the result although its own error is small: no look at the tensor alone tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.plan import weighted_nodes
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name, sorted_graph
from edgeworthy.runtimes.base import Tensors

_STEPS = 255


@dataclass(frozen=True)
class _Watch:
    node: str
    sums: tuple[str, ...]


def noise_ratios(
    model: ModelProto,
    ranges: Mapping[str, TensorRange],
    runs: Iterable[Tensors],
) -> dict[str, float]:
    """Noise against signal behind each layer that reads a rounded tensor, by node, in graph order.

    A layer that stays in float anyway is among them: its input is rounded all the same.

    Args:
        model: The float graph.
        ranges: Of the tensors that are rounded.
        runs: A few samples, in runs that fit the memory.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    probing, watches = _with_twins(model, ranges)
    executor = Executor(probing, optimized=True)
    names = [name for watch in watches for name in watch.sums]
    totals: dict[str, NDArray[np.float64]] = {}
    for run in runs:
        for name, value in executor.run(run, names).items() if names else ():
            totals[name] = totals.get(name, np.zeros(())) + value.astype(np.float64)
    return {
        watch.node: _ratio(*(float(totals[name]) for name in watch.sums))
        for watch in watches
        if watch.sums[0] in totals
    }


def with_rounded(model: ModelProto, ranges: Mapping[str, TensorRange]) -> ModelProto:
    """The float graph in which the readers of these tensors get them in 256 steps."""
    rounding = editable(model)
    builder = _Builder(
        rounding, Wiring(model.graph).names() | {node.name for node in model.graph.node}
    )
    readers = list(rounding.graph.node)
    for tensor, found in ranges.items():
        reals = builder.rounded(tensor, found)
        for node in readers:
            node.input[:] = [reals if name == tensor else name for name in node.input]
    return sorted_graph(rounding)


def _ratio(noise: float, square: float, total: float, size: float) -> float:
    signal = square - total * total / max(size, 1.0)
    if signal <= 0.0:
        return 0.0 if noise <= 0.0 else np.inf
    return noise / signal


def _with_twins(
    model: ModelProto, ranges: Mapping[str, TensorRange]
) -> tuple[ModelProto, list[_Watch]]:
    """The float graph with, per layer, a twin on rounded inputs and sums of both."""
    probing = editable(model)
    wiring = Wiring(model.graph)
    builder = _Builder(probing, wiring.names() | {node.name for node in model.graph.node})
    weighted = set(weighted_nodes(model.graph, wiring))
    watches = []
    for node in model.graph.node:
        if node.name in weighted and node.input[0] in ranges:
            rounded = builder.rounded(node.input[0], ranges[node.input[0]])
            chain = [node, *_curve_after(node, wiring)]
            twin = builder.copied(chain, rounded)
            watches.append(_Watch(node.name, builder.sums(twin, chain[-1].output[0])))
    return probing, watches


def _curve_after(node: NodeProto, wiring: Wiring) -> list[NodeProto]:
    if not wiring.has_one_consumer(node.output[0]):
        return []
    (reader,) = wiring.consumers[node.output[0]]
    return [reader] if reader.op_type in {"Clip", "Relu"} else []


class _Builder:
    """Adds nodes to a graph under fresh names."""

    def __init__(self, model: ModelProto, taken: set[str]) -> None:
        self._graph = model.graph
        self._taken = taken
        self._rounded: dict[str, str] = {}

    def rounded(self, tensor: str, found: TensorRange) -> str:
        """The tensor as its 8-bit integers give it back."""
        if tensor in self._rounded:
            return self._rounded[tensor]
        lowest, highest = min(found.lowest, 0.0), max(found.highest, 0.0)
        step = float(np.float32((highest - lowest) / _STEPS or 1.0))
        zero = float(np.clip(np.rint(-lowest / step), 0, _STEPS))
        # Plain arithmetic: the engine's optimizer moves and merges quantization nodes.
        names = [self._constant(tensor, value) for value in (step, -zero, _STEPS - zero)]
        parts = [self._fresh(tensor) for _ in range(4)]
        self._add("Div", [tensor, names[0]], parts[0])
        self._add("Round", [parts[0]], parts[1])
        self._add("Clip", [parts[1], names[1], names[2]], parts[2])
        self._add("Mul", [parts[2], names[0]], parts[3])
        self._rounded[tensor] = parts[3]
        return parts[3]

    def copied(self, chain: list[NodeProto], source: str) -> str:
        """The nodes once more, beginning at another tensor; gives the last one's output."""
        for node in chain:
            twin = self._graph.node.add()
            twin.CopyFrom(node)
            twin.name = self._fresh(node.name)
            twin.input[0] = source
            source = twin.output[0] = self._fresh(node.name)
        return source

    def sums(self, twin: str, real: str) -> tuple[str, ...]:
        """Sums over everything: squared difference, squares, values, and how many they are."""
        difference, size = self._fresh(real), self._fresh(real)
        self._add("Sub", [twin, real], difference)
        self._add("Size", [real], size)
        names = []
        for kind, source in (
            ("ReduceSumSquare", difference),
            ("ReduceSumSquare", real),
            ("ReduceSum", real),
        ):
            names.append(self._fresh(real))
            self._add(kind, [source], names[-1], keepdims=0)
        names.append(size)
        self._graph.output.extend(ValueInfoProto(name=name) for name in names)
        return tuple(names)

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:  # noqa: ANN401 - ONNX attributes
        self._graph.node.append(helper.make_node(kind, inputs, [output], **attributes))

    def _constant(self, wish: str, value: float) -> str:
        name = self._fresh(wish)
        values = np.asarray(value, dtype=np.float32)
        self._graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def _fresh(self, wish: str) -> str:
        return fresh_name(self._taken, f"{wish}.probe")
