"""From a model and a recipe to a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import DatasetError, ModelFileError, OptimizationError
from edgeworthy.files import digest_bytes
from edgeworthy.graph import LoadedModel
from edgeworthy.optimization import MadeVariant, Refusal, make_variant, recipes_for
from edgeworthy.optimization import variants as variants_module
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import Pass, Rewrite, changed
from edgeworthy.optimization.recipes import int8_recipe
from edgeworthy.optimization.wiring import editable

Arrays = dict[str, NDArray[Any]]
Samples = Callable[[], Iterator[Arrays]]
Load = Callable[[ModelProto], LoadedModel]
FLOAT, INTEGER, REDUCED, SIGNED = recipes_for(["x86-vnni", "x86-avx2", "arm-neon"])
DIGEST = "sha256:" + "c" * 64


def make(
    model: LoadedModel, recipe: Recipe, samples: Samples, *, seed: int = 1
) -> MadeVariant | Refusal:
    return make_variant(model, recipe, calibration=samples, calibration_digest=DIGEST, seed=seed)


def made(model: LoadedModel, recipe: Recipe, samples: Samples, *, seed: int = 1) -> MadeVariant:
    result = make(model, recipe, samples, seed=seed)
    assert isinstance(result, MadeVariant), result
    return result


def test_the_float_variant_is_proved_equal(
    conv_net: ModelProto, samples: Samples, loaded: Load
) -> None:
    result = made(loaded(conv_net), FLOAT, samples)
    record = result.variant
    assert (record.name, record.original) == ("float32", "sha256:" + "a" * 64)
    assert record.artifact == digest_bytes(result.data)
    assert record.size_bytes == len(result.data) < conv_net.ByteSize()
    assert record.calibration is None
    assert record.equivalence is not None
    assert record.equivalence.sample_count == 36  # 32 samples and 4 generated
    assert record.equivalence.seed == 1
    assert record.equivalence.largest_difference <= record.equivalence.tolerance == 1e-4
    done = {entry.name: entry for entry in record.passes if entry.changed}
    assert done.keys() == {"fold-batch-norm", "remove-unused-initializers"}
    assert [v.split()[0] for v in record.tool_versions] == [
        "edgeworthy",
        "numpy",
        "onnx",
        "onnxruntime",
    ]


@pytest.mark.parametrize("recipe", [INTEGER, REDUCED, SIGNED], ids=lambda recipe: recipe.name)
def test_integer_variants_are_near_and_small(
    recipe: Recipe, conv_net: ModelProto, samples: Samples, loaded: Load
) -> None:
    result = made(loaded(conv_net), recipe, samples)
    assert result.variant.calibration == DIGEST
    assert result.variant.equivalence is None
    assert result.variant.recipe == recipe
    names = [entry.name for entry in result.variant.passes]
    assert names.index("calibrate") < names.index("quantize") < names.index("run")
    (batch, *_) = samples()
    found = Executor(onnx.load_from_string(result.data), optimized=True).run(batch)["y"]
    expected = Executor(conv_net).run(batch)["y"]
    assert np.abs(found - expected).max() < 0.05
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)  # the softmax is in float


@pytest.mark.parametrize("opset", range(11, 23))
def test_every_opset(opset: int, conv_net: ModelProto, samples: Samples, loaded: Load) -> None:
    model = editable(conv_net)
    model.opset_import[0].version = opset
    for recipe in (FLOAT, INTEGER):
        result = made(loaded(model), recipe, samples)
        assert onnx.load_from_string(result.data).opset_import[0].version == (
            opset if recipe is FLOAT else max(opset, 13)
        )


def test_progress_is_told_and_no_temporary_file_stays(
    conv_net: ModelProto,
    samples: Samples,
    loaded: Load,
    tmp_path: Any,  # noqa: ANN401 - a path
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    said: list[str] = []
    make_variant(
        loaded(conv_net),
        INTEGER,
        calibration=samples,
        calibration_digest=DIGEST,
        seed=1,
        progress=said.append,
    )
    assert said[0] == "inline-functions"
    assert {"calibration", "quantization"} <= set(said)
    assert not list(tmp_path.iterdir())


def test_the_original_stays_as_it_is(conv_net: ModelProto, samples: Samples, loaded: Load) -> None:
    before = conv_net.SerializeToString(deterministic=True)
    for recipe in (FLOAT, REDUCED):
        made(loaded(conv_net), recipe, samples)
    assert conv_net.SerializeToString(deterministic=True) == before


def test_the_batch_size_of_calibration_hardly_matters(
    conv_net: ModelProto, samples: Samples, loaded: Load
) -> None:
    values = np.concatenate([batch["x"] for batch in samples()])
    single = made(loaded(conv_net), REDUCED, lambda: iter([{"x": row[None]} for row in values]))
    together = made(loaded(conv_net), REDUCED, lambda: iter([{"x": values}]))
    left, right = (
        Executor(onnx.load_from_string(result.data)).run({"x": values})["y"]
        for result in (single, together)
    )
    assert np.abs(left - right).max() < 0.02


DETERMINISM = """
    import json, sys
    import numpy as np
    from pathlib import Path
    from edgeworthy.graph import load_model
    from edgeworthy.optimization import make_variant, recipes_for
    values = np.random.default_rng(5).standard_normal((40, 3, 8, 8)).astype(np.float32)
    digests = {}
    for recipe in recipes_for(["x86-vnni", "x86-avx2", "arm-neon"]):
        for _ in range(2):
            made = make_variant(
                load_model(Path(sys.argv[1])), recipe,
                calibration=lambda: iter([{"x": values[:20]}, {"x": values[20:]}]),
                calibration_digest="sha256:" + "c" * 64, seed=3,
            )
            digests.setdefault(recipe.name, []).append(made.variant.artifact)
    print(json.dumps(digests))
"""


def test_the_same_inputs_give_the_same_bytes_in_every_process(
    conv_net: ModelProto,
    tmp_path: Any,  # noqa: ANN401 - a path
) -> None:
    onnx.save(conv_net, tmp_path / "model.onnx")
    runs = [
        subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                textwrap.dedent(DETERMINISM),
                tmp_path / "model.onnx",
            ],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "271828")
    ]
    assert [run.stderr for run in runs] == ["", ""]
    first, second = (json.loads(run.stdout) for run in runs)
    assert first == second
    assert len(first) == 4
    assert all(len(set(digests)) == 1 for digests in first.values())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("y = Relu (x)", "there is nothing to gain"),
        (
            "q = QuantizeLinear (x, s, z) d = DequantizeLinear (q, s, z) y = MatMul (d, w)",
            "already quantized",
        ),
        (
            """h = MatMul (x, w) f = ReduceMax <keepdims=0> (h) c = Cast <to=9> (f)
            y = If (c) <then_branch = t () => (float[n,2] a) { a = Relu (h) },
                        else_branch = e () => (float[n,2] b) { b = Neg (h) }>""",
            "inside If",
        ),
        ("h = MatMul (x, w) l = Log (h) e = MatMul (l, v) y = Relu (e)", "is not finite"),
    ],
)
def test_refusals_leave_the_float_variant(
    body: str, reason: str, parse: Callable[..., ModelProto], loaded: Load
) -> None:
    weights = {
        "w": np.array([[1, 2], [3, -4]], np.float32),
        "v": np.ones((2, 2), np.float32),
        "s": np.array(0.5, np.float32),
        "z": np.array(0, np.uint8),
    }
    model = loaded(parse(f"g (float[n,2] x) => (float[n,2] y) {{ {body} }}", weights))
    samples = lambda: iter([{"x": np.array([[2.0, 1.0]], np.float32)}])  # noqa: E731 - one line
    refusal = make(model, INTEGER, samples)
    assert isinstance(refusal, Refusal)
    assert refusal.recipe is INTEGER
    assert reason in refusal.reason
    made(model, FLOAT, samples)


def test_an_opset_that_cannot_be_raised_is_refused(
    conv_net: ModelProto, samples: Samples, loaded: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: ModelProto, version: int) -> ModelProto:
        message = f"no adapter to {version} for {model.graph.name}"
        raise RuntimeError(message)

    monkeypatch.setattr("onnx.version_converter.convert_version", refuse)
    model = editable(conv_net)
    model.opset_import[0].version = 11
    refusal = make(loaded(model), INTEGER, samples)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "opset 11 cannot be raised to 13: no adapter to 13 for net"


def test_no_samples(conv_net: ModelProto, loaded: Load) -> None:
    with pytest.raises(DatasetError, match="no samples"):
        make(loaded(conv_net), INTEGER, lambda: iter([]))
    assert made(loaded(conv_net), FLOAT, lambda: iter([])).variant.equivalence is not None


def test_a_model_that_does_not_run_is_the_models_fault(
    parse: Callable[..., ModelProto], loaded: Load
) -> None:
    model = parse(
        '<ir_version: 8, opset_import: ["" : 17, "acme" : 1]> '
        "g (float[n,2] x) => (float[n,2] y) { y = acme.Magic (x) }"
    )
    with pytest.raises(ModelFileError, match="the model does not run") as caught:
        make(loaded(model), FLOAT, lambda: iter([]))
    assert caught.value.where == "model.onnx"


class Drift(Pass):
    """Adds a little that each proof alone lets pass."""

    name = "drift"

    def call(self, model: ModelProto) -> Rewrite:
        result = editable(model)
        for tensor in result.graph.initializer:
            values = onnx.numpy_helper.to_array(tensor) * np.float32(1 + 8e-5)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return changed(result, "drifted")


def test_small_differences_must_not_add_up(
    parse: Callable[..., ModelProto], loaded: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(
        parse(
            "g (float[n,2] x) => (float[n,2] y) { y = Mul (x, w) }", {"w": np.ones(2, np.float32)}
        )
    )
    samples = lambda: iter([{"x": np.ones((1, 2), np.float32)}])  # noqa: E731 - one line
    monkeypatch.setattr(variants_module, "CLEANING", (Drift(),))
    made(model, FLOAT, samples)
    monkeypatch.setattr(variants_module, "CLEANING", (Drift(), Drift(), Drift()))
    with pytest.raises(OptimizationError, match="all passes together") as caught:
        make(model, FLOAT, samples)
    assert caught.value.where == "drift, drift, drift"


def test_a_regression_keeps_its_resolution(
    parse: Callable[..., ModelProto], loaded: Load, generator: np.random.Generator
) -> None:
    """A dense output is not rounded to 256 steps and not cut off at what calibration saw."""
    weight = generator.standard_normal((16, 1)).astype(np.float32)
    model = parse("g (float[n,16] x) => (float[n,1] y) { y = Gemm (x, w) }", {"w": weight})
    x = generator.random((600, 16)).astype(np.float32)
    result = made(loaded(model), INTEGER, lambda: iter([{"x": x}]))
    found = Executor(onnx.load_from_string(result.data), optimized=True).run({"x": x})["y"]
    assert len(np.unique(found)) > 400


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ({"equalization": True}, "no convolution feeds a depthwise one"),
        ({"smoothing_alpha": 0.5}, "no product whose outliers could move"),
    ],
)
def test_an_option_that_finds_nothing_to_do_is_refused(
    option: dict[str, Any],
    reason: str,
    parse: Callable[..., ModelProto],
    loaded: Load,
    samples: Samples,
    generator: np.random.Generator,
) -> None:
    model = parse(
        "g (float[n,3,8,8] x) => (float[n,4,8,8] y) { y = Conv (x, w) }",
        {"w": generator.standard_normal((4, 3, 1, 1)).astype(np.float32)},
    )
    recipe = int8_recipe(msgspec.structs.replace(data_types_for("x86-vnni"), **option))
    result = make(loaded(model), recipe, samples)
    assert isinstance(result, Refusal)
    assert reason in result.reason


def test_a_dense_layer_before_one_that_is_too_noisy_gives_out_float(
    parse: Callable[..., ModelProto], loaded: Load
) -> None:
    # The last layer takes the difference of two large numbers, so that it and the one before it
    # stay in float; then so does the ReLU behind the first, whose range stood for that of `a`.
    generator = np.random.default_rng(0)
    wide = generator.standard_normal((64, 64)) / 10
    narrow = np.repeat(generator.standard_normal((64, 1)) / 10, 16, axis=1)
    last = generator.standard_normal((16, 4)) / 100
    last[0], last[1] = 40.0, -40.0
    weights = {"w": wide, "v": narrow + generator.standard_normal((64, 16)) / 1000, "u": last}
    model = parse(
        """g (float[n,64] x) => (float[n,4] y) {
        a = Gemm (x, w) r = Relu (a) b = Gemm (r, v, high) s = Relu (b) y = Gemm (s, u) }""",
        {name: value.astype(np.float32) for name, value in weights.items()}
        | {"high": np.full(16, 5.0, np.float32)},
    )
    x = generator.standard_normal((32, 64)).astype(np.float32)
    recipe = int8_recipe(msgspec.structs.replace(data_types_for("x86-vnni"), float_share=0.5))
    result = onnx.load_from_string(made(loaded(model), recipe, lambda: iter([{"x": x}])).data)
    kinds = Counter(node.op_type for node in result.graph.node)
    assert (kinds["Gemm"], kinds["Relu"], kinds["QuantizeLinear"]) == (3, 2, 1)
    expected, found = (Executor(each).run({"x": x})["y"] for each in (model, result))
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)
