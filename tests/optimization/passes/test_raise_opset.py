"""Old operator sets are raised or the reason is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.passes.raise_opset import RaiseOpset
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import opset_version

X = np.array([[1.0, -2.0]], np.float32)


@pytest.mark.parametrize("opset", [7, 9, 11, 12])
def test_old_graphs_are_raised(
    opset: int,
    parse: Callable[..., ModelProto],
    reference: Callable[[ModelProto, dict[str, NDArray[Any]]], list[NDArray[Any]]],
    prove: Callable[..., Proof],
) -> None:
    header = f'<ir_version: 4, opset_import: ["" : {opset}]>'
    model = parse(f"{header} g (float[n,2] x) => (float[n,2] y) {{ y = Softmax (x) }}")
    result = RaiseOpset()(model, prove(x=X))
    assert opset_version(result.model) == 13
    (found,) = reference(result.model, {"x": X})
    np.testing.assert_allclose(found, np.exp(X) / np.exp(X).sum(), rtol=1e-6)


def test_new_graphs_stay(parse: Callable[..., ModelProto], prove: Callable[..., Proof]) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y) { y = Relu (x) }", opset=13)
    assert RaiseOpset()(model, prove(x=X)).record.detail == "opset 13 is new enough"


def test_a_graph_that_cannot_be_converted_says_why() -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 3, opset_import: ["" : 7]> '
        "g (float[n,2] x) => (float[n,2] y) { y = Crop (x) }"
    )
    rewrite = RaiseOpset().call(model)
    assert not rewrite.changed
    assert rewrite.detail.startswith("opset 7 cannot be raised to 13: ")
