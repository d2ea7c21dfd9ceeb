"""Products with constant parameters, and how they take in what follows them channel by channel.

``factor * (x * weight + bias) + shift`` is a product of other constants where ``factor`` and
``shift`` hold one number, or one per output channel. It is computed in float64, so that nothing is
lost to rounding but in the last store. Shared weights are copied: other users keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    fresh_name,
    is_standard,
    remove_nodes,
)

_BIAS_INPUT = 2
_LARGEST = float(np.finfo(np.float32).max)
#: Weights a million times smaller than this have all of their digits.
_LEAST = float(np.finfo(np.float32).tiny) * 1e6


@dataclass(frozen=True)
class ConstantProduct:
    """A ``Conv``, ``ConvTranspose`` or ``Gemm`` with constant parameters, in float64.

    Attributes:
        node: The operator.
        rank: Number of axes of its result; channels are the second one.
        channels: Of its result.
        weight: As the operator stores it.
        bias: One number, or one per output channel.
        channel_factor: Spreads a factor per output channel, ``(channels,)``, over the weight.
    """

    node: NodeProto
    rank: int
    channels: int
    weight: NDArray[Any]
    bias: NDArray[Any]
    channel_factor: Callable[[NDArray[Any]], NDArray[Any]]


def constant_product(node: NodeProto | None, wiring: Wiring) -> ConstantProduct | None:
    """The operator with its constants, or nothing when it is none of that kind."""
    if node is None or not is_standard(node, "Conv", "ConvTranspose", "Gemm"):
        return None
    constants = float_constants([name for name in node.input[1:] if name], wiring)
    if constants is None:
        return None
    weight = constants[0]
    bias = constants[1] if len(constants) > 1 else np.zeros(1)
    if node.op_type == "Gemm":
        return _gemm(node, weight, bias)
    if node.op_type == "ConvTranspose":
        channels = weight.shape[1] * attribute(node, "group", 1)
        spread = _spread_over_groups(weight, node)
        return ConstantProduct(node, weight.ndim, channels, weight, bias, spread)
    axes = (-1, *(1 for _ in weight.shape[1:]))
    return ConstantProduct(
        node, weight.ndim, len(weight), weight, bias, lambda factor: factor.reshape(axes)
    )


def float_constants(names: Iterable[str], wiring: Wiring) -> list[NDArray[Any]] | None:
    """The values in float64, or nothing when one is not a float32 constant."""
    tensors = [wiring.constant(name) for name in names]
    if any(tensor is None or tensor.data_type != TensorProto.FLOAT for tensor in tensors):
        return None
    return [numpy_helper.to_array(t).astype(np.float64) for t in tensors if t is not None]


def is_storable(product: ConstantProduct, factor: NDArray[Any], bias: NDArray[Any]) -> bool:
    """Whether float32 holds what :func:`take_in` would store: nothing endless, no digits lost.

    Args:
        product: The operator.
        factor: ``(channels,)`` or ``(1,)``: what its weights are multiplied with.
        bias: The same: its new bias.
    """
    weight = product.weight * product.channel_factor(np.broadcast_to(factor, (product.channels,)))
    largest = float(np.abs(weight).max(initial=0.0))
    if max(largest, float(np.abs(bias).max(initial=0.0))) > _LARGEST:
        return False
    return largest == 0.0 or largest >= _LEAST


def take_in(
    model: ModelProto,
    follower: NodeProto,
    product: ConstantProduct,
    *,
    factor: NDArray[Any],
    bias: NDArray[Any],
) -> None:
    """Let a product compute what the node behind it computes, and remove that node.

    Args:
        model: Is edited.
        follower: The only reader of the product's result.
        product: Before it.
        factor: ``(channels,)`` or ``(1,)``: what its weights are multiplied with.
        bias: The same: its new bias.
    """
    taken = Wiring(model.graph).names()
    node, width = product.node, (product.channels,)
    stored = [(_BIAS_INPUT, np.broadcast_to(bias, width), f"{follower.output[0]}.bias")]
    if (factor != 1.0).any():
        weight = product.weight * product.channel_factor(np.broadcast_to(factor, width))
        stored.insert(0, (1, weight, f"{node.input[1]}.folded"))
    for index, values, wish in stored:
        name = fresh_name(taken, wish)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        del node.input[index : index + 1]
        node.input.insert(index, name)
    for item in [item for item in node.attribute if item.name == "beta"]:
        node.attribute.remove(item)
    node.output[0] = follower.output[0]
    remove_nodes(model.graph, [follower])


def _gemm(node: NodeProto, weight: NDArray[Any], bias: NDArray[Any]) -> ConstantProduct | None:
    transposed = bool(attribute(node, "transB", 0))
    channels = weight.shape[0 if transposed else 1]
    if bias.size != 1 and (bias.size != channels or bias.shape[-1] != channels):
        return None  # a bias per row is not one per channel
    bias = bias.reshape(-1) * attribute(node, "beta", 1.0)
    axes = (-1, 1) if transposed else (1, -1)
    return ConstantProduct(node, 2, channels, weight, bias, lambda factor: factor.reshape(axes))


def _spread_over_groups(
    weight: NDArray[Any], node: NodeProto
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """``ConvTranspose`` stores ``(inputs, outputs / group, ...)``, group after group."""
    count = attribute(node, "group", 1)
    rows_per_group = weight.shape[0] // count
    kernel_axes = (1,) * (weight.ndim - 2)

    def spread(factor: NDArray[Any]) -> NDArray[Any]:
        rows = np.repeat(factor.reshape(count, -1), rows_per_group, axis=0)
        return rows.reshape(*rows.shape, *kernel_axes)

    return spread
