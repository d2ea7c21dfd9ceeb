"""What a convolution sees, against ONNX's own reference implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper

from edgeworthy.errors import InferenceError
from edgeworthy.optimization.emulation.windows import Geometry, windows
from edgeworthy.optimization.execution import Executor

CASES: list[dict[str, Any]] = [
    {},
    {"pads": [1, 0, 2, 1]},
    {"strides": [2, 3]},
    {"dilations": [2, 1], "pads": [1, 1, 1, 1]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"auto_pad": "SAME_LOWER", "strides": [3, 1]},
    {"auto_pad": "VALID"},
]


@pytest.mark.parametrize("attributes", CASES, ids=str)
def test_windows_times_weights_is_a_convolution(
    attributes: dict[str, Any],
    parse: Callable[..., ModelProto],
    generator: np.random.Generator,
) -> None:
    weights = generator.standard_normal((4, 3, 3, 2)).astype(np.float32)
    model = parse(
        "net (float[n,3,8,7] x) => (float[n,4,h,v] y) { y = Conv (x, w) }", {"w": weights}
    )
    node = model.graph.node[0]
    node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    x = generator.standard_normal((2, 3, 8, 7)).astype(np.float32)
    expected = Executor(model).run({"x": x})["y"]
    seen = windows(np.moveaxis(x, 1, -1), Geometry.of(node, (3, 2), (8, 7)), fill=0)
    found: NDArray[Any] = np.einsum("nhwijc,ocij->nohw", seen, weights)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_unknown_padding_is_an_error() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], auto_pad="DIAGONAL")
    with pytest.raises(InferenceError, match="unknown padding"):
        Geometry.of(node, (1, 1), (4, 4))
