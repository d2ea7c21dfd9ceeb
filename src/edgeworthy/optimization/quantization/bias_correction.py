"""Biases that make up for what rounding the weights adds to a channel on average.

Rounding moves each weight by up to half a step. The errors of one channel do not cancel: since
activations after a ReLU are all positive, the channel's output shifts. The shift's mean over real
samples is a constant, and a constant belongs into the bias.

Rules:

1. Where the windows of a layer were looked at to round its weights, their mean and the rounding
   errors give the shift, borders included; nothing is run again.
2. Elsewhere it is computed as the same operator with the weights' rounding errors on the same float
   inputs; layers do not disturb one another.
3. That takes one streaming pass over the first 64 to 512 samples, the fewer the larger the model.
   The engine reduces each run to one number per channel.
4. On request the shift is worked out instead, see :mod:`analytic_bias`.
5. Operators without a bias input (``MatMul``) are left as they are.

Source: Nagel et al., Data-Free Quantization through Weight Equalization and Bias Correction, 2019,
section 4.2, with measured instead of modelled activations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.optimization.calibration import affordable_samples, first_runs
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.analytic_bias import analytic_shifts
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import QuantizationPlan, channel_axis
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name, opset_version
from edgeworthy.runtimes.base import Tensors

_BIAS_INPUT = 2
#: Largest integer weight.
_LARGEST = 127.0
#: ``ReduceMean`` takes its axes as an input from here on.
_AXES_AS_INPUT_OPSET = 18


@dataclass(frozen=True)
class _Probe:
    """Where the mean shift of a node can be read.

    Attributes:
        node: Name of the node.
        output: Name of the tensor ``(channels,)`` in the probing graph.
    """

    node: str
    output: str


def bias_shifts(
    model: ModelProto,
    weights: Mapping[str, NDArray[np.float64]],
    plan: QuantizationPlan,
    batches: Iterable[Tensors],
    *,
    known: Mapping[str, NDArray[np.float64]] | None = None,
    analytic: bool = False,
) -> dict[str, NDArray[np.float64]]:
    """What the rounding of its weights adds to each channel of a node, ``(channels,)``, by node.

    Args:
        model: The float graph; each weight has one reader.
        weights: What the integers of each node's weight stand for, by node.
        plan: What is quantized.
        batches: Calibration samples, read once at most.
        known: Shifts that need not be measured.
        analytic: Work the shifts out from the means of the inputs instead of measuring them.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    shifts = dict(known or {})
    nodes = [
        node
        for node in model.graph.node
        if node.name in plan.nodes and node.op_type in {"Conv", "Gemm"} and node.name in weights
    ]
    unknown = [node for node in nodes if node.name not in shifts]
    if not unknown:
        return shifts
    names = [node.output[0] for node in unknown]
    runs = first_runs(model, batches, names, limit=affordable_samples(model))
    if analytic:
        return shifts | analytic_shifts(model, unknown, weights, runs)
    probing, probes = _with_probes(model, unknown, weights)
    return shifts | _mean_shifts(Executor(probing, optimized=True), probes, runs)


def lower_biases(model: ModelProto, shifts: Mapping[str, NDArray[np.float64]]) -> ModelProto:
    """The graph with biases that anticipate these shifts, by node."""
    corrected = editable(model)
    for node in corrected.graph.node:
        if node.name in shifts:
            _lower_bias(corrected, node, shifts[node.name])
    return corrected


def weights_on_steps(
    model: ModelProto, plan: QuantizationPlan, scales: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float64]]:
    """What the integers of each node's weight will stand for, by node.

    Args:
        model: The graph whose weights are about to be rounded.
        plan: What is quantized.
        scales: Of each weight, one per channel.
    """
    wiring = Wiring(model.graph)
    found = {}
    for node in model.graph.node:
        if node.name in plan.nodes and node.op_type in WEIGHTED and node.input[1] in scales:
            weight = numpy_helper.to_array(wiring.initializers[node.input[1]])
            shape = [1] * weight.ndim
            shape[channel_axis(node)] = -1
            steps = scales[node.input[1]].reshape(shape)
            integers = np.clip(np.rint(weight / steps), -_LARGEST, _LARGEST)
            found[node.name] = integers.astype(np.float64) * steps.astype(np.float64)
    return found


def stored_weights(quantized: ModelProto) -> dict[str, NDArray[np.float64]]:
    """What the integers of each node's weight stand for in a QDQ graph, by node."""
    wiring = Wiring(quantized.graph)
    weights = {}
    for node in quantized.graph.node:
        origin = wiring.producers.get(node.input[1]) if len(node.input) > 1 else None
        if origin is None or origin.op_type != "DequantizeLinear":
            continue
        integers, scales = (wiring.constant(name) for name in origin.input[:2])
        if integers is not None and scales is not None:
            axis = next((item.i for item in origin.attribute if item.name == "axis"), 0)
            weights[node.name] = _dequantized(
                numpy_helper.to_array(integers), numpy_helper.to_array(scales), axis
            )
    return weights


def _dequantized(integers: NDArray[Any], scales: NDArray[Any], axis: int) -> NDArray[np.float64]:
    shape = [1] * integers.ndim
    if scales.size > 1:
        shape[axis] = scales.size
    return integers.astype(np.float64) * scales.astype(np.float64).reshape(shape)


def _with_probes(
    model: ModelProto, nodes: list[NodeProto], weights: Mapping[str, NDArray[np.float64]]
) -> tuple[ModelProto, list[_Probe]]:
    """The float graph with, per node, the mean per channel of what its rounding errors add."""
    probing = editable(model)
    wiring = Wiring(model.graph)
    taken = wiring.names() | {node.name for node in model.graph.node}
    probes = []
    for node in nodes:
        tensor = wiring.initializers[node.input[1]]
        error = weights[node.name] - numpy_helper.to_array(tensor).astype(np.float64)
        error_name = fresh_name(taken, f"{node.name}.rounding_error")
        shift_name = fresh_name(taken, f"{node.name}.shift")
        mean_name = fresh_name(taken, f"{node.name}.mean_shift")
        probing.graph.initializer.append(
            numpy_helper.from_array(error.astype(np.float32), error_name)
        )
        twin = probing.graph.node.add()
        twin.CopyFrom(node)
        twin.name = fresh_name(taken, f"{node.name}.twin")
        del twin.input[1:]
        twin.input.append(error_name)
        twin.output[0] = shift_name
        axes = [axis for axis in range(error.ndim) if axis != 1]
        _add_mean(probing, shift_name, mean_name, axes)
        probing.graph.output.append(ValueInfoProto(name=mean_name))
        probes.append(_Probe(node.name, mean_name))
    return probing, probes


def _add_mean(model: ModelProto, source: str, result: str, axes: list[int]) -> None:
    """Average over every axis but the channels', which is the second."""
    if opset_version(model) < _AXES_AS_INPUT_OPSET:
        model.graph.node.append(
            helper.make_node("ReduceMean", [source], [result], axes=axes, keepdims=0)
        )
        return
    model.graph.initializer.append(
        numpy_helper.from_array(np.array(axes, dtype=np.int64), f"{result}.axes")
    )
    model.graph.node.append(
        helper.make_node("ReduceMean", [source, f"{result}.axes"], [result], keepdims=0)
    )


def _mean_shifts(
    executor: Executor, probes: list[_Probe], batches: Iterable[Tensors]
) -> dict[str, NDArray[np.float64]]:
    names = [probe.output for probe in probes]
    sums: dict[str, NDArray[np.float64]] = {}
    count = 0
    for batch in batches:
        size = len(next(iter(batch.values())))
        for name, mean in executor.run(batch, names).items() if names else ():
            sums[name] = sums.get(name, np.zeros(mean.shape)) + mean.astype(np.float64) * size
        count += size
    return {probe.node: sums[probe.output] / count for probe in probes if probe.output in sums}


def _lower_bias(model: ModelProto, node: NodeProto, shift: NDArray[np.float64]) -> None:
    wiring = Wiring(model.graph)
    has_bias = len(node.input) > _BIAS_INPUT and bool(node.input[_BIAS_INPUT])
    bias = np.zeros(shift.shape)
    if has_bias:
        tensor = wiring.initializers[node.input[_BIAS_INPUT]]
        bias = numpy_helper.to_array(tensor).astype(np.float64)
    name = fresh_name(wiring.names(), f"{node.name}.bias")
    del node.input[_BIAS_INPUT:]
    node.input.append(name)
    values = (bias - shift).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(values, name))
