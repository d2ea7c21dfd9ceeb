"""A small transformer whose normalization has outliers, from float file to integer file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.variant import Recipe
from edgeworthy.graph import LoadedModel
from edgeworthy.optimization import MadeVariant, make_variant
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.recipes import dynamic_recipe, recipes_for

Arrays = dict[str, NDArray[Any]]
Parse = Callable[..., ModelProto]
Load = Callable[[ModelProto], LoadedModel]
HERE = host_fingerprint(runtime_versions=()).instruction_set
WORDS, WIDTH = 3000, 32
TEXT = """net (int64[n,6] ids) => (float[n,6,32] y) {
  e = Gather (table, ids) h = LayerNormalization (e, scale, shift)
  q = MatMul (h, wq) k = MatMul (h, wk) v = MatMul (h, wv)
  t = Transpose <perm=[0,2,1]> (k) s = MatMul (q, t) d = Mul (s, root) p = Softmax (d)
  m = MatMul (p, v) o = MatMul (m, wo) r = Add (o, h) y = LayerNormalization (r, one, shift)
}"""


@pytest.fixture
def net(parse: Parse, generator: np.random.Generator) -> ModelProto:
    weights = {
        name: generator.standard_normal((WIDTH, WIDTH)) / 6 for name in ("wq", "wk", "wv", "wo")
    }
    scale = np.ones(WIDTH)
    scale[4] = 60.0
    for name in ("wq", "wk", "wv"):
        weights[name][4] /= 60.0
    weights |= {
        "table": generator.standard_normal((WORDS, WIDTH)),
        "scale": scale,
        "one": np.where(scale > 1, 0.05, 1.0),
        "shift": np.zeros(WIDTH),
        "root": np.array(0.2),
    }
    return parse(TEXT, {name: values.astype(np.float32) for name, values in weights.items()})


@pytest.fixture
def ids(generator: np.random.Generator) -> NDArray[np.int64]:
    return np.asarray(generator.integers(0, WORDS, (48, 6)))


def made(model: LoadedModel, recipe: Recipe, ids: NDArray[np.int64]) -> MadeVariant:
    def samples() -> Iterator[Arrays]:
        yield {"ids": ids[:32]}

    digest = "sha256:" + "c" * 64
    result = make_variant(model, recipe, calibration=samples, calibration_digest=digest, seed=1)
    assert isinstance(result, MadeVariant), result
    return result


def careless(recipe: Recipe) -> Recipe:
    assert recipe.quantization is not None
    plain = msgspec.structs.replace(recipe.quantization, outlier_care=False)
    return msgspec.structs.replace(recipe, quantization=plain)


def error(net: ModelProto, data: bytes, ids: NDArray[np.int64]) -> float:
    """Mean square error on sentences that calibration did not see."""
    found, expected = (
        Executor(each, optimized=True).run({"ids": ids[32:]})["y"]
        for each in (onnx.load_from_string(data), net)
    )
    return float(np.square(found - expected).mean())


@pytest.mark.parametrize(
    "recipe", [recipes_for([HERE])[1], dynamic_recipe(HERE)], ids=["static", "dynamic"]
)
def test_less_is_lost_with_care_and_the_record_says_what_was_done(
    recipe: Recipe, net: ModelProto, ids: NDArray[np.int64], loaded: Load
) -> None:
    with_care, without = (made(loaded(net), each, ids) for each in (recipe, careless(recipe)))
    assert error(net, with_care.data, ids) < error(net, without.data, ids) / 3
    details = {record.name: record.detail for record in with_care.variant.passes}
    assert details["smooth"].startswith("outliers of 1 of 2 tensors moved into weights, 1 mult")
    assert details["store-int8-tables"].startswith("1 tables in bytes")
    assert "smooth" not in {record.name for record in without.variant.passes}
    if recipe.precision == "int8-static":
        assert details["calibrate"].endswith("minmax before products)")


@pytest.mark.parametrize(
    "recipe", [recipes_for([HERE])[1], dynamic_recipe(HERE)], ids=["static", "dynamic"]
)
def test_what_comes_is_foretold_bit_for_bit(
    recipe: Recipe, net: ModelProto, ids: NDArray[np.int64], loaded: Load
) -> None:
    data = made(loaded(net), recipe, ids).data
    inputs = {"ids": ids[32:33]}
    actual = Executor(data, optimized=True).run(inputs)["y"]
    np.testing.assert_array_equal(Emulator(data, HERE).run(inputs)["y"], actual)
