"""QDQ graphs: data types, saturation, silence, failures."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.documents.device import InstructionSet
from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.calibration import TensorRange, observe_ranges
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import BEFORE_QUANTIZATION, CLEANING
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import QuantizationPlan, make_plan, quantize
from edgeworthy.optimization.quantization.static_int8 import Quantized
from edgeworthy.optimization.quantization.weight_scales import neighbor_sums

Arrays = dict[str, NDArray[Any]]
Samples = Callable[[], Iterator[Arrays]]


def quantized(
    model: ModelProto, samples: Samples, instruction_set: InstructionSet = "x86-vnni"
) -> Quantized:
    proof = Proof([next(samples())], seed=None)
    for rule in (*CLEANING, *BEFORE_QUANTIZATION):
        model = rule(model, proof).model
    plan = make_plan(model)
    ranges = observe_ranges(model, samples(), plan.activations, method="minmax")
    return quantize(model, plan, plan.with_implied(ranges), data_types_for(instruction_set))


def constants(model: ModelProto) -> Arrays:
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


def test_weights_are_bytes_and_outputs_are_near(conv_net: ModelProto, samples: Samples) -> None:
    result = quantized(conv_net, samples)
    assert result.weight_count == 3
    assert result.remarks == ()
    weights = [v for v in constants(result.model).values() if v.ndim > 1]
    assert [w.dtype for w in weights] == [np.int8] * 3
    (batch, *_) = samples()
    expected = Executor(conv_net).run(batch)["y"]
    found = Executor(result.model, optimized=True).run(batch)["y"]
    assert np.abs(found - expected).max() < 0.05


@pytest.mark.parametrize(
    ("instruction_set", "activations"),
    [("x86-vnni", np.uint8), ("x86-avx2", np.uint8), ("arm-dotprod", np.int8)],
)
def test_activations_have_the_type_of_the_recipe(
    instruction_set: InstructionSet,
    activations: type[np.generic],
    conv_net: ModelProto,
    samples: Samples,
) -> None:
    model = quantized(conv_net, samples, instruction_set).model
    values = constants(model)
    zero_points = {
        values[node.input[2]].dtype for node in model.graph.node if node.op_type == "QuantizeLinear"
    }
    assert zero_points == {np.dtype(activations)}


def test_reduced_weights_cannot_saturate(conv_net: ModelProto, samples: Samples) -> None:
    reduced, full = (
        constants(quantized(conv_net, samples, name).model) for name in ("x86-avx2", "x86-vnni")
    )
    weights = [name for name, value in reduced.items() if value.dtype == np.int8 and value.ndim > 1]
    assert len(weights) == 3
    for name in weights:
        axis = 1 if reduced[name].ndim == 2 else 0
        if full[name].shape == (8, 1, 3, 3):  # depthwise: widened before it is multiplied
            np.testing.assert_array_equal(reduced[name], full[name])
            continue
        rows = np.moveaxis(reduced[name], axis, 0)
        rows = rows if rows.ndim == 2 else np.moveaxis(rows, 1, -1)
        beside = neighbor_sums(rows.reshape(len(rows), -1).astype(np.float64))
        assert (255 * np.abs(beside) <= 2**15 - 1).all()
        assert np.abs(full[name].astype(int)).max() == 127


def test_the_engine_fuses_all_of_it_into_integer_kernels(
    conv_net: ModelProto, samples: Samples, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(
        quantized(conv_net, samples).model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )
    kernels = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kernels.count("QLinearConv") == 2
    assert kernels.count("QGemm") == 1
    assert "Conv" not in kernels
    assert "Gemm" not in kernels


def test_metadata_and_producer_stay_the_models_own(conv_net: ModelProto, samples: Samples) -> None:
    conv_net.producer_name, conv_net.producer_version = "trainer", "3"
    conv_net.metadata_props.add(key="labels", value="a,b")
    model = quantized(conv_net, samples).model
    assert (model.producer_name, model.producer_version) == ("trainer", "3")
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("labels", "a,b")]


def test_nothing_is_printed_or_logged(
    conv_net: ModelProto, samples: Samples, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, filters = list(root.handlers), list(root.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantized(conv_net, samples)
    assert capfd.readouterr() == ("", "")
    assert (root.handlers, root.filters) == (handlers, filters)


def test_what_the_quantizer_remarks_is_returned(
    parse: Callable[..., ModelProto], capfd: pytest.CaptureFixture[str]
) -> None:
    model = parse(
        "g (float[n,2] x, float[2] b) => (float[n,2] y) { y = Gemm (x, w, b) }",
        {"w": np.ones((2, 2), np.float32)},
    )
    model.graph.node[0].name = "product"
    plan = QuantizationPlan(nodes=("product",), activations=("x", "y"), implied={})
    ranges = dict.fromkeys(plan.activations, TensorRange(0.0, 1.0))
    (remark,) = quantize(model, plan, ranges, data_types_for("x86-vnni")).remarks
    assert remark.startswith("Bias of Gemm node 'product' is not constant")
    assert capfd.readouterr() == ("", "")


def test_a_failure_of_the_quantizer_is_ours(conv_net: ModelProto) -> None:
    plan = make_plan(conv_net)
    with pytest.raises(OptimizationError, match="quantizer failed"):
        quantize(conv_net, plan, {}, data_types_for("x86-vnni"))


def test_other_peoples_logging_goes_on(
    conv_net: ModelProto, samples: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    def chatty() -> Iterator[Arrays]:
        for batch in samples():
            logging.getLogger().warning("a batch")
            yield batch

    quantized(conv_net, chatty)
    assert "a batch" in caplog.messages


def test_constant_and_dead_channels_survive(
    parse: Callable[..., ModelProto], generator: np.random.Generator
) -> None:
    """A channel without weights, one whose activations never change, outputs all zero."""
    weight = generator.standard_normal((4, 3, 1, 1)).astype(np.float32)
    weight[0] = 0.0
    model = parse(
        """g (float[n,3,4,4] x) => (float[n,4,4,4] y) {
        c = Conv (x, w, b) r = Relu (c) z = Conv (r, w2) y = Relu (z) }""",
        {
            "w": weight,
            "b": np.array([0.5, 0.0, -1e3, 0.0], np.float32),
            "w2": -np.ones((4, 4, 1, 1), np.float32),
        },
    )
    x = generator.random((8, 3, 4, 4)).astype(np.float32)
    for instruction_set in ("x86-vnni", "x86-avx2", "arm-neon"):
        result = quantized(model, lambda: iter([{"x": x}]), instruction_set).model
        found = Executor(result, optimized=True).run({"x": x})["y"]
        np.testing.assert_array_equal(found, np.zeros_like(found))
