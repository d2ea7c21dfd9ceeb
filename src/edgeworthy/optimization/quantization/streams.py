"""Channels that share the scale of a tensor are brought nearer to each other, where it is free.

A tensor of activations has one scale for all of its channels. Between convolutions with nothing but
additions and ReLUs between them, such as along the residual stream of a stage, a factor per channel
in the layers that make it and its inverse in those that read it change nothing that is computed.

Rules:

1. A stream is closed: convolutions make its tensors, convolutions read them, additions and ReLUs
   lie between, and nothing else sees them. A clip does not pass factors on and ends a stream.
2. A channel's factor is a power of how far it lies below the loudest one. The power is at most a
   half, so that a channel which was quiet on the samples keeps room to be louder elsewhere, and a
   factor is at most 16.
3. What activations gain, weights may lose: raised channels meet smaller weights. Of the powers 0,
   1/4 and 1/2 each stream takes the one with which the noise of both together is foretold to be the
   least, and 0 unless another one is better by a tenth.

Sources: Nagel et al., Data-Free Quantization through Weight Equalization and Bias Correction, 2019,
and Xiao et al., SmoothQuant, 2023, for the two halves of the idea; streams and the choice are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.wiring import Wiring, attribute, editable, fresh_name
from edgeworthy.runtimes.base import Tensors

Reals = NDArray[np.float64]
POWERS = (0.0, 0.25, 0.5)
#: Largest factor of a channel.
MOST = 16.0
#: Noise must fall to this share of what it was.
_WORTH = 0.9
#: Channels further below the loudest one than this are not told apart.
_QUIETEST = 1e-6
_STEPS = 255.0
_LARGEST = 127.0
_BIAS_INPUT = 2


@dataclass(frozen=True)
class Stream:
    """Tensors whose channels can be scaled together.

    Attributes:
        tensors: Their names, from first to last.
        makers: The convolutions that make them.
        readers: The convolutions that read them.
    """

    tensors: tuple[str, ...]
    makers: tuple[NodeProto, ...]
    readers: tuple[NodeProto, ...]


@dataclass(frozen=True)
class ChannelSight:
    """What the channels of a tensor look like on samples, ``(channels,)`` each.

    Attributes:
        peaks: Largest absolute values.
        squares: Mean squares.
    """

    peaks: Reals
    squares: Reals


def streams_of(model: ModelProto, plan: QuantizationPlan) -> list[Stream]:
    """Where rule 1 applies, in graph order."""
    wiring = Wiring(model.graph)
    chosen = set(plan.nodes)
    seen: set[str] = set()
    found = []
    for node in model.graph.node:
        if node.op_type == "Conv" and node.name in chosen and node.output[0] not in seen:
            stream = _stream_from(node.output[0], wiring, chosen, seen)
            if stream is not None and stream.readers:
                found.append(stream)
    return found


def balance(
    model: ModelProto, streams: Sequence[Stream], sights: Mapping[str, ChannelSight]
) -> tuple[ModelProto, dict[str, Reals]]:
    """Scale the channels of each stream by the best of the powers.

    Args:
        model: The float graph; each weight has one reader.
        streams: Of this graph.
        sights: Of every tensor of the streams.

    Returns:
        The graph, and the factors by the first tensor of each stream that has any but ones.
    """
    result = editable(model)
    stored = {tensor.name: tensor for tensor in result.graph.initializer}
    factors = {}
    for stream in streams:
        factor = _best_factor(stream, sights, stored)
        if (factor == 1.0).all():
            continue
        factors[stream.tensors[0]] = factor
        for node in stream.makers:
            for name in (node.input[1], *(each for each in node.input[_BIAS_INPUT:] if each)):
                _scale(stored[name], factor, axis=0)
        for node in stream.readers:
            _scale(stored[node.input[1]], 1.0 / factor, axis=0 if _groups(node) > 1 else 1)
    return result, factors


def observe_channels(
    model: ModelProto, streams: Sequence[Stream], runs: Iterable[Tensors]
) -> dict[str, ChannelSight]:
    """What the channels of every tensor of the streams look like.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    watched = editable(model)
    taken = Wiring(model.graph).names()
    names: dict[str, tuple[str, str]] = {}
    for tensor in (name for stream in streams for name in stream.tensors):
        size, peak, square, mean = (
            fresh_name(taken, f"{tensor}.{part}") for part in ("size", "peak", "square", "mean")
        )
        names[tensor] = (peak, mean)
        watched.graph.node.extend(
            [
                helper.make_node("Abs", [tensor], [size]),
                helper.make_node("GlobalMaxPool", [size], [peak]),
                helper.make_node("Mul", [tensor, tensor], [square]),
                helper.make_node("GlobalAveragePool", [square], [mean]),
            ]
        )
        watched.graph.output.extend(ValueInfoProto(name=name) for name in (peak, mean))
    executor = Executor(watched, optimized=True)
    wanted = [name for pair in names.values() for name in pair]
    peaks: dict[str, Reals] = {}
    sums: dict[str, Reals] = {}
    count = 0
    for run in runs if names else ():
        values = executor.run(run, wanted)
        for tensor, (peak, mean) in names.items():
            loudest, squares = (_by_channel(values[name]) for name in (peak, mean))
            peaks[tensor] = np.maximum(peaks.get(tensor, 0.0), loudest.max(axis=0))
            sums[tensor] = sums.get(tensor, 0.0) + squares.sum(axis=0)
        count += len(next(iter(values.values())))
    return {name: ChannelSight(peaks[name], sums[name] / count) for name in peaks}


def _by_channel(values: NDArray[Any]) -> Reals:
    return values.astype(np.float64).reshape(values.shape[:2])


def _stream_from(first: str, wiring: Wiring, chosen: set[str], seen: set[str]) -> Stream | None:
    """All that hangs together with a tensor; nothing when it is not closed."""
    pending, tensors = [first], dict.fromkeys([first])
    makers: dict[str, NodeProto] = {}
    readers: dict[str, NodeProto] = {}
    closed = True
    while pending:
        name = pending.pop(0)
        maker = wiring.producers.get(name)
        closed &= maker is not None and wiring.is_private(name)
        for node in (*([maker] if maker is not None else []), *wiring.consumers.get(name, ())):
            if _is_scalable(node, wiring, chosen):
                (makers if name in node.output else readers)[node.name] = node
                continue
            passes_on = node.op_type in {"Add", "Relu"} and node.name in chosen
            closed &= passes_on
            fresh = [each for each in (*node.input, *node.output) if each not in tensors]
            tensors |= dict.fromkeys(fresh if passes_on else ())
            pending += fresh if passes_on else []
    seen.update(tensors)
    if not closed:
        return None
    return Stream(tuple(tensors), tuple(makers.values()), tuple(readers.values()))


def _is_scalable(node: NodeProto, wiring: Wiring, chosen: set[str]) -> bool:
    """Whether its channels, in and out, can be scaled by way of constants of its own."""
    if node.op_type != "Conv" or node.name not in chosen:
        return False
    names = [name for name in node.input[1:] if name]
    if any(wiring.constant(each) is None or not wiring.has_one_consumer(each) for each in names):
        return False
    weight = wiring.initializers[node.input[1]]
    return _groups(node) == 1 or (weight.dims[1] == 1 and weight.dims[0] == _groups(node))


def _groups(node: NodeProto) -> int:
    return int(attribute(node, "group", 1))


def _best_factor(
    stream: Stream, sights: Mapping[str, ChannelSight], stored: Mapping[str, Any]
) -> Reals:
    peaks = [sights[name].peaks for name in stream.tensors]
    loud = [each / each.max() for each in peaks if each.max() > 0.0]
    plain = np.ones(len(peaks[0]))
    if not loud or len({len(each) for each in peaks}) > 1:  # one channel added to all is none
        return plain
    below = np.maximum(np.max(loud, axis=0), _QUIETEST)
    candidates = [np.minimum(below**-power, MOST) for power in POWERS]
    noise = [_noise(stream, sights, stored, each) for each in candidates]
    best = int(np.argmin(noise))
    return candidates[best] if noise[best] < _WORTH * noise[0] else plain


def _noise(
    stream: Stream,
    sights: Mapping[str, ChannelSight],
    stored: Mapping[str, Any],
    factor: Reals,
) -> float:
    """Noise against signal behind all readers, of rounded activations and rounded weights."""
    total = 0.0
    for node in stream.readers:
        sight = sights[node.input[0]]
        weight = numpy_helper.to_array(stored[node.input[1]]).astype(np.float64)
        deep = _groups(node) > 1
        rows = weight.reshape(weight.shape[0], -1, weight[0, 0].size)  # (outputs, inputs, places)
        squares = (rows**2).sum(axis=(1, 2) if deep else (0, 2))
        signal = float(squares @ sight.squares)
        if signal <= 0.0:
            continue
        step = 2.0 * float((factor * sight.peaks).max()) / _STEPS
        noise = step**2 / 12.0 * float(squares @ factor**-2.0)
        if not deep:  # each channel of a depthwise one has a scale of its own
            largest = (np.abs(rows).max(axis=2) / factor).max(axis=1) / _LARGEST
            power = float(factor**2 @ sight.squares) * rows.shape[2]
            noise += float((largest**2).sum()) / 12.0 * power
        total += noise / signal
    return total


def _scale(tensor: Any, factor: Reals, *, axis: int) -> None:  # noqa: ANN401 - a TensorProto
    values = numpy_helper.to_array(tensor).astype(np.float64)
    shape = [1] * values.ndim
    shape[axis] = -1
    scaled = (values * factor.reshape(shape)).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(scaled, tensor.name))
