"""Batch normalization is folded into the convolution or matrix product before it.

``y = scale * (conv(x) - mean) / sqrt(var + epsilon) + shift`` is a convolution whose weights are
multiplied by ``scale / sqrt(var + epsilon)`` per output channel, with another bias. It is computed
in float64, so that the fold loses nothing to rounding but the last store.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, 2018, section 3.2.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.passes.constant_product import (
    constant_product,
    float_constants,
    take_in,
)
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    is_standard,
    opset_version,
)

_FIRST_OPSET = 9


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
    product = constant_product(node, wiring)
    parameters = float_constants(norm.input[1:], wiring)
    if product is None or parameters is None:
        return False
    scale, shift, mean, variance = parameters
    factor = scale / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))
    bias = (product.bias - mean) * factor + shift
    take_in(model, norm, product, factor=factor, bias=bias)
    return True


def _is_idle(norm: NodeProto, wiring: Wiring) -> bool:
    """Whether the node normalizes by stored statistics and nobody reads new ones."""
    extra = [name for name in norm.output[1:] if name]
    if attribute(norm, "training_mode", 0) or norm.output[0] in wiring.captured:
        return False
    return not any(name in wiring.consumers or not wiring.is_private(name) for name in extra)
