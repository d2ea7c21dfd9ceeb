"""Calls of a model's own functions are replaced by what the functions do.

Exporters may pack repeated blocks into functions that travel inside the model. The engine inlines
them when it loads the file; until then nothing inside can be seen, folded or quantized.
"""

from __future__ import annotations

import onnx.inliner
from onnx import ModelProto

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed


class InlineFunctions(Pass):
    """Inline every function that the model defines."""

    name = "inline-functions"

    def requires(self, model: ModelProto) -> str:
        """Most models define none."""
        return "" if model.functions else "the model has no functions of its own"

    def call(self, model: ModelProto) -> Rewrite:
        """Inline them all."""
        result = onnx.inliner.inline_local_functions(model)
        return changed(result, f"inlined {len(model.functions)} functions")
