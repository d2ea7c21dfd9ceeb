"""Batches of any size on a model with a fixed one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.errors import InferenceError
from edgeworthy.runtimes import Runtime, fixed_batch_size, run_batched

WriteModel = Callable[..., Path]
W = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)


def inputs(count: int) -> dict[str, NDArray[Any]]:
    x = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    return {"x": x, "b": np.arange(3 * count, dtype=np.float32).reshape(count, 3)}


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11])
def test_the_values_are_those_of_one_batch(
    onnx_runtime: Runtime, linear_of_four: Path, count: int
) -> None:
    given = inputs(count)
    with onnx_runtime.load(linear_of_four) as session:
        assert fixed_batch_size(session.signature) == 4
        found = run_batched(session, given)
    assert found["y"].tolist() == (given["x"] @ W + given["b"]).tolist()
    assert found["doubled"].tolist() == (2 * given["x"]).tolist()


def test_a_free_batch_runs_as_it_is(onnx_runtime: Runtime, linear: Path) -> None:
    given = inputs(7)
    with onnx_runtime.load(linear) as session:
        assert fixed_batch_size(session.signature) is None
        found = run_batched(session, given)
    assert found["y"].tolist() == (given["x"] @ W + given["b"]).tolist()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"x": inputs(3)["x"], "b": inputs(2)["b"]}, "found 2, 3"),
        ({"x": np.zeros((0, 2), np.float32), "b": np.zeros((0, 3), np.float32)}, "found 0"),
        ({"x": np.float32(1) * np.ones(()), "b": np.ones(())}, "found 0"),
        ({}, "found no inputs"),
    ],
)
def test_inputs_that_are_no_batch(
    onnx_runtime: Runtime, linear_of_four: Path, given: dict[str, NDArray[Any]], found: str
) -> None:
    with (
        onnx_runtime.load(linear_of_four) as session,
        pytest.raises(InferenceError, match=f"same number of samples.*{found}"),
    ):
        run_batched(session, given)


def test_inputs_that_fix_different_sizes(onnx_runtime: Runtime, write_model: WriteModel) -> None:
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[1, 2] x, float[3, 2] state)'
        "=> (float[3, 2] y) { y = Add (x, state) }"
    )
    with (
        onnx_runtime.load(path) as session,
        pytest.raises(InferenceError, match=r"different batch sizes.*found 1, 3"),
    ):
        run_batched(session, {"x": np.ones((6, 2)), "state": np.ones((6, 2))})


@pytest.mark.parametrize("at_a_time", [None, 1, 3])
def test_samples_along_a_second_axis_come_first(
    onnx_runtime: Runtime, write_model: WriteModel, at_a_time: int | None
) -> None:
    path = write_model(
        """<ir_version: 8, opset_import: ["" : 17]>
        g (float[batch, 4, 2] x) => (float[4, batch, 2] steps, float[batch, 2, 4] turned)
        { steps = Transpose <perm = [1, 0, 2]> (x) turned = Transpose <perm = [0, 2, 1]> (x) }"""
    )
    x = np.arange(40, dtype=np.float32).reshape(5, 4, 2)
    with onnx_runtime.load(path) as session:
        found = run_batched(session, {"x": x}, at_a_time=at_a_time)
    assert found["steps"].tolist() == x.tolist()
    assert found["turned"].tolist() == x.transpose(0, 2, 1).tolist()


def test_an_output_without_a_batch_cannot_be_put_together(
    onnx_runtime: Runtime, write_model: WriteModel
) -> None:
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2, 3] x) => (float total)'
        "{ total = ReduceMean <keepdims = 0> (x) }"
    )
    with onnx_runtime.load(path) as session:
        assert run_batched(session, {"x": np.ones((2, 3), np.float32)})["total"] == 1.0
        with pytest.raises(InferenceError, match="`total` has no batch axis"):
            run_batched(session, {"x": np.ones((3, 3), np.float32)})
