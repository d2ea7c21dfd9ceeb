"""What inputs look like together, against products taken in one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.calibration import observe
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import input_moments as module
from edgeworthy.optimization.quantization import layers as layers_module
from edgeworthy.optimization.quantization.input_moments import LayerInputs, observe_moments
from edgeworthy.optimization.quantization.layers import Layer, layers_of
from edgeworthy.optimization.quantization.plan import make_plan

Arrays = dict[str, NDArray[Any]]
BODIES = {
    "conv": ("c = Conv <pads=[1,0,1,0]> (x, w) y = ReduceSum (c)", (4, 3, 3, 2)),
    "groups": ("c = Conv <group=3, strides=[2,2]> (x, w) y = ReduceSum (c)", (6, 1, 2, 2)),
    "matmul": ("c = MatMul (x, w) y = ReduceSum (c)", (6, 4)),
    "gemm": ("f = Flatten (x) c = Gemm (f, w) y = ReduceSum (c)", (90, 4)),
    "gemm transposed": ("f = Flatten (x) c = Gemm <transB=1> (f, w) y = ReduceSum (c)", (4, 90)),
}


@pytest.fixture
def layer(
    request: pytest.FixtureRequest, parse: Callable[..., ModelProto], generator: np.random.Generator
) -> tuple[ModelProto, Layer]:
    body, shape = BODIES[request.param]
    weight = generator.standard_normal(shape).astype(np.float32)
    model = parse(f"g (float[n,3,5,6] x) => (float y) {{ {body} }}", {"w": weight})
    model = NameNodes()(model, Proof([{"x": np.ones((1, 3, 5, 6), np.float32)}], seed=None)).model
    (found,) = layers_of(model, make_plan(model))
    return model, found


@pytest.mark.parametrize("layer", BODIES, indirect=True)
def test_windows_times_matrices_are_the_layers_outputs(
    layer: tuple[ModelProto, Layer], generator: np.random.Generator
) -> None:
    model, found = layer
    x = generator.standard_normal((2, 3, 5, 6)).astype(np.float32)
    inputs = x.reshape(2, -1) if found.node.op_type == "Gemm" else x
    seen = found.windows(inputs)
    assert seen.shape[2] == found.depth
    products = np.einsum("gwk,gck->", seen, found.matrices())
    assert products == pytest.approx(float(Executor(model).run({"x": x})["y"].sum()), rel=1e-3)
    np.testing.assert_array_equal(found.stored(found.matrices()), found.weight)


def test_moments_and_portions(
    conv_net: ModelProto,
    samples: Callable[[], Iterator[Arrays]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = NameNodes()(conv_net, Proof([next(samples())], seed=None)).model
    layers = layers_of(model, make_plan(model))
    assert [each.node.op_type for each in layers] == ["Conv", "Conv", "Gemm"]
    whole = [moments for _, moments in observe_moments(model, layers, LayerInputs(samples))]
    monkeypatch.setattr(module, "_PORTION_NUMBERS", 1)
    parts = [moments for _, moments in observe_moments(model, layers, LayerInputs(samples))]
    x = np.concatenate([batch["x"] for batch in samples()])
    seen = layers[0].windows(x)[0].astype(np.float64)
    np.testing.assert_allclose(whole[0].squares[0], seen.T @ seen / len(seen), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(whole[0].means[0], seen.mean(axis=0), rtol=1e-4, atol=1e-6)
    spread = np.cov(seen.T, bias=True)
    np.testing.assert_allclose(whole[0].about_means()[0], spread, rtol=1e-3, atol=1e-5)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.squares, other.squares)


def test_wide_layers_are_looked_at_less_and_the_widest_not_at_all(
    conv_net: ModelProto, samples: Callable[[], Iterator[Arrays]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = NameNodes()(conv_net, Proof([next(samples())], seed=None)).model
    first, depthwise = layers_of(model, make_plan(model))[:2]
    x = next(samples())["x"]
    assert first.windows(x).shape == (1, 10 * 64, 27)
    inside = np.zeros((10, depthwise.groups, 8, 8), np.float32)
    assert depthwise.windows(inside).shape == (depthwise.groups, 10 * 8, 9)
    monkeypatch.setattr(layers_module, "_WIDE", 1)
    (first, *_) = layers_of(model, make_plan(model))
    assert first.windows(x).shape == (1, 10 * 32, 27)
    monkeypatch.setattr(layers_module, "_LARGEST_DEPTH", 20)
    assert [each.depth for each in layers_of(model, make_plan(model))] == [9, 8]


@pytest.mark.parametrize(("numbers", "passes"), [(27**2, 1), (1 << 20, 0)])
def test_what_is_seen_beside_calibration_is_what_a_pass_of_its_own_sees(
    numbers: int,
    passes: int,
    conv_net: ModelProto,
    samples: Callable[[], Iterator[Arrays]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = NameNodes()(conv_net, Proof([next(samples())], seed=None)).model
    plan = make_plan(model)
    layers = layers_of(model, plan)
    alone = {
        layer.node.name: moments
        for layer, moments in observe_moments(model, layers, LayerInputs(samples))
    }
    monkeypatch.setattr(module, "_PORTION_NUMBERS", numbers)  # the first layer, or all of them
    asked: list[str] = []

    def counted() -> Iterator[Arrays]:
        asked.append("a pass")
        return samples()

    inputs = LayerInputs(counted)
    inputs.accompany(model, plan)
    seen = observe(model, samples(), plan.activations, companion=inputs)
    plain = observe(model, samples(), plan.activations)
    assert [each.run_count for each in seen.values()] == [e.run_count for e in plain.values()]
    beside = {layer.node.name: moments for layer, moments in observe_moments(model, layers, inputs)}
    assert len(asked) == passes
    assert beside.keys() == alone.keys()
    for name, one in alone.items():
        np.testing.assert_allclose(beside[name].squares, one.squares, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(beside[name].means, one.means, rtol=1e-5, atol=1e-6)


def test_a_companion_sees_no_more_samples_than_a_closer_look_is_worth(
    conv_net: ModelProto, samples: Callable[[], Iterator[Arrays]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = NameNodes()(conv_net, Proof([next(samples())], seed=None)).model
    plan = make_plan(model)
    monkeypatch.setattr(module, "affordable_samples", lambda _: 3)
    inputs = LayerInputs(samples)
    inputs.accompany(model, plan)
    rows: list[int] = []
    real = LayerInputs.see

    def counted(self: LayerInputs, run: Arrays, values: Arrays) -> None:
        rows.append(len(run["x"]))
        real(self, run, values)

    monkeypatch.setattr(LayerInputs, "see", counted)
    observe(model, samples(), plan.activations, companion=inputs)
    assert rows == [8]


@pytest.mark.parametrize("layer", ["matmul"], indirect=True)
def test_windows_that_wait_are_cut_where_the_room_ends(
    layer: tuple[ModelProto, Layer],
    generator: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, found = layer
    monkeypatch.setattr(module, "_NUMBERS_AT_A_TIME", 6 * 7)  # seven windows
    monkeypatch.setattr(module, "_FEWEST_AT_A_TIME", 1)
    sums = module.Sums(found)
    seen = generator.standard_normal((1, 50, 6)).astype(np.float32)
    for first, last in ((0, 3), (3, 20), (20, 20), (20, 50)):
        sums.add(seen[:, first:last])
    moments = sums.moments()
    np.testing.assert_allclose(moments.means[0], seen[0].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(moments.squares[0], seen[0].T @ seen[0] / 50, rtol=1e-4, atol=1e-6)
