"""Corruptions through the product: a project, its examination, its gate, its report."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from bands import ProjectFolder
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.examinations.base import Case
from edgeworthy.workflow.examinations.corruptions import CorruptionsExamination
from edgeworthy.workflow.examinations.running import examine
from edgeworthy.workflow.stages.inference import predict_samples
from edgeworthy.workflow.stages.subjects import Subject

CHOSEN = """
[evaluate]
profile = "quick"
only = ["corruptions"]

[evaluate.corruptions]
names = ["sensor_noise", "contrast", "dropped_rows"]

[targets.host]"""


@pytest.fixture
def examined(built: ProjectFolder) -> ProjectFolder:
    built.edit("\n[targets.host]", CHOSEN)
    return built


def without_times(evaluations: tuple[Evaluation, ...]) -> bytes:
    return canonical_json(
        [msgspec.structs.replace(each, taken_at="", expires_at="") for each in evaluations]
    )


def test_original_and_variants_are_run_under_the_same_conditions(examined: ProjectFolder) -> None:
    original, *variants = examined.load().evaluate()
    assert original.corruptions is not None
    assert original.corruptions.kind == "image"
    assert original.corruptions.severities == (1, 3, 5)
    names = [each.name for each in original.corruptions.corruptions]
    assert names == ["contrast", "dropped_rows", "sensor_noise"]
    for variant in variants:
        assert variant.corruptions is not None
        assert all(
            each.drop is not None
            for each in variant.corruptions.figures
            if each.metric == "corruption_accuracy"
        )
        assert variant.examined == ("corruptions",)


def test_the_same_seed_gives_the_same_records_and_another_one_others(
    examined: ProjectFolder, tmp_path: Path
) -> None:
    first = without_times(examined.load().evaluate())
    fresh = ProjectFolder(tmp_path / "fresh", examined.passphrase_file)
    shutil.copytree(examined.path, fresh.path, ignore=shutil.ignore_patterns(".edgeworthy"))
    again = fresh.load()
    assert without_times(again.evaluate()) == first
    noisy = [each for each in again.outcomes if each.step.endswith("sensor_noise")]
    assert {each.step for each in noisy} == {each.step for each in noisy if each.ran}
    fresh.file.write_text("seed = 5\n" + fresh.file.read_text())
    assert without_times(fresh.load().evaluate()) != first


def test_what_is_done_is_not_done_again(examined: ProjectFolder) -> None:
    examined.load().evaluate()
    again = examined.load()
    again.evaluate()
    assert not any(each.ran for each in again.outcomes if each.step.startswith("corruptions"))


def test_the_gate_sees_the_figures_and_the_report_draws_them(examined: ProjectFolder) -> None:
    examined.edit(
        '[[require]]\nmetric = "size_kib"',
        '[[require]]\nmetric = "corruption_accuracy"\ncorruption = "*"\nat_least = 0.01\n\n'
        '[[require]]\nmetric = "size_kib"',
    )
    result = examined.load().build()
    assert result.decision.verdict is Verdict.PASS
    slices = {each.slice for each in result.decision.results if each.slice}
    assert "corruption=sensor_noise" in slices
    page = result.report_path.read_text()
    assert "Under corruption" in page
    assert "Sensor noise" in page


def test_a_requirement_alone_has_the_corruptions_examined(built: ProjectFolder) -> None:
    built.edit(
        "[targets.host]",
        '[evaluate.corruptions]\nnames = ["contrast"]\n\n[targets.host]',
    )
    built.edit(
        'metric = "size_kib"\nat_most = 64.0',
        'metric = "corruption_accuracy"\ncorruption = "contrast"\nseverity = 1\nat_least = 0.01',
    )
    decision = built.load().gate()
    assert decision.verdict is Verdict.PASS


def test_an_unknown_corruption_is_refused_before_any_work(built: ProjectFolder) -> None:
    built.edit(
        'metric = "size_kib"\nat_most = 64.0',
        'metric = "corruption_accuracy"\ncorruption = "frogs"\nat_least = 0.5',
    )
    with pytest.raises(ProjectFileError, match="unknown corruption `frogs`") as caught:
        built.load().gate()
    assert "edgeworthy.toml:" in caught.value.where


def brittle_copy(path: Path) -> None:
    """The model made brittle: a small gain in its sums that only noisy pictures reach.

    A convolution that looks for differences between neighboring rows of one column answers noise
    and hardly anything else; where it answers, it votes for the first class.
    """
    model = onnx.load(path)
    graph = model.graph
    checker = np.zeros((1, 1, 6, 6), np.float32)
    checker[0, 0] = np.where((np.arange(6)[:, None] + np.arange(6)) % 2, 1.0, -1.0)
    graph.initializer.extend(
        [
            numpy_helper.from_array(checker, "checker"),
            numpy_helper.from_array(np.array([[60.0, 0.0, 0.0]], np.float32), "vote"),
            numpy_helper.from_array(np.array([0, 1], np.int64), "one"),
            numpy_helper.from_array(np.array([0.3], np.float32), "quiet"),
        ]
    )
    graph.node[-1].output[0] = "sums"
    graph.node.extend(
        [
            helper.make_node("Conv", ["picture", "checker"], ["texture"], name="texture"),
            helper.make_node("Reshape", ["texture", "one"], ["flat_texture"], name="flat_texture"),
            helper.make_node("Abs", ["flat_texture"], ["size"], name="size"),
            helper.make_node("Sub", ["size", "quiet"], ["excess"], name="excess"),
            helper.make_node("Relu", ["excess"], ["alarm"], name="alarm"),
            helper.make_node("MatMul", ["alarm", "vote"], ["votes"], name="votes"),
            helper.make_node("Add", ["sums", "votes"], ["scores"], name="add"),
        ]
    )
    onnx.save(model, path)


def smooth_samples(path: Path, count: int) -> None:
    """Pictures without grain: what is called texture below is noise alone."""
    generator = np.random.default_rng(9)
    bands = np.arange(count, dtype=np.int64) % 3
    pictures = np.full((count, 1, 6, 6), 0.2, np.float32)
    pictures += generator.uniform(0.0, 0.1, (count, 1, 1, 1)).astype(np.float32)
    for index, band in enumerate(bands):
        pictures[index, 0, band * 2 : band * 2 + 2] += 0.5
    np.savez(path, pictures=pictures, bands=bands, light=np.full(count, "dim"))


def case_of(case: Case, name: str, path: Path) -> Case:
    """The same question about another file."""
    subject = Subject(name, path, digest_bytes(path.read_bytes()), path.stat().st_size)
    said = predict_samples(case.workspace, subject, case.reading, case.judgment.samples, key=name)
    judgment = dataclasses.replace(case.judgment, subject=subject, predictions=said)
    evaluation = msgspec.structs.replace(case.evaluation, variant=name, artifact=subject.artifact)
    return dataclasses.replace(case, judgment=judgment, evaluation=evaluation)


def test_a_planted_brittle_file_is_found_and_its_clean_twin_is_not(
    built: ProjectFolder, tmp_path: Path
) -> None:
    smooth_samples(built.path / "evaluation.npz", 300)
    built.edit("\n[targets.host]", CHOSEN)
    brittle = tmp_path / "brittle.onnx"
    shutil.copy(built.path / "model.onnx", brittle)
    brittle_copy(brittle)
    twin = tmp_path / "twin.onnx"
    shutil.copy(built.path / "model.onnx", twin)
    original = built.load()._stages._cases[0]
    cases = [original, case_of(original, "brittle", brittle), case_of(original, "twin", twin)]
    _, found, clean = examine(cases, [CorruptionsExamination()], "quick")
    study = found.corruptions
    assert study is not None
    as_they_are = next(each for each in study.figures if each.severity == 0)
    assert as_they_are.estimate.value == 1.0
    assert as_they_are.drop is not None
    assert as_they_are.drop.value == 0.0
    slices = {each.slice for each in found.findings if each.kind == "corruption-loss"}
    assert slices == {"corruption=sensor_noise"}
    assert not [each for each in clean.findings if each.kind == "corruption-loss"]
