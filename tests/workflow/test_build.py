from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bands import PASSPHRASE, ProjectFolder, band_model, band_samples
from edgeworthy.documents.gate import Verdict
from edgeworthy.errors import DatasetError, ModelFileError, ProjectFileError, SigningKeyError
from edgeworthy.workflow.project import BuildResult, Project
from edgeworthy.workflow.steps import StepOutcome

EVERYTHING = {
    "model-files",
    "inspect",
    "data/calibration",
    "data/evaluation",
    "data-overlap",
    "optimize/float32",
    "optimize/int8",
    "measure/host",
    "predict-class/exact",
    "predict-class/x86-avx2",
    "predict/original",
    "predict/float32",
    "predict/int8",
    "evaluate/original",
    "evaluate/float32",
    "evaluate/int8",
    "predict/original-calibration",
    "predict/float32-calibration",
    "predict/int8-calibration",
    "confidence/original",
    "confidence/float32",
    "confidence/int8",
    "properties/evaluation",
    "slices/original",
    "slices/float32",
    "slices/int8",
    "scan/original",
    "scan/float32",
    "scan/int8",
    "gate",
    "explain/host/int8",
    "golden",
    "release",
    "report",
}
_JUDGING = ("measure", "evaluate", "predict", "confidence", "slices", "properties", "explain")
AFTER_VARIANTS = {
    each for each in EVERYTHING if each.startswith(_JUDGING) and not each.endswith("-calibration")
}
DECISIONS = {"gate", "release", "report"}


def short(step: str) -> str:
    """The step without what depends on the machine: the engine and the data types."""
    parts = [part for part in step.split("/") if not part.startswith("onnxruntime")]
    if parts[0] in {"evaluate", "confidence", "slices"}:
        parts.remove("host")
    if parts[0] == "predict-class":
        parts = [parts[0], parts[1] if parts[1] == "x86-avx2" else "exact"]
    return "/".join(re.sub(r"^int8.*?(-calibration)?$", r"int8\1", part) for part in parts)


def ran(result: BuildResult) -> set[str]:
    return {short(each.step) for each in result.outcomes if each.ran}


def test_the_first_build_does_everything_once(
    first_build: tuple[ProjectFolder, BuildResult],
) -> None:
    project, result = first_build
    assert ran(result) == EVERYTHING
    assert sum(each.ran for each in result.outcomes) == len(EVERYTHING)
    assert result.decision.verdict is Verdict.PASS
    assert result.release_path == project.path / "dist" / "bands-1.0.0"
    assert result.report_path.read_text().startswith("<!doctype html>")
    assert result.record.release_digest is not None


def test_a_second_build_does_nothing(built: ProjectFolder) -> None:
    first = built.load().build()  # the copy lies elsewhere: the release and the report are new
    again = built.load().build()
    assert ran(first) <= {"model-files", "inspect", "release", "report"}
    assert ran(again) == set()
    assert again.record == first.record


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at_most = 64.0", "at_most = 65.0", DECISIONS),
        ('version = "1.0.0"', 'version = "1.0.1"', {"release", "report"}),
        ("query_count = 30", "query_count = 31", {"measure/host", *DECISIONS}),
        ('slices = ["light"]', "", {"data/evaluation", *AFTER_VARIANTS, "golden", *DECISIONS}),
        (
            "mean = [0.5]",
            "mean = [0.4]",
            EVERYTHING
            - {"model-files", "inspect", "data/calibration", "data/evaluation"}
            - {"data-overlap"},
        ),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it(
    built: ProjectFolder, old: str, new: str, expected: set[str]
) -> None:
    built.load().build()
    built.edit(old, new)
    assert ran(built.load().build()) <= expected | {"optimize/float32"}
    assert expected - ran(built.load().build()) == expected


def test_other_calibration_samples_leave_the_float_model_judged_as_it_was(
    built: ProjectFolder,
) -> None:
    built.load().build()
    band_samples(built.path / "calibration.npz", count=61, seed=5)
    steps = ran(built.load().build())
    assert {"data/calibration", "data-overlap", "optimize/int8"} <= steps
    assert not steps & {"inspect", "data/evaluation", "predict/original", "evaluate/original"}


def test_a_comment_changes_nothing(built: ProjectFolder) -> None:
    built.load().build()
    built.file.write_text("# a remark\n" + built.file.read_text())
    assert ran(built.load().build()) == set()


def test_a_release_that_was_changed_is_made_again(built: ProjectFolder) -> None:
    first = built.load().build()
    assert first.release_path is not None
    (first.release_path / "index.json").write_text("{}")
    (built.path / "dist" / "report.html").unlink()
    again = built.load().build()
    assert ran(again) == {"release", "report"}
    assert again.record.release_digest == first.record.release_digest or again.release_path
    built.load().verify()


def test_expired_evidence_is_measured_again(built: ProjectFolder) -> None:
    project = built.load()
    later = datetime.now(UTC) + timedelta(days=91)
    steps = ran(dataclasses.replace(project, clock=lambda: later).build())
    assert {"measure/host", "evaluate/int8", "gate", "release"} <= steps
    assert not steps & {"optimize/int8", "predict/int8", "data/evaluation"}


def test_a_refused_build_reports_and_releases_nothing(built: ProjectFolder) -> None:
    built.edit("at_most = 64.0", "at_most = 0.001")
    result = built.load().build()
    assert result.decision.verdict is Verdict.FAIL
    assert result.release_path is None
    assert result.record.release_digest is None
    assert "0.001" in result.report_path.read_text()


def test_each_step_is_a_method_that_returns_its_record(built: ProjectFolder) -> None:
    project = built.load()
    assert project.inspect().signature.outputs[0].name == "scores"
    names = [each.name for each in project.optimize()]
    assert names[0] == "float32"
    assert [each.variant for each in project.measure()] == ["original", *names]
    assert [each.variant for each in project.evaluate()] == ["original", *names]
    assert project.gate().verdict is Verdict.PASS
    released = project.release()
    assert released is not None
    assert project.verify().digest == released.digest
    assert project.report().html_path.is_file()
    assert "<" in (project.inspect()._repr_html_() or "")


def test_a_project_without_a_key_is_judged_and_reported_but_not_released(
    half_built: ProjectFolder,
) -> None:
    half_built.edit('[release]\nkey = "keys/release"\n', "")
    result = half_built.load().build()
    assert result.release_path is None
    assert result.report_path.is_file()
    assert [path.name for path in (half_built.path / "dist").glob("bands-*")] == []
    with pytest.raises(ProjectFileError, match="no \\[release\\] in the project file"):
        half_built.load().release()


def test_a_project_without_calibration_samples_ships_float(built: ProjectFolder) -> None:
    text = built.file.read_text()
    start, end = text.index("[data.calibration]"), text.index("[data.evaluation]")
    built.file.write_text(text[:start] + text[end:])
    result = built.load().build()
    assert [each.name for each in result.record.variants] == ["float32"]
    assert [each.recipe.precision for each in result.record.refusals] == ["int8-static"]
    assert "[data.calibration]" in result.record.refusals[0].reason


def test_samples_in_both_sets_are_refused(project: ProjectFolder) -> None:
    band_samples(project.path / "calibration.npz", count=10, seed=2)
    with pytest.raises(DatasetError, match="calibration"):
        project.load().build()


def test_an_unknown_metric_is_refused_before_any_work(project: ProjectFolder) -> None:
    project.edit('metric = "accuracy"', 'metric = "acuracy"')
    loaded = project.load()
    with pytest.raises(ProjectFileError, match=r"edgeworthy.toml:\d+ \(require\[0\].metric\)"):
        loaded.build()
    assert loaded.outcomes == ()


def test_a_wrong_passphrase_signs_nothing(built: ProjectFolder) -> None:
    built.load().gate()
    with pytest.raises(SigningKeyError, match="passphrase is wrong"):
        Project.load(built.path, passphrase=b"guess").build()
    with pytest.raises(SigningKeyError, match="passphrase is needed"):
        Project.load(built.path).build()
    built.edit('key = "keys/release"', 'key = "keys/release"\npassphrase_file = "keys/passphrase"')
    assert Project.load(built.path).build().decision.verdict is Verdict.PASS


def test_samples_from_a_function_are_asked_for_at_every_build(project: ProjectFolder) -> None:
    (project.path / "pictures.py").write_text(
        "import numpy as np\n"
        "def evaluation():\n"
        "    data = np.load(__file__.replace('pictures.py', 'evaluation.npz'))\n"
        "    return {'inputs': data['pictures'], 'labels': data['bands']}\n"
    )
    project.edit(
        'path = "evaluation.npz"\ninputs = { picture = "pictures" }\nlabels = "bands"\n'
        'slices = ["light"]',
        'function = "pictures:evaluation"',
    )
    project.load().evaluate()
    assert not [each for each in again(project) if each.ran]
    band_samples(project.path / "evaluation.npz", count=90, seed=7)
    assert "data/evaluation" in {each.step for each in again(project) if each.ran}


def again(project: ProjectFolder) -> list[StepOutcome]:
    loaded = project.load()
    loaded.evaluate()
    return list(loaded.outcomes)


def test_the_golden_set_may_be_a_set_of_its_own(built: ProjectFolder) -> None:
    band_samples(built.path / "golden.npz", count=9, seed=11)
    text = built.file.read_text()
    golden = (
        '[data.golden]\npath = "golden.npz"\ninputs = { picture = "pictures" }\n'
        'labels = "bands"\n\n[targets.host]'
    )
    built.file.write_text(text.replace("[targets.host]", golden))
    project = built.load()
    project.build()
    verified = project.verify()
    assert verified.manifest.golden.sample_count == 9
    blob = next(each for each in verified.blobs if each.title == "golden.npz")
    with np.load(blob.path) as arrays:
        assert arrays["input:picture"].shape == (9, 1, 6, 6)
        shipped = verified.manifest.variants[0].name
        assert arrays[f"output:{shipped}:scores"].argmax(axis=1).tolist() == [0, 1, 2] * 3
        assert arrays["label"].tolist() == [0, 1, 2] * 3
    (bounds,) = verified.manifest.golden.bounds
    assert verified.manifest.golden.metric == "accuracy"
    assert (bounds.variant, bounds.threads, bounds.metric_value) == (shipped, 1, 1.0)
    assert bounds.metric_bound == 1 - 1 / 9
    assert 0 < bounds.latency_p50_ms < bounds.latency_bound_ms
    assert bounds.reference_ms > 0
    assert bounds.memory_bound_bytes is not None
    assert bounds.memory_bound_bytes >= 16 << 20


def test_a_model_elsewhere_or_nowhere(project: ProjectFolder, tmp_path: Path) -> None:
    project.edit('path = "model.onnx"', 'path = "../other.onnx"')
    with pytest.raises(ModelFileError, match="no model here"):
        project.load().inspect()
    band_model(tmp_path / "other.onnx")
    assert project.load().inspect().model_format == "onnx"


def test_the_key_of_the_project_is_the_passphrases_own(built: ProjectFolder) -> None:
    assert built.passphrase_file.read_bytes().strip() == PASSPHRASE
