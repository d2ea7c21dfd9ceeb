"""``HardSwish`` becomes the product of its input with a ``HardSigmoid``.

That is what it is, and how engines without a kernel for it compute it. Both parts have integer
forms; the operator has none.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto, helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name, is_standard

_SLOPE, _MIDDLE = 1.0 / 6.0, 0.5


class ExpandHardSwish(Pass):
    """Write ``HardSwish`` as two operators; the product keeps the name."""

    name = "expand-hard-swish"
    operators = ("HardSwish",)

    def call(self, model: ModelProto) -> Rewrite:
        """Rewrite each of them."""
        result = editable(model)
        taken = Wiring(result.graph).names() | {node.name for node in result.graph.node}
        nodes: list[NodeProto] = []
        for node in result.graph.node:
            nodes += _parts(node, taken) if is_standard(node, "HardSwish") else [node]
        count = len(nodes) - len(result.graph.node)
        copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del result.graph.node[:]
        result.graph.node.extend(copies)
        if not count:  # only its namesakes of other domains
            return unchanged(model, "no HardSwish")
        return changed(result, f"wrote {count} of them as a product with a HardSigmoid")


def _parts(node: NodeProto, taken: set[str]) -> list[NodeProto]:
    source, result = node.input[0], node.output[0]
    gate = fresh_name(taken, f"{result}_gate")
    name = fresh_name(taken, f"{node.name}_gate") if node.name else ""
    sigmoid = helper.make_node(
        "HardSigmoid", [source], [gate], name=name, alpha=_SLOPE, beta=_MIDDLE
    )
    return [sigmoid, helper.make_node("Mul", [source, gate], [result], name=node.name)]
