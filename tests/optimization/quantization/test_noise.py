"""Noise behind layers, ranges chosen by it, and layers that stay in float because of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.optimization.calibration import TensorRange, observe, ranges_of
from edgeworthy.optimization.calibration.ranges import in_steps
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import (
    chosen_ranges,
    float_layers,
    make_plan,
    noisy_layers,
)
from edgeworthy.optimization.quantization.noise import noise_ratios, with_rounded

Arrays = dict[str, NDArray[Any]]
Parse = Callable[..., ModelProto]


CLIP = "r1 = Clip (c1, zero, six)"


@pytest.fixture
def edges(parse: Parse) -> ModelProto:
    return bright_edges(parse, CLIP)


def bright_edges(parse: Parse, curve: str) -> ModelProto:
    """Differences of neighbours of a bright picture: small against what they are made of."""
    generator = np.random.default_rng(9)
    weights = {
        "w1": np.ones((2, 1, 1, 1)),
        "b1": np.full(2, 3.0),
        "w2": np.array([[[[40.0, -40.0]]], [[[1.0, 1.0]]]]),
        "w3": generator.standard_normal((4, 2, 1, 1)),
        "w4": generator.standard_normal((8, 4, 3, 3)),
        "six": np.array(6.0),
        "zero": np.array(0.0),
    }
    model = parse(
        f"""g (float[n,1,8,8] x) => (float[n,8,6,5] y) {{
        c1 = Conv (x, w1, b1) {curve}
        c2 = Conv <group=2> (r1, w2) r2 = Clip (c2, zero, six)
        c3 = Conv (r2, w3) r3 = Relu (c3)
        y = Conv (r3, w4) }}""",
        {name: value.astype(np.float32) for name, value in weights.items()},
    )
    x = np.ones((1, 1, 8, 8), np.float32)
    return NameNodes()(model, Proof([{"x": x}], seed=None)).model


@pytest.fixture
def runs() -> list[Arrays]:
    values = np.random.default_rng(3).standard_normal((16, 1, 8, 8)) * 0.02
    return [{"x": values[:8].astype(np.float32)}, {"x": values[8:].astype(np.float32)}]


def test_the_ratio_is_that_of_its_definition(parse: Parse, generator: np.random.Generator) -> None:
    weight = generator.standard_normal((6, 4)).astype(np.float32)
    model = parse(
        "g (float[n,6] x) => (float[n,4] y) { m = MatMul (x, w) y = Relu (m) }", {"w": weight}
    )
    model = NameNodes()(model, Proof([{"x": np.ones((1, 6), np.float32)}], seed=None)).model
    x = generator.standard_normal((50, 6)).astype(np.float32)
    found = TensorRange(-1.0, 1.5)
    ratios = noise_ratios(model, {"x": found}, [{"x": x[:20]}, {"x": x[20:]}])
    real = np.maximum(x @ weight, 0)
    rough = np.maximum(in_steps(x.astype(np.float64), found) @ weight, 0)
    expected = ((rough - real) ** 2).sum() / ((real - real.mean()) ** 2).sum()
    assert ratios == {"MatMul": pytest.approx(expected, rel=1e-3)}


def test_a_constant_output_has_no_signal(parse: Parse) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { y = MatMul (x, w) }",
        {"w": np.zeros((2, 2), np.float32)},
    )
    model = NameNodes()(model, Proof([{"x": np.ones((1, 2), np.float32)}], seed=None)).model
    runs = [{"x": np.ones((4, 2), np.float32)}]
    assert noise_ratios(model, {"x": TensorRange(0, 1)}, runs) == {"MatMul": 0.0}


def test_rounded_tensors_are_those_of_the_range(edges: ModelProto, runs: list[Arrays]) -> None:
    found = {"x": TensorRange(-0.05, 0.05)}
    rounded = {"x": in_steps(runs[0]["x"].astype(np.float64), found["x"]).astype(np.float32)}
    actual = Executor(with_rounded(edges, found)).run(runs[0])["y"]
    np.testing.assert_allclose(actual, Executor(edges).run(rounded)["y"], rtol=1e-3, atol=1e-3)


def test_edge_detectors_stay_in_float_with_what_feeds_them(
    edges: ModelProto, runs: list[Arrays]
) -> None:
    plan = make_plan(edges)
    ranges = ranges_of(observe(edges, iter(runs), plan.activations), "minmax")
    ratios = noise_ratios(edges, plan.with_implied(ranges), runs)
    assert max(ratios, key=lambda name: ratios[name]) == "Conv_1"
    kept = noisy_layers(edges, plan, plan.with_implied(ranges), runs, share=0.5)
    assert kept == ("Conv", "Clip", "Conv_1")


@pytest.mark.parametrize("gate", ["Sigmoid", "HardSigmoid"])
def test_a_curve_with_its_gate_lies_between_two_layers_as_a_clip_does(
    gate: str, parse: Parse, runs: list[Arrays]
) -> None:
    model = bright_edges(parse, f"g1 = {gate} (c1) r1 = Mul (c1, g1)")
    plan = make_plan(model)
    ranges = plan.with_implied(ranges_of(observe(model, iter(runs), plan.activations), "minmax"))
    kept = noisy_layers(model, plan, ranges, runs, share=0.5)
    assert kept == ("Conv", gate, "Mul", "Conv_1")


def test_a_first_layer_that_the_input_is_too_coarse_for_reads_it_in_float(
    parse: Parse, runs: list[Arrays]
) -> None:
    weights = {"w1": np.array([[[[40.0, -40.0]]]]), "w2": np.ones((8, 1, 3, 3))}
    model = parse(
        "g (float[n,1,8,8] x) => (float[n,8,6,5] y) { r = Conv (x, w1) y = Conv (r, w2) }",
        {name: value.astype(np.float32) for name, value in weights.items()},
    )
    model = NameNodes().call(model).model
    bright = [{"x": run["x"] + np.float32(3.0)} for run in runs]
    plan = make_plan(model)
    ranges = ranges_of(observe(model, iter(bright), plan.activations), "minmax")
    assert noisy_layers(model, plan, ranges, bright, share=0.9) == ("Conv",)


def test_a_curve_that_others_read_keeps_its_layers_in_integers(
    parse: Parse, runs: list[Arrays]
) -> None:
    model = bright_edges(parse, "g1 = Sigmoid (c1) p1 = Mul (c1, g1) r1 = Add (c1, p1)")
    plan = make_plan(model)
    ranges = plan.with_implied(ranges_of(observe(model, iter(runs), plan.activations), "minmax"))
    assert "Conv_1" not in noisy_layers(model, plan, ranges, runs, share=0.5)


def test_a_layer_that_is_in_float_takes_along_what_makes_its_input(
    edges: ModelProto, runs: list[Arrays]
) -> None:
    plan = make_plan(edges, float_nodes=("Conv_1",))
    ranges = plan.with_implied(ranges_of(observe(edges, iter(runs), plan.activations), "minmax"))
    assert "Conv" in plan.nodes
    kept = noisy_layers(edges, plan, ranges, runs, share=0.5)
    assert set(kept) == {"Conv", "Clip", "Conv_1"}


def test_no_share_no_float_layers(edges: ModelProto, runs: list[Arrays]) -> None:
    plan = make_plan(edges)
    ranges = plan.with_implied(ranges_of(observe(edges, iter(runs), plan.activations), "minmax"))
    assert noisy_layers(edges, plan, ranges, runs, share=0.001) == ()


def test_what_could_not_be_kept_in_float_is_not_tried(
    edges: ModelProto, runs: list[Arrays], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(edges)
    ranges = plan.with_implied(ranges_of(observe(edges, iter(runs), plan.activations), "minmax"))
    tried: list[tuple[str, ...]] = []

    def counted(model: ModelProto, some: Mapping[str, TensorRange]) -> ModelProto:
        tried.append(tuple(some))
        return with_rounded(model, some)

    monkeypatch.setattr(float_layers, "with_rounded", counted)
    noisy_layers(edges, plan, ranges, runs, share=1.0)
    assert {("r1",), ("r3",)} <= set(tried)
    tried.clear()
    noisy_layers(edges, plan, ranges, runs, share=0.5)  # the layer behind r3 does most of the work
    assert ("r1",) in tried
    assert ("r3",) not in tried
    tried.clear()
    noisy_layers(edges, plan, ranges, runs, share=0.001)
    assert tried == []


def test_the_chosen_range_is_no_worse_than_any_other(
    conv_net: ModelProto, samples: Callable[[], Iterator[Arrays]]
) -> None:
    model = NameNodes()(conv_net, Proof([next(samples())], seed=None)).model
    plan = make_plan(model)
    seen = observe(model, samples(), plan.activations)
    held = list(samples())
    ranges, methods = chosen_ranges(model, seen, held)
    assert ranges.keys() == methods.keys() == seen.keys()
    least = noise_ratios(model, ranges, held)
    for method in ("minmax", "mse", "entropy", "percentile-99.9"):
        other = noise_ratios(model, ranges_of(seen, method), held)
        assert all(least[node] <= other[node] * (1 + 1e-6) for node in least)
