from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bands import band_model
from edgeworthy.errors import DatasetError, ModelFileError
from edgeworthy.workflow.bare_models import BareOptions, measure_file, plan_of, read_samples


def saved(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the flag's type
    return path


def test_samples_are_taken_one_by_one_and_not_more_than_needed(tmp_path: Path) -> None:
    path = saved(tmp_path / "s.npz", x=np.arange(200.0).reshape(100, 2), y=np.zeros(100))
    samples = read_samples(path)
    assert samples is not None
    assert len(samples) == 64
    assert samples[3]["x"].tolist() == [[6.0, 7.0]]
    assert samples[3]["y"].shape == (1,)


def test_without_a_file_there_are_no_samples() -> None:
    assert read_samples(None) is None


def test_arrays_of_different_lengths_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "s.npz", x=np.zeros((3, 2)), y=np.zeros(4))
    with pytest.raises(DatasetError, match="do not have the same number"):
        read_samples(path)
    with pytest.raises(DatasetError, match="do not have the same number"):
        read_samples(saved(tmp_path / "e.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x04pickle"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="not a whole npz file"):
        read_samples(path)


def test_a_missing_file_of_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_samples(tmp_path / "gone.npz")


def test_a_single_array_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(DatasetError, match="not a whole npz file"):
        read_samples(path)


def test_a_plan_is_bound_to_the_digest_and_a_bad_model_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    band_model(model)
    plan = plan_of(model, BareOptions(threads=2))
    assert plan.digest.startswith("sha256:")
    assert (plan.variant, plan.threads, plan.target) == ("m.onnx", 2, "host")
    model.write_bytes(b"no model")
    with pytest.raises(ModelFileError):
        measure_file(model)
