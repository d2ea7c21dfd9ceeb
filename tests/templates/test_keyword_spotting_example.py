"""The example on MLPerf Tiny's keyword spotter; the real files are used where they are present."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.project import InputSection, ProjectFile

ReadProject = Callable[[Path], ProjectFile]
Normalize = Callable[[NDArray[Any], InputSection, int], NDArray[np.float32]]
Predict = Callable[[Path, NDArray[Any]], NDArray[np.int64]]

HALVES = ("first", "second")
FLOAT_ACCURACY = {"first": 0.914, "second": 0.912}  # on the half that it is not named after


@pytest.fixture(scope="module")
def script(repository: Path) -> dict[str, Any]:
    return runpy.run_path(str(repository / "examples" / "keyword_spotting" / "prepare.py"))


@pytest.fixture(scope="module")
def prepared(
    repository: Path, script: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    source = repository.parent / "shared" / "data" / "mlperf-tiny-kws"
    if not source.is_dir():
        pytest.skip(
            "the MLPerf Tiny keyword spotter is NOT checked: its files are missing beside the "
            "repository in shared/data/mlperf-tiny-kws"
        )
    folder = tmp_path_factory.mktemp("keywords")
    script["prepare"](source, folder)
    return folder


def _arrays(folder: Path) -> dict[str, NDArray[Any]]:
    with np.load(folder / "keywords.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def test_samples_of_both_halves_meet_in_the_middle(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_samples = script["order_samples"]
    monkeypatch.setitem(order_samples.__globals__, "HALF_COUNT", 4)
    features = np.array([[10], [11], [12], [10], [20], [11], [22], [23]], dtype=np.int8)
    assert order_samples(features).tolist() == [0, 2, 3, 1, 5, 4, 6, 7]


def test_two_project_files_differ_in_nothing_but_the_halves(
    repository: Path, read_project: ReadProject
) -> None:
    folder = repository / "examples" / "keyword_spotting"
    first, second = (read_project(folder / f"calibrate-{half}-half.toml") for half in HALVES)
    assert first.model == second.model
    assert first.require == second.require
    assert first.targets == second.targets
    assert (first.data["calibration"].rows, first.data["evaluation"].rows) == (
        (0, 495),
        (500, 1000),
    )
    assert (second.data["calibration"].rows, second.data["evaluation"].rows) == (
        (505, 1000),
        (0, 500),
    )
    assert first.release is not None
    assert second.release is not None
    assert first.release.directory != second.release.directory


def test_preparing_loses_no_sample_and_moves_none_to_the_other_half(prepared: Path) -> None:
    index = _arrays(prepared)["source_index"]
    assert sorted(index[:500].tolist()) == list(range(500))
    assert sorted(index[500:].tolist()) == list(range(500, 1000))
    assert index[495:500].tolist() == [196, 249, 252, 316, 347]


@pytest.mark.parametrize("half", HALVES)
def test_calibration_and_evaluation_share_no_sample(
    half: str, prepared: Path, read_project: ReadProject
) -> None:
    project = read_project(prepared / f"calibrate-{half}-half.toml")
    features = _arrays(prepared)["features"]
    rows = {name: project.data[name].rows for name in ("calibration", "evaluation")}
    calibration, evaluation = (
        {sample.tobytes() for sample in features[slice(*span)]} for span in rows.values() if span
    )
    assert not calibration & evaluation


@pytest.mark.parametrize("half", HALVES)
def test_float_model_reaches_its_known_accuracy_on_the_other_half(
    half: str,
    prepared: Path,
    read_project: ReadProject,
    normalize: Normalize,
    predict: Predict,
) -> None:
    project = read_project(prepared / f"calibrate-{half}-half.toml")
    span = project.data["evaluation"].rows
    assert span is not None
    arrays = _arrays(prepared)
    section = project.model.inputs["input"]
    assert section.std == (1 / 0.5847029089927673,)
    inputs = normalize(arrays["features"][slice(*span)].astype(np.float64), section, 3)
    predicted = predict(prepared / project.model.path, inputs)
    labels = arrays["labels"][slice(*span)]
    assert (predicted == labels).mean() == pytest.approx(FLOAT_ACCURACY[half])
    words = arrays["word"][slice(*span)]
    assert words.tolist() == [project.model.labels[label] for label in labels]
