"""The graph is brought to an operator set that knows quantization per channel."""

from __future__ import annotations

import onnx
from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import opset_version

#: ``QuantizeLinear`` and ``DequantizeLinear`` have an axis from here on.
PER_CHANNEL_OPSET = 13


class RaiseOpset(Pass):
    """Convert graphs older than opset 13 with ONNX's own converter.

    A graph that the converter refuses stays as it is; the record says why.
    """

    name = "raise-opset"

    def requires(self, model: ModelProto) -> str:
        """Newer graphs are left alone."""
        version = opset_version(model)
        return f"opset {version} is new enough" if version >= PER_CHANNEL_OPSET else ""

    def call(self, model: ModelProto) -> Rewrite:
        """Convert, or say why not."""
        version = opset_version(model)
        try:
            result = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
        except (RuntimeError, ValueError, onnx.version_converter.ConvertError) as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0]
            return unchanged(
                model, f"opset {version} cannot be raised to {PER_CHANNEL_OPSET}: {reason}"
            )
        return changed(result, f"raised opset {version} to {PER_CHANNEL_OPSET}")
