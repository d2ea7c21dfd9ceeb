"""Outliers of a transformer's activations move into the weights that they meet.

A few channels of what a normalization gives are dozens of times larger than the rest and eat the
steps of all. A matrix product does not care whether a channel is divided and its row of weights
multiplied by the same number; rounding does.

Rules:

1. Each channel is divided by ``peak(activation)**alpha / peak(weights)**(1 - alpha)``: at 0 the
   weights are left with equal rows, at 1 the activations with equal channels. Without an alpha
   :mod:`smoothing_choice` finds the factors of each tensor, or that it is best left alone.
2. All products that read a tensor share its factors, for they share its integers.
3. Where those products are all that reads the tensor, and a normalization makes it, the factors
   disappear into the normalization's own constants. Elsewhere one multiplication is added.
4. Nothing changes but rounding: outputs are the same up to float arithmetic.

Source: Xiao et al., SmoothQuant: Accurate and Efficient Post-Training Quantization for Large
Language Models, 2022.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.quantization.smoothing_choice import (
    Channels,
    Reals,
    chosen_factors,
    peaks_of_rows,
)
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    fresh_name,
    opset_version,
    sorted_graph,
)
from edgeworthy.runtimes.base import Tensors

_AXES_AS_INPUT_OPSET = 18
#: A channel or a row smaller than this, against the largest, is taken for silent.
_SILENT = 1e-5


@dataclass(frozen=True)
class Meeting:
    """A tensor and the products with constant weights that read it.

    Attributes:
        tensor: The tensor; its channels are the last axis.
        products: ``MatMul`` and ``Gemm`` nodes.
        channels: How many channels it has.
        constants: Names of what could take up the factors, ``(channels,)``; empty when nothing can.
    """

    tensor: str
    products: tuple[NodeProto, ...]
    channels: int
    constants: tuple[str, ...]


@dataclass(frozen=True)
class Smoothed:
    """A graph whose outliers moved.

    Attributes:
        model: The graph.
        moved: Tensors whose outliers did.
        added: Multiplications that were added for it.
    """

    model: ModelProto
    moved: int
    added: int


def meetings_of(model: ModelProto, plan: QuantizationPlan) -> list[Meeting]:
    """Where outliers can move, in graph order."""
    wiring = Wiring(model.graph)
    chosen = set(plan.nodes)
    found: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        if node.name in chosen and node.op_type in {"Gemm", "MatMul"}:
            found.setdefault(node.input[0], []).append(node)
    meetings = []
    for tensor, products in found.items():
        rows = {
            _stored_rows(wiring.initializers[node.input[1]], node).shape[0] for node in products
        }
        if len(rows) == 1:
            channels = rows.pop()
            constants = _absorbing(tensor, len(products), channels, wiring)
            meetings.append(Meeting(tensor, tuple(products), channels, constants))
    return meetings


def smooth(
    model: ModelProto, meetings: Sequence[Meeting], runs: Iterable[Tensors], *, alpha: float | None
) -> Smoothed:
    """Move outliers.

    Args:
        model: The float graph, of opset 13 or newer; each weight has one reader.
        meetings: Of this graph.
        runs: Samples, in runs that fit the memory.
        alpha: See rule 1, from 0 to 1.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    seen = observe_channels(model, meetings, runs)
    result = editable(model)
    stored = {tensor.name: tensor for tensor in result.graph.initializer}
    taken = Wiring(model.graph).names()
    weights = {
        meeting.tensor: [_stored_rows(stored[node.input[1]], node) for node in meeting.products]
        for meeting in meetings
    }
    added = 0
    factors = _factors(seen, weights, alpha)
    for meeting in meetings:
        if meeting.tensor not in factors:
            continue
        own = factors[meeting.tensor]
        for node in meeting.products:
            _multiply_rows(stored[node.input[1]], node, own)
        for name in meeting.constants:
            _multiply(stored[name], 1.0 / own)
        if not meeting.constants:
            _divide_before(result, meeting, own, taken)
            added += 1
    return Smoothed(sorted_graph(result), len(factors), added)


def _factors(
    seen: Mapping[str, Channels],
    weights: Mapping[str, list[NDArray[np.float32]]],
    alpha: float | None,
) -> dict[str, Reals]:
    if alpha is None:
        return chosen_factors(seen, weights)
    return {
        tensor: factors_of(seen[tensor].peaks, peaks_of_rows(own).astype(np.float64), alpha)
        for tensor, own in weights.items()
    }


def factors_of(activations: Reals, weights: Reals, alpha: float) -> Reals:
    """What each channel is divided by; 1 for channels that are silent on either side.

    >>> factors_of(np.array([8.0, 2.0, 0.0]), np.array([0.5, 0.5, 0.5]), 0.5).tolist()
    [4.0, 2.0, 1.0]
    """
    heard = activations > _SILENT * activations.max(initial=0.0)
    heard &= weights > _SILENT * weights.max(initial=0.0)
    factors = np.ones_like(activations)
    factors[heard] = activations[heard] ** alpha / weights[heard] ** (1.0 - alpha)
    return factors


def _absorbing(tensor: str, readers: int, channels: int, wiring: Wiring) -> tuple[str, ...]:
    """The constants of the normalization that makes the tensor, if only products read it."""
    maker = wiring.producers.get(tensor)
    if maker is None or not wiring.is_private(tensor):
        return ()
    if len(wiring.consumers.get(tensor, ())) != readers:
        return ()
    names: list[str] = []
    if maker.op_type == "LayerNormalization":
        names = [name for name in maker.input[1:] if name]
    elif maker.op_type == "Add":
        names = _scale_and_shift(maker, wiring)
    usable = names and all(_is_own(name, channels, wiring) for name in names)
    return tuple(names) if usable else ()


def _scale_and_shift(add: NodeProto, wiring: Wiring) -> list[str]:
    """The constants of ``x * scale + shift``, which older exports make of a normalization."""
    shifts = [name for name in add.input if wiring.constant(name) is not None]
    others = [name for name in add.input if wiring.constant(name) is None]
    if len(shifts) != 1 or not wiring.has_one_consumer(others[0]):
        return []
    product = wiring.producers.get(others[0])
    if product is None or product.op_type != "Mul":
        return []
    scales = [name for name in product.input if wiring.constant(name) is not None]
    return [*shifts, *scales] if len(scales) == 1 else []


def _is_own(name: str, channels: int, wiring: Wiring) -> bool:
    constant = wiring.constant(name)
    return (
        constant is not None
        and constant.data_type == TensorProto.FLOAT
        and list(constant.dims) == [channels]
        and wiring.has_one_consumer(name)
    )


def _rows(tensor: TensorProto, node: NodeProto) -> Reals:
    """Weights as ``(channels in, channels out)``, to be multiplied."""
    return _stored_rows(tensor, node).astype(np.float64)


def _stored_rows(tensor: TensorProto, node: NodeProto) -> NDArray[np.float32]:
    values: NDArray[np.float32] = numpy_helper.to_array(tensor)
    return values.T if node.op_type == "Gemm" and attribute(node, "transB", 0) else values


def _multiply_rows(tensor: TensorProto, node: NodeProto, factors: Reals) -> None:
    values = _rows(tensor, node) * factors[:, None]
    stored = values.T if node.op_type == "Gemm" and attribute(node, "transB", 0) else values
    tensor.CopyFrom(numpy_helper.from_array(_as_float32(stored), tensor.name))


def _multiply(tensor: TensorProto, factors: Reals) -> None:
    values = numpy_helper.to_array(tensor).astype(np.float64) * factors
    tensor.CopyFrom(numpy_helper.from_array(_as_float32(values), tensor.name))


def _as_float32(values: Reals) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)


def _divide_before(model: ModelProto, meeting: Meeting, factors: Reals, taken: set[str]) -> None:
    smoothed, name = (
        fresh_name(taken, f"{meeting.tensor}.{part}") for part in ("smoothed", "factors")
    )
    model.graph.initializer.append(numpy_helper.from_array(_as_float32(1.0 / factors), name))
    products = {node.name for node in meeting.products}
    for node in model.graph.node:
        if node.name in products:
            node.input[0] = smoothed
    own = fresh_name(taken, f"{meeting.tensor}.smoothing")
    model.graph.node.append(helper.make_node("Mul", [meeting.tensor, name], [smoothed], name=own))


def observe_channels(
    model: ModelProto, meetings: Sequence[Meeting], runs: Iterable[Tensors]
) -> dict[str, Channels]:
    """What each channel of each tensor looks like.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    watched = editable(model)
    taken = Wiring(model.graph).names()
    names = {each.tensor: _watch(watched, each, taken) for each in meetings}
    executor = Executor(watched, optimized=True)
    seen = {each.tensor: Channels.unseen(each.channels) for each in meetings}
    for run in runs if names else ():
        values = executor.run(run, [name for own in names.values() for name in own])
        for tensor, own in names.items():
            highest, lowest, squares, shape = (values[name] for name in own)
            seen[tensor].add(highest, lowest, squares, int(shape[0]))
    return seen


def _watch(model: ModelProto, meeting: Meeting, taken: set[str]) -> tuple[str, ...]:
    """Names of outputs: largest, smallest, sum of squares per channel, and the shape of it all."""
    graph, make = model.graph, helper.make_node
    parts = ("rows", "shape", "axis", "extent")
    rows, shape, axis, extent = (fresh_name(taken, f"{meeting.tensor}.{part}") for part in parts)
    whole = np.array([-1, meeting.channels], dtype=np.int64)
    graph.initializer.append(numpy_helper.from_array(whole, shape))
    graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), axis))
    graph.node.append(make("Reshape", [meeting.tensor, shape], [rows]))
    graph.node.append(make("Shape", [rows], [extent]))
    by_input = opset_version(model) >= _AXES_AS_INPUT_OPSET
    found = []
    for kind in ("ReduceMax", "ReduceMin", "ReduceSumSquare"):
        found.append(fresh_name(taken, f"{meeting.tensor}.{kind}"))
        node = make(kind, [rows, axis] if by_input else [rows], [found[-1]], keepdims=0)
        if not by_input:
            node.attribute.append(helper.make_attribute("axes", [0]))
        graph.node.append(node)
    found.append(extent)
    graph.output.extend(ValueInfoProto(name=name) for name in found)
    return tuple(found)
