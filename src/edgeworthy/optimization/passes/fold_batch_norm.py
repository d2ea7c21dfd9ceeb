"""Batch normalization is folded into the convolution or matrix product before it.

``y = scale * (conv(x) - mean) / sqrt(var + epsilon) + shift`` is a convolution whose weights are
multiplied by ``scale / sqrt(var + epsilon)`` per output channel, with another bias. It is computed
in float64, so that the fold loses nothing to rounding but the last store.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, 2018, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    fresh_name,
    is_standard,
    opset_version,
    remove_nodes,
)

_FIRST_OPSET = 9


@dataclass(frozen=True)
class _Product:
    """A ``Conv``, ``ConvTranspose`` or ``Gemm`` with constant parameters, in float64.

    Attributes:
        weight: As the operator stores it.
        bias: One number, or one per output channel.
        channel_factor: Spreads a factor per output channel, ``(channels,)``, over the weight.
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    channel_factor: Callable[[NDArray[Any]], NDArray[Any]]


class FoldBatchNorm(Pass):
    """Fold ``BatchNormalization`` into a ``Conv``, ``ConvTranspose`` or ``Gemm`` before it.

    The product's result must go nowhere else and all parameters must be constants. Shared weights
    are copied, so that their other users keep theirs.
    """

    name = "fold-batch-norm"
    operators = ("BatchNormalization",)

    def requires(self, model: ModelProto) -> str:
        """Older operators mean something else by their attributes."""
        version = opset_version(model)
        return "" if version >= _FIRST_OPSET else f"opset {version} is older than {_FIRST_OPSET}"

    def call(self, model: ModelProto) -> Rewrite:
        """Fold every pair that can be."""
        result = editable(model)
        norms = [node for node in result.graph.node if is_standard(node, "BatchNormalization")]
        count = sum(_fold_pair(result, norm) for norm in norms)
        if not count:
            return unchanged(model, "no batch normalization that can be folded")
        return changed(result, f"folded {count} batch normalizations")


def _fold_pair(model: ModelProto, norm: NodeProto) -> bool:
    wiring = Wiring(model.graph)
    node = wiring.producers.get(norm.input[0])
    if node is None or not wiring.has_one_consumer(norm.input[0]) or not _is_idle(norm, wiring):
        return False
    product = _product(node, wiring)
    parameters = _constants(norm.input[1:], wiring)
    if product is None or parameters is None:
        return False
    scale, shift, mean, variance = parameters
    factor = scale / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))
    weight = product.weight * product.channel_factor(factor)
    bias = (product.bias - mean) * factor + shift
    _replace(model, node, norm, weight, bias)
    return True


def _replace(
    model: ModelProto,
    node: NodeProto,
    norm: NodeProto,
    weight: NDArray[Any],
    bias: NDArray[Any],
) -> None:
    taken = Wiring(model.graph).names()
    for index, values in enumerate((weight, bias)):
        wish = f"{node.input[1]}.folded" if index == 0 else f"{norm.output[0]}.bias"
        name = fresh_name(taken, wish)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        del node.input[index + 1 : index + 2]
        node.input.insert(index + 1, name)
    for item in [item for item in node.attribute if item.name == "beta"]:
        node.attribute.remove(item)
    node.output[0] = norm.output[0]
    remove_nodes(model.graph, [norm])


def _is_idle(norm: NodeProto, wiring: Wiring) -> bool:
    """Whether the node normalizes by stored statistics and nobody reads new ones."""
    extra = [name for name in norm.output[1:] if name]
    if attribute(norm, "training_mode", 0) or norm.output[0] in wiring.captured:
        return False
    return not any(name in wiring.consumers or not wiring.is_private(name) for name in extra)


def _product(node: NodeProto, wiring: Wiring) -> _Product | None:
    if not is_standard(node, "Conv", "ConvTranspose", "Gemm"):
        return None
    constants = _constants([name for name in node.input[1:] if name], wiring)
    if constants is None:
        return None
    weight = constants[0]
    bias = constants[1] if len(constants) > 1 else np.zeros(1)
    if node.op_type == "Gemm":
        return _gemm(node, weight, bias)
    if node.op_type == "ConvTranspose":
        return _Product(weight, bias, _spread_over_groups(weight, node))
    axes = (-1, *(1 for _ in weight.shape[1:]))
    return _Product(weight, bias, lambda factor: factor.reshape(axes))


def _gemm(node: NodeProto, weight: NDArray[Any], bias: NDArray[Any]) -> _Product | None:
    transposed = bool(attribute(node, "transB", 0))
    channels = weight.shape[0 if transposed else 1]
    if bias.size != 1 and (bias.size != channels or bias.shape[-1] != channels):
        return None  # a bias per row is not one per channel
    bias = bias.reshape(-1) * attribute(node, "beta", 1.0)
    axes = (-1, 1) if transposed else (1, -1)
    return _Product(weight, bias, lambda factor: factor.reshape(axes))


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


def _constants(names: Iterable[str], wiring: Wiring) -> list[NDArray[Any]] | None:
    """The values in float64, or nothing when one is not a float32 constant."""
    tensors = [wiring.constant(name) for name in names]
    if any(tensor is None or tensor.data_type != TensorProto.FLOAT for tensor in tensors):
        return None
    return [numpy_helper.to_array(t).astype(np.float64) for t in tensors if t is not None]
