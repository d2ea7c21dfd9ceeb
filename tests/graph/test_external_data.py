"""No byte outside the model's folder is read, and no more than is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from edgeworthy.errors import ModelFileError
from edgeworthy.graph import load_model
from edgeworthy.graph.external_data import check_references, read_reference
from edgeworthy.graph.tensors import stored_tensors

MakeExternal = Callable[..., None]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The model's folder; beside it a file that must never be read."""
    (tmp_path / "secret.bin").write_bytes(b"\0" * 64)
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def refuse(home: Path, linear: onnx.ModelProto, make_external: MakeExternal) -> Callable[..., str]:
    def check(**entries: str) -> str:
        make_external(linear, **entries)
        path = home / "model.onnx"
        path.write_bytes(linear.SerializeToString())
        with pytest.raises(ModelFileError) as caught:
            load_model(path)
        assert caught.value.next_step
        return str(caught.value)

    return check


@pytest.mark.parametrize(
    "location",
    [
        "../secret.bin",
        "sub/../../secret.bin",
        "/etc/passwd",
        "",
        "C:\\weights.bin",
        "..\\secret.bin",
        "a\0b",
    ],
)
def test_a_location_outside_the_folder(refuse: Callable[..., str], location: str) -> None:
    assert "points outside the model's folder" in refuse(location=location)


def test_no_location_at_all(refuse: Callable[..., str]) -> None:
    assert "points outside the model's folder" in refuse(offset="0")


def test_the_last_of_repeated_locations_counts(
    home: Path, linear: onnx.ModelProto, refuse: Callable[..., str]
) -> None:
    (home / "good.bin").write_bytes(b"\0" * 32)
    linear.graph.initializer[0].external_data.add(key="location", value="good.bin")
    assert "points outside" in refuse(location="../secret.bin")


def test_a_link_that_leaves_the_folder(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").symlink_to(home.parent / "secret.bin")
    assert "points outside the model's folder" in refuse(location="weights.bin")


def test_a_linked_folder_that_leaves_the_folder(home: Path, refuse: Callable[..., str]) -> None:
    (home / "sub").symlink_to(home.parent)
    assert "points outside the model's folder" in refuse(location="sub/secret.bin")


def test_a_loop_of_links(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").symlink_to(home / "weights.bin")
    text = refuse(location="weights.bin")
    assert "points outside the model's folder" in text or "is missing" in text


@pytest.mark.parametrize("location", ["weights.bin", "sub/weights.bin", "x" * 5000])
def test_a_missing_file(refuse: Callable[..., str], location: str) -> None:
    text = refuse(location=location)
    assert f"is missing. Expected the file `{Path(location).name[:60]}" in text
    assert len(text) < 400


def test_a_file_shorter_than_declared(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").write_bytes(b"\0" * 31)
    text = refuse(location="weights.bin", length="32")
    assert "shorter than declared. Expected at least 32 bytes in `weights.bin`, found 31" in text


def test_an_offset_beyond_the_end(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").write_bytes(b"\0" * 32)
    assert "shorter than declared" in refuse(location="weights.bin", offset="1")


def test_a_length_that_is_not_that_of_the_tensor(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").write_bytes(b"\0" * 64)
    text = refuse(location="weights.bin", length="64")
    assert "does not fit its shape [4, 2]. Expected 32 bytes, found a declared length of 64" in text


@pytest.mark.parametrize("offset", ["-1", "1e3", "", "9" * 30, "0x10", "٣"])
def test_a_malformed_offset(home: Path, refuse: Callable[..., str], offset: str) -> None:
    (home / "weights.bin").write_bytes(b"\0" * 64)
    assert "malformed offset or length" in refuse(location="weights.bin", offset=offset)


def test_a_pipe_is_refused_without_waiting_for_it(home: Path, refuse: Callable[..., str]) -> None:
    os.mkfifo(home / "weights.bin")
    assert "not a regular file" in refuse(location="weights.bin")


def test_a_folder_is_not_data(home: Path, refuse: Callable[..., str]) -> None:
    (home / "weights.bin").mkdir()
    assert "not a regular file" in refuse(location="weights.bin")


def test_many_references_to_the_same_bytes_stay_below_the_limit(
    home: Path, linear: onnx.ModelProto, make_external: MakeExternal
) -> None:
    (home / "weights.bin").write_bytes(b"\0" * 32)
    make_external(linear, location="weights.bin")
    tensors = list(stored_tensors(linear)) * 100
    with pytest.raises(ModelFileError, match="at most 3199 bytes, found 3200 bytes"):
        check_references(tensors, model=home / "model.onnx", limit_bytes=3199)
    allowed = check_references(tensors, model=home / "model.onnx", limit_bytes=3200)
    assert len(allowed) == 100


def test_a_link_inside_the_folder_is_followed(
    home: Path, linear: onnx.ModelProto, make_external: MakeExternal
) -> None:
    (home / "real.bin").write_bytes(b"\0" * 32)
    (home / "weights.bin").symlink_to("real.bin")
    make_external(linear, location="weights.bin")
    (home / "model.onnx").write_bytes(linear.SerializeToString())
    assert load_model(home / "model.onnx").proto.graph.initializer[0].raw_data == b"\0" * 32


def test_a_file_that_changes_after_the_check(
    home: Path, linear: onnx.ModelProto, make_external: MakeExternal
) -> None:
    data, model = home / "weights.bin", home / "model.onnx"
    data.write_bytes(b"\0" * 32)
    make_external(linear, location="weights.bin")
    (reference,) = check_references(stored_tensors(linear), model=model, limit_bytes=99)
    data.write_bytes(b"\0" * 8)
    with pytest.raises(ModelFileError, match="changed while it was read"):
        read_reference(reference, model=model)
    data.unlink()
    data.symlink_to(home.parent / "secret.bin")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_reference(reference, model=model)
