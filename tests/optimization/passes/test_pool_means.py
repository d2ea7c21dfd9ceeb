"""Means that are poolings, and those that are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.passes.pool_means import PoolMeans
from edgeworthy.optimization.proof import Proof

X = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
AXES = {
    "places": np.array([2, 3]),
    "backward": np.array([-1, -2]),
    "rows": np.array([2]),
    "channels": np.array([1, 2, 3]),
}


@pytest.mark.parametrize(
    ("body", "shape", "expected"),
    [
        ("ReduceMean <axes=[2,3]> (x)", "n,3,1,1", ["GlobalAveragePool"]),
        ("ReduceMean (x, places)", "n,3,1,1", ["GlobalAveragePool"]),
        ("ReduceMean (x, backward)", "n,3,1,1", ["GlobalAveragePool"]),
        ("ReduceMean <axes=[-2,-1], keepdims=0> (x)", "n,3", ["GlobalAveragePool", "Flatten"]),
        ("ReduceMean <axes=[2]> (x)", "n,3,1,5", ["ReduceMean"]),
        ("ReduceMean (x, channels)", "n,1,1,1", ["ReduceMean"]),
        ("ReduceMean (x)", "1,1,1,1", ["ReduceMean"]),
        ("ReduceMax <axes=[2,3]> (x)", "n,3,1,1", ["ReduceMax"]),
    ],
)
def test_means_over_all_places_are_poolings(
    body: str,
    shape: str,
    expected: list[str],
    parse: Callable[..., ModelProto],
    prove: Callable[..., Proof],
) -> None:
    text = f"g (float[n,3,4,5] x) => (float[{shape}] y) {{ y = {body} }}"
    model = parse(text, AXES, opset=13 if "axes" in body else 18)
    result = PoolMeans()(model, prove(x=X)).model
    assert [node.op_type for node in result.graph.node] == expected


def test_the_mean_of_a_normalization_stays(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        "g (float[n,3,4] x) => (float[n,3,1] y) { y = ReduceMean <axes=[-1]> (x) }", opset=13
    )
    assert not PoolMeans()(model, prove(x=X[..., 0])).record.changed


def test_a_tensor_of_unknown_rank_stays(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,3,4,5] x, int64[k] shape) => (float[a,b,c0,d] y) {
        r = Reshape (x, shape) y = ReduceMean <axes=[2,3]> (r) }""",
        opset=13,
    )
    proof = prove(x=X, shape=np.array([2, 3, 4, 5]))
    assert not PoolMeans()(model, proof).record.changed


@pytest.mark.parametrize(
    ("kind", "x"),
    [
        ("double", X.astype(np.float64)),
        ("int32", X.astype(np.int32)),
        ("float", X.reshape(2, 3, 2, 2, 5, 1)),
    ],
)
def test_what_the_engine_does_not_pool_stays(
    kind: str,
    x: NDArray[Any],
    parse: Callable[..., ModelProto],
    prove: Callable[..., Proof],
) -> None:
    axes = np.arange(2, x.ndim)
    sizes = ",".join(map(str, x.shape))
    text = f"g ({kind}[{sizes}] x) => ({kind}[2,3] y) {{ y = ReduceMean <keepdims=0> (x, axes) }}"
    model = parse(text, {"axes": axes}, opset=18)
    assert not PoolMeans()(model, prove(x=x)).record.changed


def test_pictures_of_three_axes_are_pooled(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    text = "g (float[n,3,2,2,5] x) => (float[n,3,1,1,1] y) { y = ReduceMean (x, a) }"
    model = parse(text, {"a": np.array([2, 3, 4])}, opset=18)
    assert PoolMeans()(model, prove(x=X.reshape(2, 3, 2, 2, 5))).record.changed


def test_names_of_inner_graphs_are_not_taken(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,3,4,5] x, bool flag) => (float[n,3] z) {
        y = ReduceMean <axes=[2,3], keepdims=0> (x)
        z = If (flag) <
          then_branch = t () => (float[n,3] a) { y_pooled = Neg (y) a = Abs (y_pooled) },
          else_branch = e () => (float[n,3] b) { b = Neg (y) }> }""",
        opset=13,
    )
    assert PoolMeans()(model, prove(x=X, flag=np.ones((), np.bool_))).record.changed
