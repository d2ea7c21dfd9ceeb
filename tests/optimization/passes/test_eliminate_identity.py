"""Identities go, unless they carry a name that is needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.passes.eliminate_identity import EliminateIdentity
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("a = Identity (x) y = Relu (a)", 0),
        ("a = Relu (x) y = Identity (a)", 0),
        ("a = Relu (x) b = Identity (a) c = Identity (b) y = Neg (c)", 0),
        ("a = Relu (x) b = Abs (a) c = Identity (a) y = Add (b, c)", 0),
        ("y = Identity (x)", 1),
        ("y = Identity (w)", 1),
    ],
)
def test_identities_in_a_chain(
    body: str,
    left: int,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    weights = {"w": X} if "w" in body else {}
    model = parse(f"g (float[n,2] x) => (float[n,2] y) {{ {body} }}", weights)
    result = EliminateIdentity()(model, prove(x=X))
    assert ops(result.model).get("Identity", 0) == left
    assert [value.name for value in result.model.graph.output] == ["y"]


def test_two_outputs_of_one_tensor_stay_two(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y, float[n,2] z) { y = Relu (x) z = Identity (y) }"
    )
    assert ops(EliminateIdentity()(model, prove(x=X)).model) == {"Relu": 1, "Identity": 1}


def test_a_captured_tensor_keeps_its_name(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,2] x, bool flag) => (float[n,2] y) { z = Identity (x)
        y = If (flag) <then_branch = t () => (float[n,2] a) { a = Neg (z) },
                       else_branch = e () => (float[n,2] b) { b = Relu (z) }> }"""
    )
    result = EliminateIdentity()(model, prove(x=X, flag=np.array(False)))  # noqa: FBT003 - a tensor
    assert result.record.detail == "no Identity that can go"
