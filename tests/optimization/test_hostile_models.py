"""Any model gets a clear answer: a file that does what the model does, or the reason why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import ModelFileError
from edgeworthy.graph import load_model
from edgeworthy.optimization import MadeVariant, Refusal, make_variant, recipes_for
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.recipes import FLOAT16, INT8_WEIGHTS, cascade_recipe, dynamic_recipe
from hostile_models.architectures import ARCHITECTURES
from hostile_models.build import Arrays, Build
from hostile_models.odd import ODD

MODELS = {**ARCHITECTURES, **ODD}
FLOAT, FULL, REDUCED, SIGNED = recipes_for(["x86-vnni", "x86-avx2", "arm-neon"])
#: Least ratio of signal to error, in decibels. Full-range integers are at the mercy of the CPU:
#: without VNNI their sums saturate. What they give is only looked at for being finite.
LEAST_DB = {
    FLOAT: 90.0,
    FLOAT16: 50.0,
    INT8_WEIGHTS: 28.0,
    dynamic_recipe("x86-avx2"): 28.0,
    REDUCED: 13.0,
    cascade_recipe(REDUCED): 13.0,
    FULL: -np.inf,
    SIGNED: -np.inf,
}


def answer(model: ModelProto, samples: Arrays, recipe: Recipe, path: Path) -> MadeVariant | Refusal:
    path.write_bytes(model.SerializeToString())

    def batches() -> Iterator[Arrays]:
        for first in range(0, 24, 8):
            yield {name: values[first : first + 8] for name, values in samples.items()}

    return make_variant(
        load_model(path),
        recipe,
        calibration=batches,
        calibration_digest="sha256:" + "c" * 64,
        seed=1,
    )


def decibels(expected: NDArray[Any], found: NDArray[Any]) -> float:
    error = np.square(expected.astype(np.float64) - found).sum()
    return float(10.0 * np.log10((np.square(expected.astype(np.float64)).sum() + 1e-12) / error))


@pytest.mark.parametrize("recipe", LEAST_DB, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("name", MODELS)
def test_a_file_that_does_what_the_model_does_or_a_reason(
    name: str, recipe: Recipe, tmp_path: Path
) -> None:
    build = MODELS[name]
    model, samples = build.model(), build.samples()
    result = answer(model, samples, recipe, tmp_path / "model.onnx")
    if isinstance(result, Refusal):
        assert_expected(result, build)
        return
    assert not (build.refusal and recipe.precision == "int8-static")
    expected = Executor(model).run(samples)
    found = Executor(onnx.load_from_string(result.data), optimized=True).run(samples)
    assert found.keys() == expected.keys()
    for output, values in expected.items():
        assert found[output].shape == values.shape
        if values.dtype == np.float32:
            assert np.isfinite(found[output]).all()
            with np.errstate(divide="ignore"):
                assert decibels(values, found[output]) >= LEAST_DB[recipe], output


def assert_expected(result: Refusal, build: Build) -> None:
    """Static int8 is refused for the stated reason alone, the others where they have no work."""
    if result.recipe.precision == "int8-cascade" and "this model has none" in result.reason:
        return
    if result.recipe.precision in {"int8-static", "int8-cascade"}:
        assert build.refusal
        assert build.refusal in result.reason
    else:
        nothing_to_do = ("no larger float32", "no MatMul or Gemm with constant", "no Conv, Gemm")
        assert result.recipe.precision != "float32"
        assert any(text in result.reason for text in (*nothing_to_do, build.refusal or "no Conv,"))


@pytest.mark.parametrize("recipe", [REDUCED, cascade_recipe(REDUCED)], ids=lambda each: each.name)
@pytest.mark.parametrize("opset", range(11, 23))
def test_every_opset_with_operators_that_changed_on_the_way(
    opset: int, recipe: Recipe, tmp_path: Path
) -> None:
    build = ODD["operators as opset 11 had them"]
    model = onnx.version_converter.convert_version(build.model(), opset)
    samples = build.samples()
    result = answer(model, samples, recipe, tmp_path / "model.onnx")
    assert isinstance(result, MadeVariant), result
    made = onnx.load_from_string(result.data)
    assert made.opset_import[0].version == max(opset, 13)
    found = Executor(made, optimized=True).run(samples)["y"]
    assert decibels(Executor(build.model()).run(samples)["y"], found) > 20.0


def test_an_operator_that_no_engine_knows(tmp_path: Path) -> None:
    build = Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = MatMul (x, w1)
            y = acme.Magic (a)
        }""",
        {"x": (6,)},
        {"w1": (6, 6)},
        domains=', "acme" : 1',
    )
    for recipe in (FLOAT, REDUCED):
        with pytest.raises(ModelFileError, match=r"acme:Magic.*standard ONNX operators") as caught:
            answer(build.model(), build.samples(), recipe, tmp_path / "model.onnx")
        assert str(tmp_path) in caught.value.where


@pytest.mark.parametrize("recipe", [FULL, REDUCED, SIGNED, dynamic_recipe("x86-avx2")])
def test_what_was_quantized_already_is_left_alone(recipe: Recipe, tmp_path: Path) -> None:
    build = ARCHITECTURES["residual network"]
    made = answer(build.model(), build.samples(), REDUCED, tmp_path / "model.onnx")
    assert isinstance(made, MadeVariant)
    quantized = onnx.load_from_string(made.data)
    again = answer(quantized, build.samples(), recipe, tmp_path / "model.onnx")
    assert isinstance(again, Refusal)
    assert "already quantized: it has DequantizeLinear, QuantizeLinear" in again.reason
    float_again = answer(quantized, build.samples(), FLOAT, tmp_path / "model.onnx")
    assert isinstance(float_again, MadeVariant)


@pytest.mark.parametrize("size", [1 << 31, 3 << 30], ids=["2 GiB", "3 GiB"])
def test_weights_beyond_2_gib_in_a_file_of_their_own(size: int, tmp_path: Path) -> None:
    with (tmp_path / "weights.bin").open("wb") as stream:
        stream.truncate(size)  # a sparse file: it takes no room
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 10, size // (4 << 10)])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    length = 4 * weight.dims[0] * weight.dims[1]
    weight.external_data.add(key="length", value=str(length))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1 << 10])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", weight.dims[1]])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "large.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="external data is too large") as caught:
        load_model(path)
    assert caught.value.where == str(path)
    assert caught.value.found == f"{length} bytes"
    assert caught.value.next_step
