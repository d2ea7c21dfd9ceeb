"""What is constant is computed once, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes.fold_constants import FoldConstants
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)


def values_of(model: ModelProto) -> dict[str, NDArray[Any]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_a_chain_of_constants_becomes_its_value(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) "
        "{ a = Neg (w) b = Mul (a, a) c = Sqrt (b) y = Add (x, c) }",
        {"w": np.array([3.0, -4.0], np.float32)},
    )
    result = FoldConstants()(model, prove(x=X))
    assert ops(result.model) == {"Add": 1}
    np.testing.assert_array_equal(values_of(result.model)["c"], [3.0, 4.0])
    assert set(values_of(result.model)) == {"w", "c"}  # what nobody reads is not stored


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("r = RandomUniformLike (w) y = Add (x, r)", "random"),
        ("q = QuantizeLinear (w, s, z) d = DequantizeLinear (q, s, z) y = Add (x, d)", "quantized"),
        ("y = Add (w, w)", "an output"),
        ("b = Expand (w, huge) r = ReduceSum <keepdims=0> (b) y = Add (x, r)", "too large"),
    ],
)
def test_what_must_not_be_folded_stays(
    body: str, reason: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {
        "w": np.array([1.0, 2.0], np.float32),
        "s": np.array(0.5, np.float32),
        "z": np.array(0, np.uint8),
        "huge": np.array([1 << 18, 2], np.int64),
    }
    model = parse(f"g (float[n,2] x) => (float[a,b] y) {{ {body} }}", weights)
    result = FoldConstants()(model, prove(x=X))
    assert not result.record.changed, reason
    assert result.record.detail == "nothing is constant"


def test_a_large_result_is_folded_when_its_inputs_are_as_large(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {"w": np.ones((1 << 18, 2), np.float32)}
    model = parse("g (float[2] x) => (float[a,2] y) { t = Neg (w) y = Mul (x, t) }", weights)
    assert FoldConstants()(model, prove(x=X[0])).record.changed


def test_a_constant_part_that_does_not_run_is_left_alone(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {"w": np.ones(4, np.float32), "shape": np.array([3, 1], np.int64)}
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { r = Reshape (w, shape) u = Neg (r) y = Relu (x) }",
        weights,
    )
    result = FoldConstants()(model, prove(x=X))
    assert not result.record.changed


def test_a_tensor_that_an_inner_graph_reads_keeps_its_name(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,2] x, bool flag) => (float[n,2] y) { k = Neg (w)
        y = If (flag) <then_branch = t () => (float[n,2] a) { a = Add (x, k) },
                       else_branch = e () => (float[n,2] b) { b = Identity (x) }> }""",
        {"w": np.array([1.0, 2.0], np.float32)},
    )
    result = FoldConstants()(model, prove(x=X, flag=np.array(True)))  # noqa: FBT003 - a tensor
    np.testing.assert_array_equal(values_of(result.model)["k"], [-1.0, -2.0])


def test_strings_and_unknown_shapes_stay(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    weights = {"text": np.array(["a", "b"], object), "some": np.array([0.0, 2.0], np.float32)}
    model = parse(
        """g (float[n,2] x) => (float[n,2] y, int64[k] places, string[2] copy) {
        found = NonZero (some) places = Squeeze (found) t = Identity (text) copy = Identity (t)
        y = Relu (x) }""",
        weights,
    )
    assert not FoldConstants()(model, prove(x=X)).record.changed


def test_a_graph_whose_shapes_contradict_is_left_alone(
    parse: Callable[..., ModelProto], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { k = Neg (w) y = Add (x, k) }",
        {"w": np.ones(2, np.float32)},
    )
    text = "[TypeInferenceError] contradiction"

    def contradict(*_: object, **__: object) -> ModelProto:
        raise onnx.shape_inference.InferenceError(text)

    monkeypatch.setattr("onnx.shape_inference.infer_shapes", contradict)
    assert not FoldConstants().call(model).changed
