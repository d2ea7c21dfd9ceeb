"""The factors of GELU in the order in which engines know the curve.

``x * (0.5 * (1 + erf(x / sqrt(2))))``, as exporters write it, runs as five operators;
``(x * (1 + erf(x / sqrt(2)))) * 0.5`` is recognized and runs as one. Halving is exact, so that not
a bit changes.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper

from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, is_standard


class OrderGelu(Pass):
    """Halve the result of GELU instead of one of its factors."""

    name = "order-gelu"
    operators = ("Erf",)

    def call(self, model: ModelProto) -> Rewrite:
        """Exchange inputs of the two multiplications."""
        result = editable(model)
        wiring = Wiring(result.graph)
        count = sum(
            _ordered(node, wiring) for node in result.graph.node if is_standard(node, "Mul")
        )
        if not count:
            return unchanged(model, "no GELU whose factors stand in another order")
        return changed(result, f"ordered the factors of {count} GELUs")


def _ordered(half: NodeProto, wiring: Wiring) -> bool:
    """Whether this multiplication halved ``1 + erf`` and does so no more."""
    constants = [name for name in half.input if _is_half(name, wiring)]
    others = [name for name in half.input if name not in constants]
    if len(constants) != 1 or len(others) != 1 or not wiring.has_one_consumer(half.output[0]):
        return False
    (last,) = wiring.consumers[half.output[0]]
    sources = [name for name in last.input if name != half.output[0]]
    if not is_standard(last, "Mul") or len(sources) != 1:
        return False
    if sources[0] not in _roots(others[0], wiring):
        return False
    half.input[:] = [sources[0], others[0]]
    last.input[:] = [half.output[0], constants[0]]
    return True


def _roots(tensor: str, wiring: Wiring) -> set[str]:
    """What goes into the scaled argument of ``1 + erf``; nothing for another curve."""
    add = wiring.producers.get(tensor)
    if add is None or not is_standard(add, "Add"):
        return set()
    curves = [wiring.producers.get(name) for name in add.input]
    arguments = [
        wiring.producers.get(each.input[0])
        for each in curves
        if each is not None and is_standard(each, "Erf")
    ]
    return {name for each in arguments if each is not None for name in each.input}


def _is_half(name: str, wiring: Wiring) -> bool:
    tensor = wiring.constant(name)
    values = None if tensor is None else numpy_helper.to_array(tensor)
    return values is not None and values.size == 1 and bool(np.all(values == 0.5))  # noqa: PLR2004
