"""Float nodes read a float tensor as it is, not as its integers give it back.

The quantizer gives every reader of a tensor the rounded one. Where a product needs integers of what
a normalization made, the residual addition beside it got them too: it computes in float all the
same, on numbers of 256 steps, and pays for the way back.

Left alone is what the engine fuses: a tensor that an integer node makes never exists in float.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.passes.float_results import is_integer_node
from edgeworthy.optimization.wiring import Wiring, editable

#: Operators without an integer kernel, whatever stands around them.
_ALWAYS_FLOAT = frozenset(
    {
        *("BatchNormalization", "Div", "Elu", "Erf", "Exp", "Gelu", "GroupNormalization"),
        *("HardSigmoid", "HardSwish", "InstanceNormalization", "LayerNormalization", "PRelu"),
        *("Mish", "Pow", "Softplus", "Sqrt", "Sub", "Tanh", "GRU", "LSTM", "RNN"),
    }
)


class FloatReaders(Pass):
    """Connect float readers of a Q/DQ pair to what a float node made."""

    name = "float-readers"
    keeps_outputs = False

    def call(self, model: ModelProto) -> Rewrite:
        """Reconnect them."""
        result = editable(model)
        wiring = Wiring(result.graph)
        count = sum(
            _reconnected(quantize, wiring)
            for quantize in result.graph.node
            if quantize.op_type == "QuantizeLinear" and _exists_in_float(quantize.input[0], wiring)
        )
        if not count:
            return unchanged(model, "no float node reads integers")
        return changed(result, f"{count} inputs of float nodes are not rounded")


def _exists_in_float(tensor: str, wiring: Wiring) -> bool:
    maker = wiring.producers.get(tensor)
    if maker is None or maker.op_type in _ALWAYS_FLOAT:
        return True
    makers = [wiring.producers.get(name) for name in maker.input]
    return not any(each is not None and each.op_type == "DequantizeLinear" for each in makers)


def _reconnected(quantize: NodeProto, wiring: Wiring) -> int:
    source, count = quantize.input[0], 0
    for dequantize in wiring.consumers.get(quantize.output[0], ()):
        if dequantize.op_type != "DequantizeLinear":
            continue
        rounded = dequantize.output[0]
        for reader in wiring.consumers.get(rounded, ()):
            if is_integer_node(reader, wiring):
                continue
            for index, name in enumerate(reader.input):
                if name == rounded:
                    reader.input[index] = source
                    count += 1
    return count
