"""Half precision, weights in bytes, and products that are quantized as they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import UsageError
from edgeworthy.graph import LoadedModel
from edgeworthy.optimization import MadeVariant, Refusal, make_variant
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.weight_scales import neighbor_sums
from edgeworthy.optimization.recipes import FLOAT16, INT8_WEIGHTS, dynamic_recipe

Arrays = dict[str, NDArray[Any]]
Load = Callable[[ModelProto], LoadedModel]
DIGEST = "sha256:" + "c" * 64
DYNAMIC = dynamic_recipe("x86-avx2")
TEXT = """
net (int64[n,6] ids, float[n,6,16] extra) => (float[n,6,8] y) {
  e = Gather (table, ids)
  s = Add (e, extra)
  h = MatMul (s, w1)
  r = Relu (h)
  q = MatMul (r, w2)
  y = Add (q, b2)
}
"""


@pytest.fixture
def net(parse: Callable[..., ModelProto], generator: np.random.Generator) -> ModelProto:
    """A look-up table and two products."""
    shapes = {"table": (50, 16), "w1": (16, 32), "w2": (32, 8), "b2": (8,)}
    return parse(
        TEXT,
        {name: generator.standard_normal(s).astype(np.float32) for name, s in shapes.items()},
    )


@pytest.fixture
def inputs(generator: np.random.Generator) -> Arrays:
    return {
        "ids": generator.integers(0, 50, (40, 6)),
        "extra": generator.standard_normal((40, 6, 16)).astype(np.float32),
    }


def make(model: LoadedModel, recipe: Recipe, inputs: Arrays) -> MadeVariant | Refusal:
    def samples() -> Iterator[Arrays]:
        yield inputs

    return make_variant(model, recipe, calibration=samples, calibration_digest=DIGEST, seed=1)


def made(model: LoadedModel, recipe: Recipe, inputs: Arrays) -> MadeVariant:
    result = make(model, recipe, inputs)
    assert isinstance(result, MadeVariant), result
    return result


def keeping(recipe: Recipe, node: str) -> Recipe:
    """The recipe with one node in float."""
    assert recipe.quantization is not None
    quantization = msgspec.structs.replace(recipe.quantization, float_nodes=(node,))
    return msgspec.structs.replace(recipe, quantization=quantization)


def stored(data: bytes) -> dict[str, np.dtype[Any]]:
    graph = onnx.load_from_string(data).graph
    return {t.name: numpy_helper.to_array(t).dtype for t in graph.initializer if len(t.dims) > 1}


@pytest.mark.parametrize(
    ("recipe", "limits"),
    [(FLOAT16, (np.float16, 0.6, 2e-3)), (INT8_WEIGHTS, (np.int8, 0.5, 3e-2))],
    ids=["float16", "int8-weights"],
)
def test_what_is_stored_is_small_and_what_is_computed_is_near(
    recipe: Recipe,
    limits: tuple[type[np.generic], float, float],
    net: ModelProto,
    inputs: Arrays,
    loaded: Load,
) -> None:
    kind, ratio, tolerance = limits
    result = made(loaded(net), recipe, inputs)
    weights = [dtype for name, dtype in stored(result.data).items() if "scale" not in name]
    assert weights == [np.dtype(kind)] * 3
    assert len(result.data) < ratio * net.ByteSize()
    assert result.variant.calibration is None
    expected = Executor(net).run(inputs)["y"]
    found = Executor(onnx.load_from_string(result.data), optimized=True).run(inputs)["y"]
    assert 0 < np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def test_the_engine_unpacks_stored_weights_once(
    net: ModelProto, inputs: Arrays, loaded: Load, tmp_path: Path
) -> None:
    for recipe in (FLOAT16, INT8_WEIGHTS):
        operators = optimized(made(loaded(net), recipe, inputs).data, tmp_path)
        assert operators["Cast"] == operators["Mul"] == 0


def optimized(data: bytes, folder: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)


def test_dynamic_products_fuse_and_are_near(
    net: ModelProto, inputs: Arrays, loaded: Load, tmp_path: Path
) -> None:
    result = made(loaded(net), DYNAMIC, inputs)
    operators = optimized(result.data, tmp_path)
    assert operators["DynamicQuantizeMatMul"] == 2
    assert operators["MatMul"] == operators["MatMulInteger"] == 0
    expected = Executor(net).run(inputs)["y"]
    found = Executor(onnx.load_from_string(result.data), optimized=True).run(inputs)["y"]
    assert 0 < np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


def test_dynamic_weights_keep_the_promise_of_the_reduced_range(
    net: ModelProto, inputs: Arrays, loaded: Load
) -> None:
    graph = onnx.load_from_string(made(loaded(net), DYNAMIC, inputs).data).graph
    weights = [numpy_helper.to_array(t).astype(np.int64) for t in graph.initializer]
    products = [w for w in weights if w.ndim == 2 and w.shape != (50, 16)]
    assert [w.shape for w in products] == [(16, 32), (32, 8)]
    for weight in products:
        assert (np.abs(neighbor_sums(weight.T.astype(np.float64))) * 255 <= 2**15 - 1).all()


def test_gemm_with_a_transposed_weight_and_a_bias(
    parse: Callable[..., ModelProto], generator: np.random.Generator, loaded: Load
) -> None:
    weights = {
        "w": generator.standard_normal((5, 16)).astype(np.float32),
        "b": generator.standard_normal(5).astype(np.float32),
    }
    model = parse("g (float[n,16] x) => (float[n,5] y) { y = Gemm <transB=1> (x, w, b) }", weights)
    x = {"x": generator.standard_normal((30, 16)).astype(np.float32)}
    result = made(loaded(model), DYNAMIC, x)
    found = Executor(onnx.load_from_string(result.data), optimized=True).run(x)["y"]
    np.testing.assert_allclose(found, x["x"] @ weights["w"].T + weights["b"], atol=0.15)


@pytest.mark.parametrize("recipe", [INT8_WEIGHTS, DYNAMIC], ids=lambda recipe: recipe.name)
def test_named_nodes_stay_in_float(
    recipe: Recipe, net: ModelProto, inputs: Arrays, loaded: Load
) -> None:
    net.graph.node[2].name = "keep me"
    chosen = keeping(recipe, "keep me")
    result = made(loaded(net), chosen, inputs)
    assert stored(result.data)["w1"] == np.float32
    assert np.dtype(np.int8) in stored(result.data).values()


def test_a_node_that_does_not_exist_is_a_refusal_with_the_nearest_name(
    net: ModelProto, inputs: Arrays, loaded: Load
) -> None:
    net.graph.node[2].name = "block/product"
    refusal = make(loaded(net), keeping(DYNAMIC, "block/produkt"), inputs)
    assert isinstance(refusal, Refusal)
    assert "no node `block/produkt`" in refusal.reason


@pytest.mark.parametrize("recipe", [FLOAT16, INT8_WEIGHTS, DYNAMIC], ids=lambda r: r.name)
def test_nothing_to_change_is_a_refusal(
    recipe: Recipe, parse: Callable[..., ModelProto], loaded: Load
) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y) { y = Relu (x) }")
    refusal = make(loaded(model), recipe, {"x": np.ones((3, 2), np.float32)})
    assert isinstance(refusal, Refusal)
    assert refusal.reason


def test_numbers_beyond_half_precision_stay_as_they_are(
    parse: Callable[..., ModelProto], loaded: Load
) -> None:
    weights = {
        "w": np.full((16, 16), 1e6, np.float32),
        "v": np.full((16, 16), 0.5, np.float32),
    }
    model = parse(
        "g (float[n,16] x) => (float[n,16] y) { h = MatMul (x, w) y = MatMul (h, v) }", weights
    )
    result = made(loaded(model), FLOAT16, {"x": np.ones((3, 16), np.float32)})
    assert sorted(map(str, stored(result.data).values())) == ["float16", "float32"]
    (record,) = (each for each in result.variant.passes if each.name == "store-float16")
    assert "1 have numbers beyond its range" in record.detail


def test_a_precision_without_its_data_types_is_a_mistake(
    net: ModelProto, inputs: Arrays, loaded: Load
) -> None:
    with pytest.raises(UsageError, match=r"without its \[quantization\]"):
        make(loaded(net), Recipe(name="x", precision="int8-dynamic"), inputs)
