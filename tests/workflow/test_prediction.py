"""What other classes of CPU will see is said beforehand, and as an estimate."""

from __future__ import annotations

import pytest

from bands import ProjectFolder
from edgeworthy.errors import InferenceError
from edgeworthy.optimization import emulation
from edgeworthy.workflow.project import Project


def test_every_class_of_cpu_is_predicted(project: ProjectFolder) -> None:
    loaded = project.load()
    variants = {each.name: each for each in loaded.optimize() if each.recipe.quantization}
    predictions = loaded.predict()
    assert {each.variant for each in predictions} == set(variants)
    for name in variants:
        classes = [
            one for each in predictions if each.variant == name for one in each.instruction_sets
        ]
        assert sorted(classes) == ["arm-dotprod", "arm-neon", "x86-avx2", "x86-vnni"]
    for each in predictions:
        accuracy = next(one for one in each.metrics if one.metric == "accuracy")
        assert accuracy.estimate.value >= 0.9
        assert accuracy.drop is not None
        assert each.refusal == ""
        assert each.artifact == variants[each.variant].artifact
        assert each.sample_count == each.dataset.sample_count == accuracy.estimate.n


def test_this_cpu_is_predicted_as_it_is_measured(project: ProjectFolder) -> None:
    loaded = project.load()
    measured = {each.variant: each for each in loaded.evaluate()}
    here = next(iter(measured.values())).host.instruction_set
    for each in loaded.predict():
        if here in each.instruction_sets:
            expected = {
                one.metric: one.estimate.value
                for one in measured[each.variant].metrics
                if not one.slice
            }
            assert {"accuracy", "agreement"} <= {one.metric for one in each.metrics}
            for one in each.metrics:
                assert one.estimate.value == pytest.approx(expected[one.metric], abs=0.003)


def test_as_many_samples_as_wanted_and_nothing_twice(project: ProjectFolder) -> None:
    loaded = project.load()
    assert {each.sample_count for each in loaded.predict(10)} == {16}  # two whole batches
    again = Project.load(project.path)
    again.predict(10)
    assert not [each.step for each in again.outcomes if each.ran]


def test_what_cannot_be_emulated_is_said(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InferenceError("the arithmetic is not known")

    monkeypatch.setattr(emulation, "Emulator", refuse)
    for each in project.load().predict():
        assert (each.refusal, each.metrics) == ("the arithmetic is not known", ())


def test_a_project_without_integer_variants_predicts_nothing(project: ProjectFolder) -> None:
    path = project.path / "edgeworthy.toml"
    text = path.read_text()
    start, end = text.index("[data.calibration]"), text.index("[data.evaluation]")
    path.write_text(text[:start] + text[end:])
    assert Project.load(project.path).predict() == ()
