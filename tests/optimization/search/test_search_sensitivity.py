from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.graph import LoadedModel, load_model
from edgeworthy.optimization.data_types import data_types_for
from edgeworthy.optimization.search.sensitivity import rank_layers

RECIPE = msgspec.structs.replace(data_types_for("x86-vnni"), calibration_method="minmax")


def three_products(path: Path, *, outlier: str, batch: int | str = "n") -> LoadedModel:
    """x @ a, @ b, @ c; one matrix has a weight so large that the others of its column vanish."""
    generator = np.random.default_rng(3)
    weights = {
        name: generator.uniform(-0.5, 0.5, (8, 8)).astype(np.float32) for name in ("a", "b", "c")
    }
    weights[outlier][0, :] = 60.0
    weights["a"][:, 0] = 0.0  # nor is what the outlier of `b` weighs
    nodes = [
        helper.make_node("MatMul", [source, name], [result], name=f"product_{name}")
        for source, name, result in (("x", "a", "h"), ("h", "b", "g"), ("g", "c", "y"))
    ]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 8])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return load_model(path)


def samples() -> Iterator[dict[str, NDArray[Any]]]:
    generator = np.random.default_rng(5)
    for _ in range(5):
        x = generator.standard_normal((16, 8)).astype(np.float32)
        x[:, 0] = 0.0  # what the outlier weighs is never there
        yield {"x": x}


@pytest.mark.parametrize("outlier", ["a"])
def test_the_layer_that_loses_most_comes_first(tmp_path: Path, outlier: str) -> None:
    model = three_products(tmp_path / "m.onnx", outlier=outlier)
    ranked = rank_layers(model, RECIPE, calibration=samples, seed=0)
    assert ranked[0].node == f"product_{outlier}"
    assert ranked[0].error_ratio > 100 * ranked[1].error_ratio
    assert {each.node for each in ranked} == {"product_a", "product_b", "product_c"}
    assert ranked[0].sample_count == 16


def test_the_error_is_that_of_plain_integers(tmp_path: Path) -> None:
    model = three_products(tmp_path / "m.onnx", outlier="b")
    weights = {t.name: numpy_helper.to_array(t) for t in model.proto.graph.initializer}
    given = np.concatenate([each["x"] for each in samples()])
    x, others = given[:16], given[16:]
    low, high = float(min(others.min(), 0)), float(others.max())
    scale = np.float32((high - low) / 255)
    zero = round(-low / scale)
    ints = np.clip(np.round(x / scale) + zero, 0, 255)
    steps = np.maximum(np.abs(weights["a"]).max(axis=0), 1e-9) / 127
    stepped = np.clip(np.round(weights["a"] / steps), -127, 127) * steps
    behind = weights["b"] @ weights["c"]
    before = x @ weights["a"] @ behind
    by_steps = ((ints - zero) * scale - x) @ weights["a"] @ behind
    by_weights = x @ (stepped - weights["a"]) @ behind
    expected = sum(float(np.square(each).sum()) for each in (by_steps, by_weights))
    expected /= float(np.square(before).sum())
    plain = msgspec.structs.replace(RECIPE, rounding="nearest", bias_correction="none")
    ranked = rank_layers(model, plain, calibration=samples, seed=0)
    found = next(each.error_ratio for each in ranked if each.node == "product_a")
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("size", "count"), [(1, 16), (10, 20), (32, 32)])
def test_batches_of_a_fixed_size_stay_whole(tmp_path: Path, size: int, count: int) -> None:
    model = three_products(tmp_path / "m.onnx", outlier="a", batch=size)
    given = np.concatenate([each["x"] for each in samples()])

    def batches() -> Iterator[dict[str, NDArray[Any]]]:
        whole = len(given) // size * size
        return ({"x": given[first : first + size]} for first in range(0, whole, size))

    ranked = rank_layers(model, RECIPE, calibration=batches, seed=0)
    assert ranked[0].node == "product_a"
    assert {each.sample_count for each in ranked} == {count}


def test_a_layer_that_stays_in_float_is_not_ranked(tmp_path: Path) -> None:
    model = three_products(tmp_path / "m.onnx", outlier="a")
    recipe = msgspec.structs.replace(RECIPE, float_nodes=("product_a",))
    ranked = rank_layers(model, recipe, calibration=samples, seed=0)
    assert {each.node for each in ranked} == {"product_b", "product_c"}


def test_what_the_recipe_makes_up_for_does_not_count(tmp_path: Path) -> None:
    model = three_products(tmp_path / "m.onnx", outlier="b")
    plain = msgspec.structs.replace(RECIPE, rounding="nearest", bias_correction="none")
    mixing = np.random.default_rng(7).standard_normal((2, 8)).astype(np.float32)

    def correlated() -> Iterator[dict[str, NDArray[Any]]]:
        for batch in samples():
            yield {"x": batch["x"][:, 1:3] @ mixing}

    errors = {
        recipe.rounding: {
            each.node: each.error_ratio
            for each in rank_layers(model, recipe, calibration=correlated, seed=0)
        }
        for recipe in (plain, msgspec.structs.replace(plain, rounding="compensated"))
    }
    assert errors["compensated"]["product_b"] < 0.5 * errors["nearest"]["product_b"]


def test_a_result_that_the_engine_gives_out_in_float_has_no_steps(tmp_path: Path) -> None:
    """``y`` is read by the caller alone: only ``g`` and the weights of ``c`` disturb it there."""
    model = three_products(tmp_path / "m.onnx", outlier="a")
    ranked = rank_layers(model, RECIPE, calibration=samples, seed=0)
    last = next(each for each in ranked if each.node == "product_c")
    assert 0.0 < last.error_ratio < 1e-3
    assert sorted(each.float_order for each in ranked) == [0, 1, 2]


def test_ranges_are_found_on_other_samples_than_errors(tmp_path: Path) -> None:
    """What a range cuts off of samples that it was not found on is part of a layer's error."""
    model = three_products(tmp_path / "m.onnx", outlier="c")

    def first_is_loud(*, loud: bool) -> Iterator[dict[str, NDArray[Any]]]:
        for number, batch in enumerate(samples()):
            yield {"x": batch["x"] * (8.0 if loud and number == 0 else 1.0)}

    quiet, loud = (
        {
            each.node: each.error_ratio
            for each in rank_layers(
                model, RECIPE, calibration=partial(first_is_loud, loud=each), seed=0
            )
        }
        for each in (False, True)
    )
    assert loud["product_a"] > 100 * quiet["product_a"]


def test_outputs_that_are_no_numbers_somewhere_are_ranked_by_the_others(tmp_path: Path) -> None:
    """``z`` is minus infinity wherever ``y`` is negative, in float and in integers alike."""
    model = three_products(tmp_path / "m.onnx", outlier="a")
    expected = rank_layers(model, RECIPE, calibration=samples, seed=0)
    graph = model.proto.graph
    graph.node.append(helper.make_node("Relu", ["y"], ["r"], name="positive"))
    graph.node.append(helper.make_node("Log", ["r"], ["z"], name="logarithm"))
    graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 8]))
    onnx.save(model.proto, tmp_path / "z.onnx")
    ranked = rank_layers(load_model(tmp_path / "z.onnx"), RECIPE, calibration=samples, seed=0)
    assert {each.node for each in ranked} == {each.node for each in expected}
    assert ranked[0].node == expected[0].node == "product_a"
    assert all(0.0 < each.error_ratio < math.inf for each in ranked)
