"""Small stand-ins for weights and biases while the quantizer works, and their integers afterwards.

The quantizer goes through weights channel by channel, which takes longer than all else that it
does, and it copies them. Where scales are given there is nothing for it to find out.

Rules:

1. A stand-in has as many axes as what it stands for, and two channels at most: the quantizer wires
   one channel in another way than many.
2. Weights are rounded half to even and clipped to bytes; biases have the scale of the input times
   that of the weights. It is the quantizer's own arithmetic, so that the bytes are the same.
3. A weight's scale grows where its bias would not fit 32 bits otherwise, as the quantizer has it.
4. A stand-in that the quantizer left in float gives way to the float values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgeworthy.graph.shapes import without_constants
from edgeworthy.optimization.quantization.plan import channel_axis
from edgeworthy.optimization.wiring import Wiring

Scales = NDArray[np.float32]
_MOST_CHANNELS = 2
_BIAS_INPUT = 2
_BYTES = np.iinfo(np.int8)
_INTEGERS = np.iinfo(np.int32)
#: A bias may use this much less than 32 bits.
_SPARE = 1.0001


@dataclass(frozen=True)
class _Integers:
    """Names of the constants that a ``DequantizeLinear`` reads."""

    values: str
    scale: str
    zero_point: str


def stands_in(scales: Scales) -> Scales:
    """The scales of the stand-in: ones, so that its bias has the scale of the input."""
    return np.ones(min(_MOST_CHANNELS, len(scales)), dtype=np.float32)


def with_stand_ins(
    model: ModelProto, nodes: Iterable[NodeProto], scales: Mapping[str, Scales]
) -> ModelProto:
    """A copy in which weights and biases are tiny.

    Args:
        model: The float graph.
        nodes: Those whose weights and biases are meant.
        scales: Of each weight, one per channel.
    """
    tiny: dict[str, tuple[int, ...]] = {}
    for node in nodes:
        count = len(stands_in(scales[node.input[1]]))
        tiny |= {name: (count,) for name in node.input[_BIAS_INPUT:] if name}
    for node in nodes:
        count, axis = len(stands_in(scales[node.input[1]])), channel_axis(node)
        rank = next(len(t.dims) for t in model.graph.initializer if t.name == node.input[1])
        tiny[node.input[1]] = tuple(count if each == axis else 1 for each in range(rank))
    light = without_constants(model)
    for source, copy in ((model, light), (model.graph, light.graph)):
        for field in {"domain", "model_version", "doc_string"} & set(
            source.DESCRIPTOR.fields_by_name
        ):
            if source.HasField(field):
                setattr(copy, field, getattr(source, field))
    light.graph.quantization_annotation.extend(model.graph.quantization_annotation)
    light.graph.initializer.extend(
        numpy_helper.from_array(np.zeros(tiny[tensor.name], np.float32), tensor.name)
        if tensor.name in tiny
        else tensor
        for tensor in model.graph.initializer
    )
    return light


def fill_in(
    quantized: ModelProto,
    original: ModelProto,
    nodes: Iterable[NodeProto],
    scales: Mapping[str, Scales],
) -> None:
    """Put the real integers into a quantized graph of stand-ins.

    Args:
        quantized: What the quantizer made of :func:`with_stand_ins`; edited.
        original: The float graph.
        nodes: As above.
        scales: As above.
    """
    wiring = Wiring(quantized.graph)
    makers = {node.name: node for node in quantized.graph.node}
    real = {tensor.name: tensor for tensor in original.graph.initializer}
    chosen = {name: each.copy() for name, each in scales.items()}
    biases: list[tuple[_Integers, NDArray[np.float32], Scales, str]] = []
    for node in nodes:
        bias = real.get(node.input[_BIAS_INPUT]) if len(node.input) > _BIAS_INPUT else None
        if bias is None:
            continue
        found = _integers_of(makers[node.name].input[_BIAS_INPUT], wiring)
        if found is None:
            wiring.initializers[bias.name].CopyFrom(bias)
            continue
        scale = numpy_helper.to_array(wiring.initializers[found.scale]).reshape(-1)[0]
        values = numpy_helper.to_array(bias)
        weight = node.input[1]
        chosen[weight] = _fitting(chosen[weight], float(scale), values)
        biases.append((found, values, scale, weight))
    for node in nodes:
        weight = real[node.input[1]]
        found = _integers_of(makers[node.name].input[1], wiring)
        if found is None:
            wiring.initializers[weight.name].CopyFrom(weight)
            continue
        _fill_weight(wiring.initializers, found, weight, chosen[weight.name], channel_axis(node))
    for found, values, scale, weight in biases:
        _fill_bias(wiring.initializers, found, values, scale * chosen[weight])


def _integers_of(name: str, wiring: Wiring) -> _Integers | None:
    maker = wiring.producers.get(name)
    return _Integers(*maker.input) if maker and maker.op_type == "DequantizeLinear" else None


def _fitting(scales: Scales, input_scale: float, bias: NDArray[np.float32]) -> Scales:
    """Rule 3."""
    reach = float(_INTEGERS.max) - float(_INTEGERS.min + 1)
    least = (_SPARE * (2.0 * np.abs(bias))).astype(np.float64) / reach
    own = input_scale * scales.astype(np.float64)
    ratios = np.divide(least, own, out=np.ones_like(own), where=own > 0.0)
    return np.where(ratios > 1.0, scales.astype(np.float64) * ratios, scales).astype(np.float32)


def _fill_weight(
    stored: Mapping[str, TensorProto],
    names: _Integers,
    weight: TensorProto,
    scales: Scales,
    axis: int,
) -> None:
    values = numpy_helper.to_array(weight)
    shape = [1] * values.ndim
    shape[axis] = -1
    integers = values / scales.reshape(shape)
    np.clip(np.rint(integers, out=integers), _BYTES.min, _BYTES.max, out=integers)
    _put(stored, numpy_helper.from_array(integers.astype(np.int8), names.values))
    kind, count = TensorProto.FLOAT, [len(scales)]
    _put(stored, helper.make_tensor(names.scale, kind, count, scales.tolist()))
    zeros = [0] * len(scales)
    _put(stored, helper.make_tensor(names.zero_point, TensorProto.INT8, count, zeros))


def _fill_bias(
    stored: Mapping[str, TensorProto],
    names: _Integers,
    values: NDArray[np.float32],
    scales: Scales,
) -> None:
    integers = np.rint(values.astype(np.float64) / scales.astype(np.float64))
    integers = np.clip(integers, _INTEGERS.min, _INTEGERS.max).astype(np.int32)
    _put(stored, numpy_helper.from_array(integers, names.values))
    _put(stored, numpy_helper.from_array(scales, names.scale))
    if len(scales) > 1:
        zeros = np.zeros(scales.shape, dtype=np.int32)
        _put(stored, numpy_helper.from_array(zeros, names.zero_point))


def _put(stored: Mapping[str, TensorProto], tensor: TensorProto) -> None:
    stored[tensor.name].CopyFrom(tensor)
