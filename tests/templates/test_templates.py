"""The templates hold what their project files and READMEs say."""

from __future__ import annotations

import ast
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from edgeworthy.documents.project import InputSection, ProjectFile

ReadProject = Callable[[Path], ProjectFile]
Normalize = Callable[[NDArray[Any], InputSection, int], NDArray[np.float32]]
Predict = Callable[[Path, NDArray[Any]], NDArray[np.int64]]

TEMPLATES = ("digits", "wearable")
STEPS = 100


def _digits(folder: Path) -> dict[str, NDArray[Any]]:
    with np.load(folder / "digits.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def _recordings(path: Path, channels: tuple[str, ...]) -> tuple[NDArray[Any], list[str], list[str]]:
    """Motions ``(n, channels, steps)``, activities and vigors; every recording checked whole."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    motions, activities, vigors = [], [], []
    for number in range(len(rows) // STEPS):
        steps = rows[number * STEPS : (number + 1) * STEPS]
        assert {row["recording"] for row in steps} == {str(number)}
        assert [float(row["time_s"]) for row in steps] == [step / 10 for step in range(STEPS)]
        ((activity, vigor),) = {(row["activity"], row["vigor"]) for row in steps}
        motions.append([[float(row[channel]) for row in steps] for channel in channels])
        activities.append(activity)
        vigors.append(vigor)
    assert len(motions) * STEPS == len(rows)
    return np.array(motions), activities, vigors


def _constants(script: Path) -> dict[str, Any]:
    """Literals that a script assigns at its top level; it is read, not run: it needs torch."""
    found: dict[str, Any] = {}
    for statement in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def _range(project: ProjectFile, name: str) -> slice:
    rows = project.data[name].rows
    assert rows is not None
    return slice(*rows)


@pytest.mark.parametrize("name", TEMPLATES)
def test_project_file_decodes_and_every_path_in_it_exists(
    name: str, templates: Path, read_project: ReadProject
) -> None:
    project = read_project(templates / name / "edgeworthy.toml")
    assert project.project.name == name
    assert project.release is not None
    assert project.release.key == "keys/release"
    assert project.release.passphrase_file == ""
    assert {"calibration", "evaluation"} <= set(project.data)
    for path in (project.model.path, *(section.path for section in project.data.values())):
        assert (templates / name / path).is_file()


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_requirement_gives_one_bound(
    name: str, templates: Path, read_project: ReadProject
) -> None:
    project = read_project(templates / name / "edgeworthy.toml")
    for requirement in project.require:
        bounds = (requirement.at_least, requirement.at_most, requirement.drop_at_most)
        assert sum(bound is not None for bound in bounds) == 1
    assert [requirement.metric for requirement in project.require] == [
        "accuracy",
        "accuracy",
        "accuracy",
        "negative_flip_ratio",
        "expected_calibration_error",
        "latency_p90_ms",
        "peak_memory_mib",
        "size_kib",
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_model_is_one_small_checked_file_with_a_free_batch_axis(
    name: str, templates: Path, read_project: ReadProject
) -> None:
    path = templates / name / "model.onnx"
    assert path.stat().st_size < 200_000
    assert {each.name for each in path.parent.glob("*.data")} == set()
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [opset.version for opset in model.opset_import] == [18]
    project = read_project(path.parent / "edgeworthy.toml")
    for value in (*model.graph.input, *model.graph.output):
        axes = value.type.tensor_type.shape.dim
        assert [axis.dim_param for axis in axes] == ["batch"] + [""] * (len(axes) - 1)
    assert [value.name for value in model.graph.input] == list(project.model.inputs)
    assert [value.name for value in model.graph.output] == [project.model.output]


@pytest.mark.parametrize("name", TEMPLATES)
def test_model_tells_nothing_about_the_machine_that_made_it(name: str, templates: Path) -> None:
    content = (templates / name / "model.onnx").read_bytes()
    for trace in (b"/home", b"/root", b"/tmp", b"/usr", b"train.py", b"site-packages"):
        assert trace not in content


def test_digits_model_reads_691_of_697_evaluation_samples(
    templates: Path, read_project: ReadProject, normalize: Normalize, predict: Predict
) -> None:
    folder = templates / "digits"
    project = read_project(folder / "edgeworthy.toml")
    arrays = _digits(folder)
    rows = _range(project, "evaluation")
    inputs = normalize(arrays["images"][rows], project.model.inputs["image"], 1)
    assert inputs.shape == (697, 1, 8, 8)
    right = predict(folder / "model.onnx", inputs) == arrays["labels"][rows]
    assert right.sum() == 691
    assert "0.9914 on 697" in (folder / "README.md").read_text(encoding="utf-8")
    for thickness in ("thin", "medium", "thick"):
        assert right[arrays["thickness"][rows] == thickness].mean() > 0.98


def test_digits_are_scikit_learns_every_one_once(templates: Path) -> None:
    arrays = _digits(templates / "digits")
    bunch = load_digits()
    index = arrays["source_index"]
    assert sorted(index.tolist()) == list(range(1797))
    assert arrays["images"].dtype == np.uint8
    assert arrays["labels"].dtype == np.int64
    np.testing.assert_array_equal(arrays["images"][:, 0], bunch.images[index])
    np.testing.assert_array_equal(arrays["labels"], bunch.target[index])


def test_digits_slices_are_the_digit_and_the_tercile_of_ink(templates: Path) -> None:
    arrays = _digits(templates / "digits")
    assert arrays["digit"].tolist() == [str(label) for label in arrays["labels"]]
    ink = arrays["images"].sum(axis=(1, 2, 3))
    thin, medium, thick = (ink[arrays["thickness"] == name] for name in ("thin", "medium", "thick"))
    assert thin.max() < medium.min()
    assert medium.max() < thick.min()
    assert min(len(thin), len(medium), len(thick)) > 1797 / 3 * 0.95


def test_digits_parts_share_no_image_and_hold_all_classes_equally(
    templates: Path, read_project: ReadProject
) -> None:
    project = read_project(templates / "digits" / "edgeworthy.toml")
    arrays = _digits(templates / "digits")
    parts = [slice(0, 700), _range(project, "calibration"), _range(project, "evaluation")]
    assert [(part.start, part.stop) for part in parts] == [(0, 700), (700, 1100), (1100, 1797)]
    for part in parts:
        counts = np.bincount(arrays["labels"][part], minlength=10)
        assert counts.max() - counts.min() <= 4
    images = [{image.tobytes() for image in arrays["images"][part]} for part in parts]
    assert sum(len(part) for part in images) == len(set.union(*images)) == 1797


def test_wearable_model_names_all_40_evaluation_recordings(
    templates: Path, read_project: ReadProject, normalize: Normalize, predict: Predict
) -> None:
    folder = templates / "wearable"
    project = read_project(folder / "edgeworthy.toml")
    channels = project.data["evaluation"].inputs["motion"]
    assert isinstance(channels, tuple)
    motions, activities, _ = _recordings(folder / "evaluation.csv", channels)
    inputs = normalize(motions, project.model.inputs["motion"], 1)
    assert inputs.shape == (40, 6, 100)
    predicted = predict(folder / "model.onnx", inputs)
    assert [project.model.labels[each] for each in predicted] == activities
    assert "40 of 40" in (folder / "README.md").read_text(encoding="utf-8")


def test_wearable_parts_share_no_recording_and_hold_ten_of_each_activity(
    templates: Path, read_project: ReadProject
) -> None:
    folder = templates / "wearable"
    project = read_project(folder / "edgeworthy.toml")
    seen: set[bytes] = set()
    for name in ("calibration", "evaluation"):
        section = project.data[name]
        channels = section.inputs["motion"]
        assert isinstance(channels, tuple)
        motions, activities, _ = _recordings(folder / section.path, channels)
        assert sorted(activities) == sorted([*project.model.labels] * 10)
        seen |= {motion.tobytes() for motion in motions}
    assert len(seen) == 80


def test_wearable_vigor_is_the_side_of_the_training_median_of_the_same_activity(
    templates: Path, read_project: ReadProject
) -> None:
    folder = templates / "wearable"
    project = read_project(folder / "edgeworthy.toml")
    channels = project.data["evaluation"].inputs["motion"]
    assert isinstance(channels, tuple)
    medians: dict[str, float] = {}
    for name in ("training.csv", "evaluation.csv"):
        motions, activities, vigors = _recordings(folder / name, channels)
        moved = motions[:, :3] - motions[:, :3].mean(axis=2, keepdims=True)
        intensity = np.sqrt((moved**2).sum(axis=1)).mean(axis=1)
        if not medians:
            for label in project.model.labels:
                medians[label] = float(np.median(intensity[np.array(activities) == label]))
        expected = [
            "vigorous" if value > medians[activity] else "gentle"
            for value, activity in zip(intensity, activities, strict=True)
        ]
        assert vigors == expected


def test_training_scripts_normalize_as_the_project_files_do(
    repository: Path, templates: Path, read_project: ReadProject
) -> None:
    digits = _constants(repository / "examples" / "digits" / "train.py")
    image = read_project(templates / "digits" / "edgeworthy.toml").model.inputs["image"]
    assert (digits["PIXEL_MEAN"],) == image.mean
    assert (digits["PIXEL_STD"],) == image.std
    wearable = _constants(repository / "examples" / "wearable" / "train.py")
    project = read_project(templates / "wearable" / "edgeworthy.toml")
    assert wearable["CHANNEL_MEAN"] == project.model.inputs["motion"].mean
    assert wearable["CHANNEL_STD"] == project.model.inputs["motion"].std
    assert wearable["ACTIVITIES"] == project.model.labels
    assert wearable["CHANNELS"] == project.data["evaluation"].inputs["motion"]
