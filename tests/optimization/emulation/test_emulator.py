"""The emulation against ONNX Runtime itself: on this CPU, and on CPUs of three other classes.

``reference.npz`` holds integer models and what ONNX Runtime gave for them in QEMU as a Haswell, a
Cortex-A72 and a Neoverse N1; ``benchmarks/emulation_reference.py`` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.device import InstructionSet
from edgeworthy.errors import InferenceError
from edgeworthy.graph import LoadedModel
from edgeworthy.optimization import MadeVariant, make_variant, recipes_for
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.dynamic_int8 import quantize_dynamically
from edgeworthy.optimization.quantization.weight_scales import full_scales, pair_safe_scales

Arrays = dict[str, NDArray[Any]]
Parse = Callable[..., ModelProto]
REFERENCE = Path(__file__).with_name("reference.npz")
PAIRS = ("u8s8", "u8s8-r7", "s8s8", "u8u8", "u8s8-per-tensor")
SATURATING = {"u8s8", "s8s8", "u8s8-per-tensor"}
EMULATED: tuple[InstructionSet, ...] = ("x86-avx2", "arm-neon", "arm-dotprod")
HERE = host_fingerprint(runtime_versions=()).instruction_set


@pytest.fixture(scope="module")
def reference() -> Arrays:
    with np.load(REFERENCE) as archive:
        return dict(archive)


def cases(reference: Arrays) -> list[str]:
    return sorted(key.removesuffix(":model") for key in reference if key.endswith(":model"))


@pytest.mark.parametrize("instruction_set", EMULATED)
def test_what_the_engine_gave_on_other_cpus_bit_for_bit(
    instruction_set: InstructionSet, reference: Arrays
) -> None:
    """ONNX Runtime in an emulator that plays a CPU of that class."""
    found = cases(reference)
    assert len(found) == len(PAIRS) + 2 * 14
    for case in found:
        emulator = Emulator(reference[f"{case}:model"].tobytes(), instruction_set)
        outputs = emulator.run({"x": reference[f"{case}:x"]})
        for name, values in outputs.items():
            expected = reference[f"{case}:{instruction_set}:{name}"]
            np.testing.assert_array_equal(values, expected, err_msg=case)


@pytest.mark.parametrize("pair", PAIRS)
def test_only_the_full_range_saturates_without_vnni(pair: str, reference: Arrays) -> None:
    emulator = Emulator(reference[f"{pair}:model"].tobytes(), "x86-avx2")
    emulator.run({"x": reference[f"{pair}:x"]})
    saturated = sum(tally.saturated_count for tally in emulator.tallies.values())
    assert (saturated > 0) == (pair in SATURATING)


@pytest.mark.parametrize(
    ("case", "wrapping"),
    [
        ("shallow, uint8 by int8, ends", {"arm-neon"}),
        ("shallow, int8 by int8, ends", set()),
        ("shallow, int8 by int8, ends, asymmetric", {"arm-neon"}),
        ("deep, int8 by int8, ends", {"arm-neon"}),
        ("MatMulInteger, 37 by 5, int8 by int8, ends", {"arm-neon"}),
        ("depthwise of 16, 3x3, int8 by int8, ends", {"arm-neon", "arm-dotprod"}),
        ("depthwise of 12, 3x3, uint8 by int8, ends", set()),
        ("u8s8", set()),  # the quantizer gives no weight of -128
    ],
)
def test_where_the_lowest_bytes_wrap(case: str, wrapping: set[str], reference: Arrays) -> None:
    for instruction_set in ("arm-neon", "arm-dotprod"):
        emulator = Emulator(reference[f"{case}:model"].tobytes(), instruction_set)
        emulator.run({"x": reference[f"{case}:x"]})
        tallies = emulator.tallies.values()
        wrapped = sum(tally.saturated_count for tally in tallies)
        changed = sum(tally.changed_count for tally in tallies)
        assert (wrapped > 0) == (changed > 0) == (instruction_set in wrapping)


@pytest.mark.parametrize("pair", PAIRS)
def test_this_cpu_bit_for_bit(pair: str, reference: Arrays) -> None:
    data = reference[f"{pair}:model"].tobytes()
    x = {"x": reference[f"{pair}:x"]}
    found = Emulator(data, HERE).run(x)
    expected = Executor(onnx.load_from_string(data), optimized=True).run(x)
    for name in ("y", "m"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_few_windows_at_a_time_change_nothing(
    reference: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = reference["u8s8:model"].tobytes()
    whole = Emulator(data, "x86-avx2")
    expected = whole.run({"x": reference["u8s8:x"]})
    monkeypatch.setattr(
        "edgeworthy.optimization.emulation.kernels.convolution._MOST_WINDOW_BYTES", 1
    )
    single = Emulator(data, "x86-avx2")
    np.testing.assert_array_equal(single.run({"x": reference["u8s8:x"]})["y"], expected["y"])
    for name, tally in single.tallies.items():
        assert tally.saturated_count == whole.tallies[name].saturated_count


@pytest.mark.parametrize("instruction_set", ["x86-vnni", "arm-neon", "arm-dotprod"])
def test_exact_classes_agree_up_to_how_scores_are_rounded(
    instruction_set: InstructionSet, reference: Arrays
) -> None:
    data = reference["u8s8:model"].tobytes()
    found = Emulator(data, instruction_set).run({"x": reference["u8s8:x"]})
    expected = Emulator(data, "x86-vnni").run({"x": reference["u8s8:x"]})
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-5)


@pytest.mark.parametrize("index", [1, 2, 3])
def test_every_recipe_of_ours(
    index: int,
    conv_net: ModelProto,
    samples: Callable[[], Iterator[Arrays]],
    loaded: Callable[[ModelProto], LoadedModel],
) -> None:
    recipe = recipes_for(["x86-vnni", "x86-avx2", "arm-neon"])[index]
    made = make_variant(
        loaded(conv_net), recipe, calibration=samples, calibration_digest="sha256:0", seed=1
    )
    assert isinstance(made, MadeVariant)
    executor = Executor(onnx.load_from_string(made.data), optimized=True)
    emulator = Emulator(made.data, HERE)
    for batch in samples():
        np.testing.assert_allclose(
            emulator.run(batch)["y"], executor.run(batch)["y"], rtol=0, atol=1e-6
        )


def test_the_reduced_range_never_saturates(
    conv_net: ModelProto,
    samples: Callable[[], Iterator[Arrays]],
    loaded: Callable[[ModelProto], LoadedModel],
) -> None:
    made = make_variant(
        loaded(conv_net),
        recipes_for(["x86-avx2"])[1],
        calibration=samples,
        calibration_digest="sha256:0",
        seed=1,
    )
    assert isinstance(made, MadeVariant)
    emulator = Emulator(made.data, "generic")
    for batch in samples():
        emulator.run({"x": batch["x"] * 100})
    assert {tally.saturated_count for tally in emulator.tallies.values()} == {0}


def test_a_float_model_runs_as_it_is(
    conv_net: ModelProto, samples: Callable[[], Iterator[Arrays]]
) -> None:
    batch = next(samples())
    emulator = Emulator(conv_net.SerializeToString(), "arm-neon")
    found = emulator.run(batch)
    np.testing.assert_allclose(found["y"], Executor(conv_net).run(batch)["y"], atol=1e-5)
    assert not emulator.tallies


def test_inner_graphs_and_products_of_computed_tensors(
    parse: Parse, generator: np.random.Generator
) -> None:
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[2,3,4] x, bool flag) => (float[2,3,3] y)
    <float s = {0.02}, uint8 z = {128}, float o = {0.05}>
    {
      a = QuantizeLinear (x, s, z)
      t = Transpose <perm=[0,2,1]> (x)
      b = QuantizeLinear (t, s, z)
      p = QLinearMatMul (a, s, z, b, s, z, o, z)
      d = DequantizeLinear (p, o, z)
      y = If (flag) <
        then_branch = yes () => (float[2,3,3] r) { r = Neg (d) },
        else_branch = no () => (float[2,3,3] q) { q = Identity (d) }
      >
    }
    """
    model = parse(text)
    x = generator.standard_normal((2, 3, 4)).astype(np.float32)
    inputs = {"x": x, "flag": np.array(True)}  # noqa: FBT003 - a tensor
    found = Emulator(model.SerializeToString(), "x86-avx2").run(inputs)["y"]
    np.testing.assert_allclose(found, Executor(model).run(inputs)["y"], atol=1e-6)
    assert np.abs(found).max() > 0


def test_a_gemm_with_factors_and_transposes(parse: Parse, generator: np.random.Generator) -> None:
    node = helper.make_node(
        "QGemm",
        ["a", "s", "az", "b", "s", "bz", "c"],
        ["y"],
        domain="com.microsoft",
        transA=1,
        transB=1,
        alpha=0.5,
    )
    model = parse(
        "net (uint8[4,3] a) => (float[3,2] y) { y = Cast <to=1> (a) }",
        {
            "s": np.float32(0.1),
            "az": np.uint8(7),
            "bz": np.uint8(9),
            "b": generator.integers(0, 255, (2, 4), dtype=np.uint8),
            "c": np.array([3, -4], dtype=np.int32),
        },
    )
    model.graph.node[0].CopyFrom(node)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    inputs = {"a": generator.integers(0, 255, (4, 3), dtype=np.uint8)}
    found = Emulator(model.SerializeToString(), "x86-vnni").run(inputs)["y"]
    np.testing.assert_allclose(found, Executor(model).run(inputs)["y"], rtol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("reduced", [True, False])
def test_products_that_are_quantized_as_they_come(
    reduced: bool,  # noqa: FBT001 - a case
    bias: bool,  # noqa: FBT001 - a case
    parse: Parse,
    generator: np.random.Generator,
) -> None:
    """In the full range they saturate on a CPU without VNNI, in the reduced one nowhere."""
    weight = (0.5 + generator.random((32, 6)) / 2).astype(np.float32)
    weights = {"w": weight, **({"b": np.ones(6, np.float32)} if bias else {})}
    body = f"y = Gemm (x, w{', b' if bias else ''})"
    model = parse(f"net (float[n,32] x) => (float[n,6] y) {{ {body} }}", weights)
    model.graph.node[0].name = "dense"
    rule = pair_safe_scales if reduced else full_scales
    data = quantize_dynamically(model, ["dense"], {"w": rule(weight, axis=1)}).SerializeToString()
    x = {"x": (0.8 + generator.random((20, 32)) / 5).astype(np.float32)}
    emulator = Emulator(data, HERE)
    here = Executor(onnx.load_from_string(data), optimized=True).run(x)["y"]
    np.testing.assert_allclose(emulator.run(x)["y"], here, rtol=1e-5)
    without = Emulator(data, "x86-avx2")
    lost = np.abs(without.run(x)["y"] - x["x"] @ weight - (1.0 if bias else 0.0)).max()
    assert (sum(tally.saturated_count for tally in without.tallies.values()) == 0) == reduced
    assert (lost < 0.5) == reduced


def test_bare_integer_products(parse: Parse, generator: np.random.Generator) -> None:
    text = """net (uint8[n,4,8] a, int8[8,3] b, uint8 z) => (int32[n,4,3] y) {
        y = MatMulInteger (a, b, z) }"""
    data = parse(text).SerializeToString()
    inputs = {
        "a": generator.integers(0, 256, (2, 4, 8), dtype=np.uint8),
        "b": generator.integers(-128, 128, (8, 3), dtype=np.int8),
        "z": np.array(7, np.uint8),
    }
    found = Emulator(data, "x86-vnni").run(inputs)["y"]
    expected = (inputs["a"].astype(np.int64) - 7) @ inputs["b"].astype(np.int64)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int32


def test_a_product_that_we_cannot_emulate_is_an_error(parse: Parse) -> None:
    text = (
        "net (uint8[1,1,2,2] a, uint8[1,1,1,1] b) => (int32[1,1,2,2] y) { y = ConvInteger (a, b) }"
    )
    with pytest.raises(InferenceError, match="ConvInteger` is not known"):
        Emulator(parse(text).SerializeToString(), "x86-avx2")


def test_a_file_that_the_engine_cannot_load() -> None:
    with pytest.raises(InferenceError, match="cannot load"):
        Emulator(b"nonsense", "x86-avx2")
