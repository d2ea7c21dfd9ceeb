"""Channels of streams are brought nearer to each other, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto

from edgeworthy.optimization.calibration import observe_ranges
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.quantization import balance, make_plan, observe_channels, streams_of
from edgeworthy.optimization.quantization.noise import with_rounded
from edgeworthy.optimization.quantization.streams import MOST

Parse = Callable[..., ModelProto]
RESIDUAL = (
    "a = Conv (x, w1, b1) r = Relu (a) c = Conv <group=4, pads=[1,1,1,1]> (r, w2) "
    "s = Add (r, c) d = Conv (s, w3) e = Relu (d) y = ReduceSum <keepdims=0> (e, axes)"
)


@pytest.fixture
def x(generator: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return generator.standard_normal((24, 3, 5, 5)).astype(np.float32)


def build(parse: Parse, generator: np.random.Generator, body: str, spread: float) -> ModelProto:
    """Four channels, each ``spread`` times as quiet as the one before."""
    quiet = (spread ** -np.arange(4.0)).astype(np.float32)
    weights = {
        "w1": generator.standard_normal((4, 3, 1, 1)).astype(np.float32)
        * quiet.reshape(4, 1, 1, 1),
        "b1": 0.1 * quiet,
        "w2": generator.standard_normal((4, 1, 3, 3)).astype(np.float32) / 3,
        "w3": generator.standard_normal((4, 4, 1, 1)).astype(np.float32) / quiet.reshape(4, 1, 1),
        "axes": np.array([2, 3]),
        "six": np.array(6, np.float32),
        "zero": np.array(0, np.float32),
    }
    used = {name: value for name, value in weights.items() if name in body}
    model = parse(f"g (float[n,3,5,5] x) => (float[n,4] y) {{ {body} }}", used)
    proof = Proof([{"x": np.ones((1, 3, 5, 5), np.float32)}], seed=None)
    return NameNodes()(model, proof).model


def test_a_residual_stream_is_balanced_and_computes_the_same(
    parse: Parse,
    generator: np.random.Generator,
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    model = build(parse, generator, RESIDUAL, spread=8.0)
    (stream,) = streams_of(model, make_plan(model))
    assert set(stream.tensors) == {"a", "r", "c", "s"}
    assert [len(stream.makers), len(stream.readers)] == [2, 2]  # the depthwise one is both
    sights = observe_channels(model, [stream], [{"x": x[:10]}, {"x": x[10:]}])
    real = Executor(model).run({"x": x})["y"]
    balanced, factors = balance(model, [stream], sights)
    np.testing.assert_allclose(Executor(balanced).run({"x": x})["y"], real, rtol=1e-4, atol=1e-4)
    (factor,) = factors.values()
    assert factor.min() == 1.0
    assert 1.0 < factor.max() <= MOST
    # What it is for: less is lost when the tensors get 256 steps.
    errors = []
    for each in (model, balanced):
        ranges = observe_ranges(each, [{"x": x}], ["r", "s"], method="minmax")
        errors.append(
            np.square(Executor(with_rounded(each, ranges)).run({"x": x})["y"] - real).sum()
        )
    assert errors[1] < errors[0] / 4


def test_what_the_channels_look_like(
    parse: Parse,
    generator: np.random.Generator,
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    model = build(parse, generator, RESIDUAL, spread=2.0)
    stream = streams_of(model, make_plan(model))[0]
    found = observe_channels(model, [stream], [{"x": x[:7]}, {"x": x[7:]}])["a"]
    watched = build(parse, np.random.default_rng(0), RESIDUAL, spread=2.0)
    watched.CopyFrom(model)
    watched.graph.output.add().name = "a"
    values = Executor(watched).run({"x": x})["a"].astype(np.float64)
    np.testing.assert_allclose(found.peaks, np.abs(values).max(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(found.squares, (values**2).mean(axis=(0, 2, 3)), rtol=1e-5)


def test_even_channels_are_left_alone(
    parse: Parse,
    generator: np.random.Generator,
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    model = build(parse, generator, RESIDUAL, spread=1.0)
    streams = streams_of(model, make_plan(model))
    sights = observe_channels(model, streams, [{"x": x}])
    same = {name: type(each)(np.ones(4), np.ones(4)) for name, each in sights.items()}
    balanced, factors = balance(model, streams, same)
    assert not factors
    assert balanced == model


@pytest.mark.parametrize(
    "body",
    [
        RESIDUAL.replace("Relu (a)", "Sigmoid (a)").replace("Conv <group=4", "Conv <group=4"),
        RESIDUAL.replace("Relu (a)", "Clip (a, zero, six)"),
        RESIDUAL.replace("s = Add (r, c)", "q = Tanh (r) s = Add (q, c)"),
        RESIDUAL.replace("w2) s = Add (r, c)", "w2) t = Sigmoid (c) s = Mul (r, t)"),
    ],
    ids=["a curve", "a clip", "another reader", "a product of two"],
)
def test_a_stream_that_is_not_closed_is_none(
    parse: Parse, generator: np.random.Generator, body: str
) -> None:
    model = build(parse, generator, body, spread=8.0)
    tensors = {name for each in streams_of(model, make_plan(model)) for name in each.tensors}
    assert not tensors & {"a", "r"}


def test_one_channel_that_is_added_to_all_is_no_stream_of_channels(
    parse: Parse,
    generator: np.random.Generator,
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    body = RESIDUAL.replace("Conv <group=4, pads=[1,1,1,1]> (r, w2)", "Conv (r, w4)")
    model = build(parse, generator, body.replace("w4", "w3"), spread=8.0)
    single = generator.standard_normal((1, 4, 1, 1)).astype(np.float32)
    for node in model.graph.node:
        if node.output[0] == "c":
            node.input[1] = "one"
    model.graph.initializer.add().CopyFrom(
        type(model.graph.initializer[0])(
            name="one", dims=single.shape, data_type=1, raw_data=single.tobytes()
        )
    )
    streams = streams_of(model, make_plan(model))
    sights = observe_channels(model, streams, [{"x": x}])
    assert balance(model, streams, sights)[1] == {}
