"""Shifts worked out from mean inputs, against shifts that are measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization.analytic_bias import analytic_shifts

BODIES = {
    "conv": ("y = Conv (x, w, b)", (4, 3, 2, 2)),
    "groups": ("y = Conv <group=3> (x, w, c)", (6, 1, 2, 2)),
    "gemm": ("f = Flatten (x) y = Gemm (f, w, b)", (90, 4)),
    "gemm transposed": ("f = Flatten (x) y = Gemm <transB=1> (f, w, b)", (4, 90)),
}


@pytest.mark.parametrize("kind", BODIES)
def test_without_borders_it_is_the_measured_shift(
    kind: str, parse: Callable[..., ModelProto], generator: np.random.Generator
) -> None:
    body, shape = BODIES[kind]
    weights: dict[str, NDArray[Any]] = {
        "w": generator.standard_normal(shape).astype(np.float32),
        "b": generator.standard_normal(4).astype(np.float32),
        "c": generator.standard_normal(6).astype(np.float32),
    }
    used = {name: values for name, values in weights.items() if f" {name}" in body}
    model = parse(f"g (float[n,3,5,6] x) => (float y) {{ {body} }}", used)
    x = generator.random((40, 3, 5, 6)).astype(np.float32)
    if "Conv" in body:  # places do not all see the same inputs: give each channel one value
        x = np.broadcast_to(x[:, :, :1, :1], x.shape).copy()
    model = NameNodes()(model, Proof([{"x": x}], seed=None)).model
    (node,) = (each for each in model.graph.node if each.op_type in {"Conv", "Gemm"})
    rounded = np.round(weights["w"] * 4) / 4
    found = analytic_shifts(
        model, [node], {node.name: rounded.astype(np.float64)}, [{"x": x[:10]}, {"x": x[10:]}]
    )
    other = ModelProto()
    other.CopyFrom(model)
    for tensor in other.graph.initializer:
        if tensor.name == "w":
            tensor.CopyFrom(numpy_helper.from_array(rounded.astype(np.float32), "w"))
    difference = Executor(other).run({"x": x})["y"] - Executor(model).run({"x": x})["y"]
    expected = difference.mean(axis=tuple(axis for axis in range(difference.ndim) if axis != 1))
    np.testing.assert_allclose(found[node.name], expected, rtol=1e-3, atol=1e-5)
