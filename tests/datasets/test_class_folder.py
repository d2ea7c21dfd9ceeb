from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.datasets import Dataset, sample_digests
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError, ProjectFileError

OpenSection = Callable[..., Dataset]
WriteImage = Callable[[Path, NDArray[Any]], None]
SECTION = DataSection(path="pets")
GREY = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)


@pytest.fixture
def pets(tmp_path: Path, write_image: WriteImage) -> Path:
    for name in ("cat/b.png", "cat/a.png", "dog/c.png"):
        write_image(tmp_path / "pets" / name, GREY + len(name))
    return tmp_path / "pets"


def _refusal(open_section: OpenSection, section: DataSection = SECTION) -> str:
    with pytest.raises(DatasetError) as error:
        list(open_section(section).batches(2))
    return str(error.value)


def test_labels_give_the_order_of_classes_and_names_that_of_files(
    pets: Path, write_image: WriteImage, open_section: OpenSection
) -> None:
    write_image(pets / "cat/a.png", GREY + 100)
    (batch,) = open_section(SECTION, labels=("dog", "cat")).batches(9)
    assert batch.labels.tolist() == [0, 1, 1]
    assert batch.inputs[""][1, 0, 0, 0] == 100


def test_an_anomaly_detector_needs_no_labels(
    tmp_path: Path, write_image: WriteImage, open_section: OpenSection
) -> None:
    write_image(tmp_path / "pets/anomalous/1.png", GREY)
    write_image(tmp_path / "pets/normal/1.png", GREY)
    (batch,) = open_section(SECTION, task="anomaly", labels=()).batches(9)
    assert batch.labels.tolist() == [0, 1]


def test_folders_need_declared_classes(pets: Path, open_section: OpenSection) -> None:
    assert pets.is_dir()
    with pytest.raises(ProjectFileError, match=r"class names in `model\.labels`"):
        open_section(SECTION, labels=())
    with pytest.raises(ProjectFileError, match="task `regression`"):
        open_section(SECTION, task="regression")


def test_an_empty_class_is_refused(pets: Path, open_section: OpenSection) -> None:
    (pets / "dog/c.png").unlink()
    (pets / "dog/.DS_Store").write_bytes(b"hidden")
    message = _refusal(open_section)
    assert "the class has no file in it" in message
    assert str(pets / "dog") in message


def test_an_undeclared_folder_is_refused(
    pets: Path, write_image: WriteImage, open_section: OpenSection
) -> None:
    write_image(pets / "dogs/1.png", GREY)
    assert "Did you mean `dog`" in _refusal(open_section)


def test_a_file_of_another_kind_is_refused(pets: Path, open_section: OpenSection) -> None:
    (pets / "cat/notes.txt").write_text("hello")
    assert "notes.txt: not a file for a data set of format `image-folder`" in _refusal(open_section)


def test_slices_need_a_line_for_each_file(pets: Path, open_section: OpenSection) -> None:
    section = DataSection(path="pets", slices=("light",))
    assert "slices.csv: no such file" in _refusal(open_section, section)
    (pets / "slices.csv").write_text("file,light\ncat/a.png,day\ncat/x.png,night\n")
    assert "no line for `cat/b.png`. Did you mean" in _refusal(open_section, section)
    (pets / "slices.csv").write_text("light\nday\n")
    assert "no column `file`" in _refusal(open_section, section)
    (pets / "slices.csv").write_text("file,lihgt\ncat/a.png,day\n")
    assert "no column `light`" in _refusal(open_section, section)
    (pets / "slices.csv").write_bytes(b"file,light\n\xff,day\n")
    assert "not a table of text" in _refusal(open_section, section)


def test_images_of_other_sizes_end_a_batch(
    pets: Path, write_image: WriteImage, open_section: OpenSection
) -> None:
    write_image(pets / "cat/b.png", np.zeros((5, 5, 1), np.uint8))
    batches = list(open_section(SECTION).batches(9))
    assert [batch.inputs[""].shape for batch in batches] == [
        (1, 3, 4, 1),
        (1, 5, 5, 1),
        (1, 3, 4, 1),
    ]


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [
        ("1", (3, 4, 1), np.uint8),
        ("L", (3, 4, 1), np.uint8),
        ("LA", (3, 4, 1), np.uint8),
        ("P", (3, 4, 3), np.uint8),
        ("RGB", (3, 4, 3), np.uint8),
        ("RGBA", (3, 4, 3), np.uint8),
        ("I;16", (3, 4, 1), np.uint16),
        ("I", (3, 4, 1), np.int32),
        ("F", (3, 4, 1), np.float32),
    ],
)
def test_every_mode_becomes_grey_or_color(
    pets: Path, open_section: OpenSection, mode: str, shape: tuple[int, ...], dtype: type
) -> None:
    (pets / "cat/a.png").unlink()
    Image.new(mode, (4, 3)).save(pets / "cat/a.tif")
    first = next(open_section(SECTION).batches(1))
    assert first.inputs[""].shape[1:] == shape
    assert first.inputs[""].dtype == dtype


def test_exif_orientation_is_applied(pets: Path, open_section: OpenSection) -> None:
    image = Image.fromarray(np.repeat(GREY * 20, 3, axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter, clockwise to see it upright
    image.save(pets / "cat/a.png", exif=exif)
    first = next(open_section(SECTION).batches(1))
    expected = np.rot90(np.repeat(GREY * 20, 3, axis=2), k=-1)
    np.testing.assert_array_equal(first.inputs[""][0], expected)


def test_a_truncated_image_is_named(pets: Path, open_section: OpenSection) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in ("a.png", "a.jpg"):
        Image.fromarray(noise).save(pets / "cat" / name)
        data = (pets / "cat" / name).read_bytes()
        for length in (0, 10, len(data) // 2, len(data) - 100):
            (pets / "cat" / name).write_bytes(data[:length])
            message = _refusal(open_section)
            assert f"{name}: the image is damaged" in message
        (pets / "cat" / name).unlink()


def test_a_decompression_bomb_is_refused_unread(pets: Path, open_section: OpenSection) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    for side in (10_000, 40_000):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        body = chunk(b"IDAT", zlib.compress(bytes(1000)))
        (pets / "cat/a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + body)
        assert "a.png: the image is absurdly large" in _refusal(open_section)


def test_a_renamed_file_starts_no_other_decoder(pets: Path, open_section: OpenSection) -> None:
    (pets / "cat/a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n")
    assert "the image is damaged" in _refusal(open_section)


def test_what_cannot_be_read_is_named(tmp_path: Path, open_section: OpenSection) -> None:
    assert "no such file or folder" in _refusal(open_section)
    (tmp_path / "pets").symlink_to(tmp_path / "pets")
    assert "pets: cannot be read" in _refusal(open_section)


def test_an_unreadable_folder(pets: Path, open_section: OpenSection) -> None:
    pets.chmod(0)
    was_root = os.geteuid() == 0
    if was_root:  # root may read everything, nobody may not
        os.seteuid(65534)
    try:
        message = _refusal(open_section)
    finally:
        if was_root:
            os.seteuid(0)
        pets.chmod(0o755)
    assert f"{pets}: cannot be read: permission denied" in message


def test_digests_do_not_depend_on_the_batch(pets: Path, open_section: OpenSection) -> None:
    assert len(set(sample_digests(open_section(SECTION)))) == 1
    assert pets.is_dir()
