"""What the emulation foretells for this CPU is what ONNX Runtime gives, whatever the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.variant import Recipe
from edgeworthy.graph import load_model
from edgeworthy.optimization import MadeVariant, make_variant, recipes_for
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.recipes import dynamic_recipe
from hostile_models.architectures import ARCHITECTURES
from hostile_models.build import Arrays
from hostile_models.odd import ODD

Made = tuple[bytes, Arrays]
HERE = host_fingerprint(runtime_versions=()).instruction_set
#: Two convolutions and what follows them.
KEPT = ("Conv", "Relu", "Conv_1", "Relu_1")
RECIPES = recipes_for(["x86-vnni", "x86-avx2", "arm-neon"])[1:]
MODELS = {
    **ARCHITECTURES,
    **{name: ODD[name] for name in ("constant results", "results before and after a ReLU")},
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("name", MODELS)
def test_the_same_answers(name: str, recipe: Recipe, tmp_path: Path) -> None:
    assert_foretold(*variant(name, recipe, tmp_path / "model.onnx"))


@pytest.mark.parametrize("name", ["attention", "one axis", "recurrent", "three dense layers"])
def test_the_same_answers_where_activations_are_quantized_as_they_come(
    name: str, tmp_path: Path
) -> None:
    assert_foretold(*variant(name, dynamic_recipe(HERE), tmp_path / "model.onnx"))


def variant(name: str, recipe: Recipe, path: Path) -> Made:
    """A variant's file, and samples for it."""
    build = MODELS[name]
    samples = build.samples(32)
    path.write_bytes(build.model().SerializeToString())

    def batches() -> Iterator[Arrays]:
        yield {key: values[:16] for key, values in samples.items()}

    made = make_variant(
        load_model(path),
        recipe,
        calibration=batches,
        calibration_digest="sha256:" + "c" * 64,
        seed=1,
    )
    assert isinstance(made, MadeVariant)
    return made.data, samples


def assert_foretold(data: bytes, samples: Arrays) -> None:
    foretold = Emulator(data, HERE).run(samples)
    actual = Executor(onnx.load_from_string(data), optimized=True).run(samples)
    assert foretold.keys() == actual.keys()
    for output, values in actual.items():
        # Integer arithmetic is equal bit for bit; float operators may be fused in another way.
        near = 1e-5 * float(np.abs(values).max())
        np.testing.assert_allclose(foretold[output], values, rtol=0, atol=near)


def test_a_float_stem_gives_the_same_bits(tmp_path: Path) -> None:
    """Its last bits decide between two integers, and layers behind it carry that on."""
    draw = np.random.default_rng(7)
    shapes = {"stem": (32, 3, 3, 3), "second": (32, 32, 3, 3), "third": (32, 32, 3, 3)}
    weights = {name: draw.standard_normal(shape) * 0.2 for name, shape in shapes.items()}
    text = """<ir_version: 8, opset_import: ["" : 17]>
        net (float[n,3,48,48] x) => (float[n,32] y) {
            a = Conv <pads=[1,1,1,1]> (x, stem)
            b = Relu (a)
            c = Conv <pads=[1,1,1,1]> (b, second)
            d = Relu (c)
            e = Conv <pads=[1,1,1,1]> (d, third)
            f = Relu (e)
            y = ReduceMean <axes=[2,3], keepdims=0> (f)
        }"""
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(values.astype(np.float32), name)
        for name, values in weights.items()
    )
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    x = draw.standard_normal((12, 3, 48, 48)).astype(np.float32)
    recipe = recipes_for([HERE])[1]
    assert recipe.quantization is not None
    made = make_variant(
        load_model(path),
        msgspec.structs.replace(
            recipe,
            quantization=msgspec.structs.replace(recipe.quantization, float_nodes=KEPT),
        ),
        calibration=lambda: iter([{"x": x[:4]}]),
        calibration_digest="sha256:" + "c" * 64,
        seed=1,
    )
    assert isinstance(made, MadeVariant)
    emulator, executor = Emulator(made.data, HERE), Executor(made.data, optimized=True)
    for sample in np.split(x, len(x)):
        foretold, actual = emulator.run({"x": sample})["y"], executor.run({"x": sample})["y"]
        np.testing.assert_array_equal(foretold, actual)
