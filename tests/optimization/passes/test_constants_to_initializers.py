"""Constants in all their spellings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes.constants_to_initializers import ConstantsToInitializers
from edgeworthy.optimization.proof import Proof

X = np.ones((1, 2), np.float32)


@pytest.mark.parametrize(
    ("constant", "cast", "value"),
    [
        ("Constant <value = float[2] {1, 2}> ()", "", np.array([1, 2], np.float32)),
        ("Constant <value_float = 0.5> ()", "", np.array(0.5, np.float32)),
        ("Constant <value_floats = [0.5, 1.5]> ()", "", np.array([0.5, 1.5], np.float32)),
        ("Constant <value_int = 3> ()", "Cast <to=1>", np.array(3, np.int64)),
        ("Constant <value_ints = [3, 4]> ()", "Cast <to=1>", np.array([3, 4], np.int64)),
    ],
)
def test_every_numeric_constant_moves(
    constant: str,
    cast: str,
    value: NDArray[Any],
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(
        f"g (float[n,2] x) => (float[n,2] y) "
        f"{{ k = {constant} f = {cast or 'Neg'} (k) y = Add (x, f) }}"
    )
    result = ConstantsToInitializers()(model, prove(x=X)).model
    assert "Constant" not in ops(result)
    (tensor,) = result.graph.initializer
    stored = numpy_helper.to_array(tensor)
    assert (tensor.name, stored.dtype) == ("k", value.dtype)
    np.testing.assert_array_equal(stored, value)


def test_outputs_and_strings_stay(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        """g (float[n,2] x) => (float[n,2] y, float[1] k, string[1] t) {
        k = Constant <value = float[1] {1}> () y = Relu (x)
        s = Constant <value_strings = ["a"]> () t = Identity (s) }"""
    )
    result = ConstantsToInitializers()(model, prove(x=X))
    assert result.record.detail == "no Constant nodes"
