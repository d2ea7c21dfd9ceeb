"""Model files that belong to no project, evaluated in the engine that reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeworthy.errors import MissingExtraError
from edgeworthy.runtimes import find_runtime
from edgeworthy.workflow.bare_evaluation import evaluate_file
from tflite_models import linear_tflite

Command = Callable[..., tuple[int, str, str]]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "mlperf-tiny-kws"


@pytest.fixture(autouse=True)
def litert() -> None:
    try:
        find_runtime("litert")
    except MissingExtraError as error:
        pytest.skip(str(error))


def linear_files(folder: Path) -> tuple[Path, Path]:
    """A model whose answers are known, and six samples of which it gets five right."""
    model, data = folder / "linear.tflite", folder / "samples.npz"
    model.write_bytes(linear_tflite())
    x = np.zeros((6, 2), np.float32)
    b = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    np.savez(data, x=x, b=b, labels=np.array([0, 1, 2, 0, 1, 0]))
    return model, data


def test_the_metrics_are_those_of_the_file(tmp_path: Path) -> None:
    found = evaluate_file(*linear_files(tmp_path))
    accuracy = next(each.estimate for each in found.metrics if each.metric == "accuracy")
    assert accuracy.value == pytest.approx(5 / 6)
    assert accuracy.n == 6
    assert found.runtime.startswith("litert ")
    assert found.confusion == ((2, 0, 1), (0, 2, 0), (0, 0, 1))


def test_the_verbs_take_a_tflite_file_as_it_is(tmp_path: Path, command: Command) -> None:
    model, data = linear_files(tmp_path)
    code, out, _ = command("inspect", model)
    assert code == 0
    assert "TensorFlow Lite, schema 3, by hand" in out
    code, out, _ = command("evaluate", model, "--data", data)
    assert code == 0
    assert "0.833 [" in out
    arguments = ("--runtime", "litert", "--starts", "6", "--budget", "0.05")
    code, out, err = command("measure", model, *arguments)
    assert (code, err) == (0, "")
    assert "litert" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "samples.npz"], "a bare model and its samples go together"),
        (["linear.tflite", "--data", "unlabelled.npz"], "no array with the labels"),
        (["linear.tflite", "--data", "samples.npz", "--runtime", "onnxruntime"], "EW210"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    linear_files(tmp_path)
    np.savez(tmp_path / "unlabelled.npz", x=np.zeros((6, 2), np.float32), b=np.zeros((6, 3)))
    monkeypatch.chdir(tmp_path)
    code, _, err = command("evaluate", *arguments)
    assert code in {1, 2}
    assert words in err


@pytest.mark.skipif(not SHARED.is_dir(), reason="NOT CHECKED AGAINST A REAL MODEL: no shared data")
def test_the_reference_keyword_spotter_scores_what_its_makers_say() -> None:
    found = evaluate_file(SHARED / "kws_int8.tflite", SHARED / "kws01_samples.npz")
    accuracy = next(each.estimate for each in found.metrics if each.metric == "accuracy")
    assert (accuracy.value, accuracy.n) == (0.902, 1000)
