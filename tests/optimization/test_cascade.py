"""Integers answer first, and float where two classes are close."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import OptimizationError
from edgeworthy.graph import LoadedModel
from edgeworthy.optimization import MadeVariant, Refusal, make_variant, recipes_for
from edgeworthy.optimization.cascade import CloseCall, close_call, joined, leads
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.recipes import cascade_recipe
from edgeworthy.optimization.wiring import editable

Arrays = dict[str, NDArray[Any]]
Samples = Callable[[], Iterator[Arrays]]
Load = Callable[[ModelProto], LoadedModel]
FLOAT, STATIC = recipes_for(["x86-vnni"])
CASCADE = cascade_recipe(STATIC)
DIGEST = "sha256:" + "c" * 64
CLASSES = 4
SCORES = arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(2, CLASSES)),
    elements=st.floats(-8.0, 8.0, width=16),
)


def made(model: LoadedModel, samples: Samples, recipe: Recipe = CASCADE) -> MadeVariant:
    result = make_variant(model, recipe, calibration=samples, calibration_digest=DIGEST, seed=1)
    assert isinstance(result, MadeVariant), result
    return result


def linear(weight: NDArray[Any], *, names: tuple[str, str] = ("x", "y")) -> ModelProto:
    """Scores that are a product of the inputs."""
    given, scores = names
    graph = helper.make_graph(
        [helper.make_node("MatMul", [given, "float/w"], [scores], name="float/product")],
        "scores",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["batch", len(weight)])],
        [helper.make_tensor_value_info(scores, TensorProto.FLOAT, ["batch", weight.shape[1]])],
        [numpy_helper.from_array(weight.astype(np.float32), "float/w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def constant(scores: NDArray[np.float32]) -> ModelProto:
    """Scores by number of the sample."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["rows", "x"], ["y"])],
        "rows",
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", scores.shape[1]])],
        [numpy_helper.from_array(scores, "rows")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model: ModelProto | bytes, batch: Arrays) -> NDArray[Any]:
    (scores,) = Executor(model, optimized=True).run(batch).values()
    return scores


class TestTheMargin:
    @given(SCORES, st.integers(0, 1000))
    def test_whoever_was_wrong_is_asked_again(self, wanted: NDArray[Any], seed: int) -> None:
        found = wanted + np.random.default_rng(seed).normal(0.0, 0.5, wanted.shape)
        lead = close_call(wanted, found).lead
        wrong = wanted.argmax(axis=1) != found.argmax(axis=1)
        assert (leads(found)[wrong] < lead).all()

    @given(SCORES, st.integers(0, 1000), st.booleans())
    def test_so_is_it_in_the_file(self, wanted: NDArray[Any], seed: int, shares: bool) -> None:  # noqa: FBT001
        wanted = wanted.astype(np.float32)
        noise = np.random.default_rng(seed).normal(0.0, 0.5, wanted.shape)
        found = (wanted + noise).astype(np.float32)
        models = constant(wanted), constant(found)
        if shares:
            models = with_softmax(models[0]), with_softmax(models[1])
        inputs = {"x": np.arange(len(wanted))}
        scores = [run(model, inputs).astype(np.float64) for model in models]
        answers = run(joined(*models, close_call(*scores)), inputs)
        np.testing.assert_array_equal(answers.argmax(axis=1), scores[0].argmax(axis=1))

    def test_it_is_three_times_the_noise_between_the_two_best(self) -> None:
        generator = np.random.default_rng(4)
        wanted = generator.normal(0.0, 5.0, (4000, 7))
        found = wanted + generator.normal(0.0, 0.01, wanted.shape)
        # The difference of two independent errors has the square root of two times their deviation.
        assert close_call(wanted, found).lead == pytest.approx(3 * 0.01 * np.sqrt(2), rel=0.05)

    def test_what_all_classes_gain_alike_is_no_noise(self) -> None:
        wanted = np.random.default_rng(0).normal(size=(50, 3))
        assert close_call(wanted, wanted + 7.0).lead == pytest.approx(0.0, abs=1e-9)

    @given(SCORES, st.integers(0, 1000))
    def test_probabilities_have_the_margin_of_their_logits(
        self, wanted: NDArray[Any], seed: int
    ) -> None:
        found = wanted + np.random.default_rng(seed).normal(0.0, 0.1, wanted.shape)
        of_logits, of_shares = (
            close_call(wanted, found),
            close_call(softmax(wanted), softmax(found)),
        )
        assert of_shares.probabilities
        assert of_shares.lead == pytest.approx(of_logits.lead, rel=1e-6, abs=1e-9)

    @pytest.mark.parametrize("score", [np.nan, np.inf])
    def test_what_is_no_number_gives_no_margin(self, score: float) -> None:
        wanted = np.random.default_rng(0).normal(size=(5, 3))
        found = wanted.copy()
        found[1, 1] = score
        with pytest.raises(OptimizationError, match="not finite"):
            close_call(wanted, found)

    def test_one_class_is_never_close(self) -> None:
        with pytest.raises(OptimizationError, match="never close"):
            close_call(np.ones((3, 1)), np.ones((3, 1)))


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


class TestTheFile:
    def inputs(self, count: int = 200) -> Arrays:
        return {"x": np.random.default_rng(1).normal(size=(count, 5)).astype(np.float32)}

    def pair(self) -> tuple[ModelProto, ModelProto]:
        weight = np.random.default_rng(2).normal(size=(5, CLASSES))
        return linear(weight), linear(weight + 0.05)

    @pytest.mark.parametrize("probabilities", [False, True])
    def test_each_sample_has_the_answer_that_its_lead_asks_for(
        self, *, probabilities: bool
    ) -> None:
        models = self.pair()
        if probabilities:
            models = (with_softmax(models[0]), with_softmax(models[1]))
        file = joined(*models, CloseCall(0.4, probabilities=probabilities))
        onnx.checker.check_model(file, full_check=True)
        floats, integers = (run(model, self.inputs()) for model in models)
        found = run(file, self.inputs())
        asked = leads(integers.astype(np.float64), probabilities=probabilities) < 0.4
        assert 10 < asked.sum() < 190
        np.testing.assert_array_equal(found[~asked], integers[~asked])
        np.testing.assert_allclose(found[asked], floats[asked], rtol=1e-5)

    def test_what_else_is_in_the_batch_changes_nothing(self) -> None:
        file = joined(*self.pair(), CloseCall(0.4, probabilities=False))
        inputs = self.inputs(30)
        together = run(file, inputs)
        asked = leads(run(self.pair()[1], inputs).astype(np.float64)) < 0.4
        assert 0 < asked.sum() < 30
        alone = [run(file, {"x": inputs["x"][[row]]})[0] for row in range(30)]
        np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5)

    def test_an_answer_that_is_no_number_asks_and_hides_nobody(self) -> None:
        models = self.pair()
        inputs = self.inputs(40)
        inputs["x"][0] = np.nan
        file = joined(*models, CloseCall(0.4, probabilities=False))
        floats, integers = (run(model, inputs) for model in models)
        asked = ~(leads(integers.astype(np.float64)) >= 0.4)
        assert asked[0]
        assert 1 < asked.sum() < 30
        expected = np.where(asked[:, None], floats, integers)
        np.testing.assert_allclose(run(file, inputs), expected, rtol=1e-5)

    @pytest.mark.parametrize("data_type", [TensorProto.DOUBLE, TensorProto.FLOAT16])
    def test_scores_of_other_precisions_are_told_apart_too(self, data_type: int) -> None:
        models = tuple(as_type(model, data_type) for model in self.pair())
        file = joined(models[0], models[1], CloseCall(0.4, probabilities=False))
        floats, integers = (run(model, self.inputs()) for model in models)
        asked = leads(integers.astype(np.float64)) < 0.4
        assert asked.any()
        expected = np.where(asked[:, None], floats, integers)
        np.testing.assert_allclose(run(file, self.inputs()), expected, rtol=1e-3)

    def test_a_class_without_any_chance_is_far_away_and_hides_nobody(self) -> None:
        plain = self.pair()
        models = (with_softmax(plain[0]), with_softmax(plain[1]))
        file = joined(*models, CloseCall(0.4, probabilities=True))
        sure = self.inputs(60)["x"]
        sure[::2] *= 1e4  # all but one probability are 0, and its logarithm has no end
        floats, integers = (run(model, {"x": sure}) for model in models)
        found = run(file, {"x": sure})
        np.testing.assert_array_equal(found[::2], integers[::2])
        asked = leads(integers.astype(np.float64), probabilities=True) < 0.4
        assert asked[1::2].any()
        np.testing.assert_allclose(found[asked], floats[asked], rtol=1e-5)

    @pytest.mark.parametrize(("lead", "which"), [(0.0, 1), (np.inf, 0)])
    def test_no_lead_asks_nobody_and_every_lead_everybody(self, lead: float, which: int) -> None:
        models = self.pair()
        file = joined(*models, CloseCall(lead, probabilities=False))
        expected = run(models[which], self.inputs())
        np.testing.assert_allclose(run(file, self.inputs()), expected, rtol=1e-5)

    @pytest.mark.parametrize("output", ["cascade/leads", "cascade/stands", "y/kept", "float/y"])
    def test_names_of_the_model_are_in_nobodys_way(self, output: str) -> None:
        weight = np.random.default_rng(2).normal(size=(5, CLASSES))
        models = [linear(each, names=("float", output)) for each in (weight, weight + 0.05)]
        for model in models:  # a tensor beside the output that has the name of something of ours
            model.graph.node[0].output[0] = "y/chosen"
            model.graph.node.append(helper.make_node("Identity", ["y/chosen"], [output]))
        file = joined(models[0], models[1], CloseCall(0.4, probabilities=False))
        inputs = {"float": self.inputs()["x"]}
        floats, integers = (run(model, inputs) for model in models)
        asked = leads(integers.astype(np.float64)) < 0.4
        expected = np.where(asked[:, None], floats, integers)
        np.testing.assert_allclose(run(file, inputs), expected, rtol=1e-5)


def as_type(model: ModelProto, data_type: int) -> ModelProto:
    """Its scores in another precision."""
    result = editable(model)
    result.graph.node[0].output[0] = "singles"
    result.graph.node.append(helper.make_node("Cast", ["singles"], ["y"], to=data_type))
    result.graph.output[0].type.tensor_type.elem_type = data_type
    return result


def with_softmax(model: ModelProto) -> ModelProto:
    result = editable(model)
    result.graph.node[0].output[0] = "logits"
    result.graph.node.append(helper.make_node("Softmax", ["logits"], ["y"]))
    return result


class TestTheVariant:
    def test_close_calls_are_answered_by_float_and_others_by_integers(
        self, conv_net: ModelProto, samples: Samples, loaded: Load
    ) -> None:
        result = made(loaded(conv_net), samples)
        batch = next(samples())
        found = run(result.data, batch)
        floats = run(made(loaded(conv_net), samples, FLOAT).data, batch)
        integers = run(made(loaded(conv_net), samples, STATIC).data, batch)
        is_float = np.isclose(found, floats, rtol=1e-5).all(axis=1)
        is_integer = (found == integers).all(axis=1)
        assert (is_float | is_integer).all()
        assert is_integer.any()
        np.testing.assert_array_equal(found.argmax(axis=1), floats.argmax(axis=1))

    def test_the_record_says_when_float_is_asked(
        self, conv_net: ModelProto, samples: Samples, loaded: Load
    ) -> None:
        result = made(loaded(conv_net), samples)
        assert result.variant.name == "int8-u8s8-cascade"
        assert result.variant.calibration == DIGEST
        (note,) = (each for each in result.variant.passes if each.name == "cascade")
        assert "float answers below a lead of" in note.detail
        assert "calibration samples ask it" in note.detail

    def test_the_same_inputs_give_the_same_bytes(
        self, conv_net: ModelProto, samples: Samples, loaded: Load
    ) -> None:
        first, second = (made(loaded(conv_net), samples).data for _ in range(2))
        assert first == second

    def test_it_is_foretold_for_other_processors(
        self, conv_net: ModelProto, samples: Samples, loaded: Load
    ) -> None:
        data = made(loaded(conv_net), samples).data
        batch = next(samples())
        with Emulator(data, "x86-vnni") as emulator:
            (found,) = emulator.run(batch).values()
        np.testing.assert_allclose(found, run(data, batch), rtol=1e-5)

    @pytest.mark.parametrize("case", ["one class", "whole numbers"])
    def test_a_model_without_classes_is_refused(self, case: str, loaded: Load) -> None:
        model = linear(np.ones((5, 1 if case == "one class" else 3)))
        if case == "whole numbers":
            model = as_type(model, TensorProto.INT64)
        batches = lambda: iter([{"x": np.ones((4, 5), dtype=np.float32)}])  # noqa: E731
        result = make_variant(
            loaded(model), CASCADE, calibration=batches, calibration_digest=DIGEST, seed=1
        )
        assert isinstance(result, Refusal)
        told = "`y` float32 ['batch', 1]" if case == "one class" else "`y` int64 ['batch', 3]"
        assert f"this model has none: it gives {told} instead of" in result.reason
