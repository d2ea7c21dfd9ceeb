"""Zeros around a picture are put there by the convolution that reads it.

Exporters write the padding of "same" convolutions as a ``Pad`` of its own. Engines have no integer
kernel for it that fuses: a quantized EfficientNet-lite0 spends a third of its time there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import (
    Wiring,
    attribute,
    editable,
    is_standard,
    opset_version,
    remove_nodes,
)

_PADS_AS_INPUT_OPSET = 11
_VALUE_INPUT, _AXES_INPUT = 2, 3
_SPATIAL = 2


class FoldPadding(Pass):
    """Take out every ``Pad`` with zeros along spatial axes that only convolutions read."""

    name = "fold-padding"
    operators = ("Pad",)

    def requires(self, model: ModelProto) -> str:
        """Older operators carry their pads elsewhere."""
        if opset_version(model) < _PADS_AS_INPUT_OPSET:
            return f"the operator set is older than {_PADS_AS_INPUT_OPSET}"
        return ""

    def call(self, model: ModelProto) -> Rewrite:
        """Move the pads into attributes."""
        result = editable(model)
        wiring = Wiring(result.graph)
        doomed = [node for node in result.graph.node if _folded(node, wiring)]
        if not doomed:
            return unchanged(model, "no Pad that a convolution could take over")
        remove_nodes(result.graph, doomed)
        return changed(result, f"folded {len(doomed)} Pad nodes into convolutions")


def _folded(node: NodeProto, wiring: Wiring) -> bool:
    """Hand the pads of a node to its readers, if all of them can take them."""
    if not is_standard(node, "Pad") or not wiring.is_private(node.output[0]):
        return False
    readers = wiring.consumers.get(node.output[0], [])
    pads = _zeros_around(node, wiring)
    if pads is None or not readers or not all(_takes(reader, node, pads) for reader in readers):
        return False
    for reader in readers:
        own = attribute(reader, "pads", [0] * len(pads))
        kept = [item for item in reader.attribute if item.name not in {"pads", "auto_pad"}]
        reader.ClearField("attribute")
        reader.attribute.extend(kept)
        both = [int(a) + int(b) for a, b in zip(own, pads, strict=True)]
        reader.attribute.append(helper.make_attribute("pads", both))
        reader.input[0] = node.input[0]
    return True


def _takes(reader: NodeProto, node: NodeProto, pads: Sequence[int]) -> bool:
    if not is_standard(reader, "Conv") or list(reader.input).count(node.output[0]) != 1:
        return False
    if reader.input[0] != node.output[0]:
        return False
    own = attribute(reader, "pads", [0] * len(pads))
    return attribute(reader, "auto_pad", b"NOTSET") in {b"NOTSET", b"VALID"} and len(own) == len(
        pads
    )


def _zeros_around(node: NodeProto, wiring: Wiring) -> list[int] | None:
    """Pads per spatial axis, before and after, as a convolution has them; None for others."""
    if attribute(node, "mode", b"constant") != b"constant" or not _is_zero(node, wiring):
        return None
    given = wiring.constant(node.input[1])
    if given is None or len([name for name in node.input if name]) > _AXES_INPUT:
        return None
    before, after = np.split(numpy_helper.to_array(given).reshape(-1), 2)
    spatial = np.concatenate([before[_SPATIAL:], after[_SPATIAL:]])
    idle = np.concatenate([before[:_SPATIAL], after[:_SPATIAL]])
    if idle.any() or (spatial < 0).any() or not spatial.size:
        return None
    return [int(value) for value in spatial]


def _is_zero(node: NodeProto, wiring: Wiring) -> bool:
    if len(node.input) <= _VALUE_INPUT or not node.input[_VALUE_INPUT]:
        return True
    value = wiring.constant(node.input[_VALUE_INPUT])
    return value is not None and not np.any(numpy_helper.to_array(value))
