from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeworthy.datasets import Dataset
from edgeworthy.datasets.npz_member import StoredArray, check_expansion
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError

OpenSection = Callable[..., Dataset]
SECTION = DataSection(path="samples.npz")
X = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
Y = np.array([0, 1, 0, 1])


def _refusal(open_section: OpenSection, section: DataSection = SECTION) -> str:
    with pytest.raises(DatasetError) as error:
        list(open_section(section).batches(2))
    return str(error.value)


def test_the_only_other_array_holds_the_samples(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(wave=X, target=Y)
    (batch,) = open_section(SECTION).batches(10)
    np.testing.assert_array_equal(batch.inputs[""], X)
    assert batch.labels.tolist() == [0, 1, 0, 1]


def test_arrays_by_model_input(write_npz: Callable[..., Path], open_section: OpenSection) -> None:
    write_npz(a=X, b=X * 2, z=Y)
    section = DataSection(path="samples.npz", inputs={"left": "a", "right": ("b",)}, labels="z")
    (batch,) = open_section(section).batches(10)
    np.testing.assert_array_equal(batch.inputs["left"], X)
    np.testing.assert_array_equal(batch.inputs["right"], X * 2)


def test_a_wrong_name_is_answered_with_the_nearest(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(samples=X, labels=Y)
    wrong = DataSection(path="samples.npz", labels="lables")
    assert "Did you mean `labels`" in _refusal(open_section, wrong)
    wrong = DataSection(path="samples.npz", inputs={"x": "sample"})
    assert "Did you mean `samples`" in _refusal(open_section, wrong)
    wrong = DataSection(path="samples.npz", slices=("zzz",))
    assert "no array `zzz`" in _refusal(open_section, wrong)
    wrong = DataSection(path="samples.npz", inputs={"x": ("samples", "labels")})
    assert "must come from one array" in _refusal(open_section, wrong)


def test_nothing_obvious_is_asked_for(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(one=X, two=X, y=Y)
    assert "no array with the samples" in _refusal(open_section)
    write_npz(x=X)
    assert "no array with the labels" in _refusal(open_section)


def test_lengths_that_differ(write_npz: Callable[..., Path], open_section: OpenSection) -> None:
    write_npz(x=X, y=Y[:3])
    assert "array `x` and the labels differ in length. Expected 3 entries" in _refusal(open_section)
    write_npz(x=X, y=Y, hand=np.array(["l"]))
    section = DataSection(path="samples.npz", slices=("hand",))
    assert "array `hand` and the labels differ" in _refusal(open_section, section)


def test_python_objects_are_never_unpickled(tmp_path: Path, open_section: OpenSection) -> None:
    np.savez(tmp_path / "samples.npz", x=np.array([{"a": 1}, None], dtype=object), y=Y[:2])
    assert "Python objects" in _refusal(open_section)


def test_scalars_and_structures_are_refused(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=np.array(1.0), y=Y)
    assert "no axis of samples" in _refusal(open_section)
    write_npz(x=np.zeros(4, dtype=[("a", "f4")]), y=Y)
    assert "no axis of samples" in _refusal(open_section)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + bytes(100)])
def test_not_an_archive(tmp_path: Path, open_section: OpenSection, content: bytes) -> None:
    (tmp_path / "samples.npz").write_bytes(content)
    assert "not a whole npz file" in _refusal(open_section)


SAVERS = (np.savez, np.savez_compressed)


@pytest.mark.parametrize("save", SAVERS)
def test_every_truncation_is_one_error(
    tmp_path: Path, open_section: OpenSection, save: Callable[..., None]
) -> None:
    save(tmp_path / "samples.npz", x=X, y=Y)
    data = (tmp_path / "samples.npz").read_bytes()
    for length in range(0, len(data), 37):
        (tmp_path / "samples.npz").write_bytes(data[:length])
        assert "samples.npz" in _refusal(open_section)


@pytest.mark.parametrize("save", SAVERS)
def test_flipped_bytes_are_one_error_or_harmless(
    tmp_path: Path, open_section: OpenSection, save: Callable[..., None]
) -> None:
    save(tmp_path / "samples.npz", x=X, y=Y)
    data = bytearray((tmp_path / "samples.npz").read_bytes())
    refusals = 0
    for position in range(0, len(data), 5):
        data[position] ^= 0x41
        (tmp_path / "samples.npz").write_bytes(data)
        try:
            list(open_section(SECTION).batches(2))
        except DatasetError:
            refusals += 1
        data[position] ^= 0x41
    assert refusals > 10


def _member(shape: tuple[int, ...], data: bytes) -> bytes:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


@pytest.mark.parametrize("member", [_member((4, 10**15), bytes(64)), _member((4, 2), bytes(8))])
def test_a_header_that_lies_about_its_size(
    tmp_path: Path, open_section: OpenSection, member: bytes
) -> None:
    with zipfile.ZipFile(tmp_path / "samples.npz", "w") as archive:
        archive.writestr("x.npy", member)
        archive.writestr("y.npy", _member((4,), bytes(16)))
    assert "its header lies about its size" in _refusal(open_section)


@pytest.mark.parametrize(
    "member", [b"", b"\x93NUMPY\x09\x00" + bytes(99), b"\x93NUMPY\x01\x00\xff"]
)
def test_a_header_that_cannot_be_read(
    tmp_path: Path, open_section: OpenSection, member: bytes
) -> None:
    with zipfile.ZipFile(tmp_path / "samples.npz", "w") as archive:
        archive.writestr("x.npy", member)
        archive.writestr("y.npy", _member((4,), bytes(16)))
    assert "header of the array cannot be read" in _refusal(open_section)


def _array(*shape: int, fortran: bool = False) -> StoredArray:
    return StoredArray("x.npy", shape, np.dtype(np.float32), fortran, 128)


def test_a_zip_bomb_is_refused_before_it_is_read() -> None:
    array = _array(1000, 100_000)
    with pytest.raises(DatasetError, match="zip bomb"):
        check_expansion(array, array.size_bytes + 128, 400_000, where="x")
    check_expansion(array, array.size_bytes + 128, array.size_bytes, where="x")
    check_expansion(_array(10, 10), 528, 1, where="x")


@pytest.mark.parametrize(
    "array", [_array(2, 2**29), _array(2**29), _array(2**15, 2**15, fortran=True)]
)
def test_what_must_be_held_at_once_has_a_limit(array: StoredArray) -> None:
    with pytest.raises(DatasetError, match="too large to be held at once"):
        check_expansion(array, array.size_bytes + 128, array.size_bytes, where="x")


def test_large_arrays_come_in_small_batches(tmp_path: Path, open_section: OpenSection) -> None:
    np.savez(tmp_path / "samples.npz", x=np.zeros((5, 1 << 25), np.uint8), y=[0, 1, 0, 1, 0])
    batches = list(open_section(SECTION).batches(100))
    assert [len(batch.labels) for batch in batches] == [2, 2, 1]
    assert [batch.first for batch in batches] == [0, 2, 4]
