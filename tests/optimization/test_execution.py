"""Graphs run as they are written, and refusals come out as ours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.errors import InferenceError
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import model_bytes

X = {"x": np.array([[1.0, -2.0]], np.float32)}
TEXT = "g (float[n,2] x) => (float[n,2] y, float[n,2] z) { y = Relu (x) z = Neg (x) }"


@pytest.mark.parametrize("optimized", [False, True])
def test_outputs_by_name(parse: Callable[..., ModelProto], *, optimized: bool) -> None:
    outputs = Executor(parse(TEXT), optimized=optimized).run(X)
    np.testing.assert_array_equal(outputs["y"], [[1.0, 0.0]])
    np.testing.assert_array_equal(outputs["z"], [[-1.0, 2.0]])


def test_only_what_is_asked_for(parse: Callable[..., ModelProto]) -> None:
    assert list(Executor(parse(TEXT)).run(X, ["z"])) == ["z"]


def test_an_unknown_operator_is_refused(
    parse: Callable[..., ModelProto], capfd: pytest.CaptureFixture[str]
) -> None:
    text = (
        '<ir_version: 8, opset_import: ["" : 17, "acme" : 1]> '
        "g (float[n,2] x) => (float[n,2] y) { y = acme.Magic (x) }"
    )
    with pytest.raises(InferenceError, match="cannot load this graph") as caught:
        Executor(parse(text))
    assert "standard ONNX operators" in caught.value.next_step
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": np.zeros((1, 3), np.float32)},
        {"x": np.zeros((1, 2), np.float64)},
        {"q": np.zeros((1, 2), np.float32)},
    ],
)
def test_wrong_inputs_are_refused(
    inputs: dict[str, np.ndarray], parse: Callable[..., ModelProto]
) -> None:
    with pytest.raises(InferenceError, match="onnxruntime failed"):
        Executor(parse(TEXT)).run(inputs)


def test_large_weights_are_handed_over_and_nothing_else_changes(
    parse: Callable[..., ModelProto], generator: np.random.Generator
) -> None:
    """Read by a node, read by nobody, given out as it is, and one that a caller may replace."""
    large = {
        name: generator.standard_normal((256, 300)).astype(np.float32)
        for name in ("w", "idle", "given", "default")
    }
    model = parse(
        "g (float[n,256] x, float[256,300] default) => (float[n,300] y, float[256,300] given) "
        "{ p = MatMul (x, w) q = MatMul (x, default) y = Add (p, q) }",
        large,
    )
    x = {"x": generator.standard_normal((3, 256)).astype(np.float32)}
    before = model_bytes(model)
    for optimized in (False, True):
        parts, whole = (Executor(m, optimized=optimized) for m in (model, before))
        found, expected = parts.run(x), whole.run(x)
        np.testing.assert_array_equal(found["y"], expected["y"])
        np.testing.assert_array_equal(found["given"], large["given"])
    assert model_bytes(model) == before
