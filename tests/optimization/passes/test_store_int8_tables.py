"""Tables of words in bytes, multiplied out behind the look-up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.store_int8_tables import LARGE_TABLE, StoreInt8Tables
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import model_bytes

Parse = Callable[..., ModelProto]
ROWS, WIDTH = 5000, 16
BODY = "e = Gather (table, ids) y = Relu (e)"


@pytest.fixture
def table(generator: np.random.Generator) -> NDArray[np.float32]:
    """Rows of very different lengths, one of zeros."""
    rows = generator.standard_normal((ROWS, WIDTH)) * 10.0 ** generator.uniform(-3, 3, (ROWS, 1))
    rows[7] = 0.0
    return rows.astype(np.float32)


@pytest.fixture
def ids(generator: np.random.Generator) -> NDArray[np.int64]:
    found = generator.integers(-ROWS, ROWS, (9, 6))
    found[0, 0] = 7
    return found


def build(parse: Parse, table: NDArray[Any], body: str = BODY) -> ModelProto:
    return parse(
        f"g (int64[n,6] ids) => (float[n,6,{table.shape[1]}] y) {{ {body} }}", {"table": table}
    )


def stored(model: ModelProto, ids: NDArray[np.int64], *float_nodes: str) -> tuple[ModelProto, str]:
    result = StoreInt8Tables(float_nodes)(model, Proof([{"ids": ids}], seed=None))
    return result.model, result.record.detail


def test_each_row_keeps_its_own_precision_and_the_file_is_small(
    parse: Parse, table: NDArray[np.float32], ids: NDArray[np.int64]
) -> None:
    model = build(parse, table, "y = Gather (table, ids)")
    result, detail = stored(model, ids)
    expected = table[ids]
    found = Executor(result).run({"ids": ids})["y"]
    half_a_step = np.abs(expected).max(axis=2, keepdims=True) / 127 / 2
    assert (np.abs(found - expected) <= half_a_step * 1.001).all()
    assert not found[0, 0].any()
    assert len(model_bytes(result)) < 0.33 * len(model_bytes(model))  # with 4 bytes for 16 numbers
    assert detail.startswith("1 tables in bytes; rounding 4")


def test_the_engine_keeps_the_bytes(
    parse: Parse, table: NDArray[np.float32], ids: NDArray[np.int64], tmp_path: Path
) -> None:
    result, _ = stored(build(parse, table), ids)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(model_bytes(result), options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(tmp_path / "optimized.onnx").graph
    sizes = {numpy_helper.to_array(t).dtype: t.dims[1] for t in optimized.initializer}
    assert sizes == {np.dtype(np.int8): WIDTH, np.dtype(np.float32): 1}


@pytest.mark.parametrize(
    "body",
    [
        "e = Gather <axis=1> (table, ids) y = Relu (e)",
        "e = Gather (table, ids) s = ReduceSum (table) y = Add (e, s)",
    ],
    ids=["columns", "somebody reads it whole"],
)
def test_what_is_not_looked_up_row_by_row_stays(
    body: str, parse: Parse, table: NDArray[np.float32], ids: NDArray[np.int64]
) -> None:
    model = build(parse, table, body)
    assert stored(model, ids) == (model, "no large table of float32 rows")


def test_small_tables_and_those_of_named_nodes_stay(
    parse: Parse, table: NDArray[np.float32], ids: NDArray[np.int64]
) -> None:
    small = build(parse, table[: LARGE_TABLE // WIDTH - 1])
    assert stored(small, ids)[0] is small
    model = build(parse, table)
    model.graph.node[0].name = "words"
    assert stored(model, ids, "words")[0] is model
    assert stored(model, ids, "other")[0] is not model
