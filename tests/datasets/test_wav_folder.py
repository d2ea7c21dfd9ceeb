from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.datasets import Dataset
from edgeworthy.datasets.wav_folder import amplitudes
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError

OpenSection = Callable[..., Dataset]
WriteWav = Callable[..., None]
SECTION = DataSection(path="sounds")


@pytest.fixture
def sounds(tmp_path: Path, write_wav: WriteWav) -> Path:
    for name in ("cat/a.wav", "cat/b.wav", "dog/a.wav"):
        write_wav(tmp_path / "sounds" / name, bytes(range(20)))
    return tmp_path / "sounds"


def _refusal(open_section: OpenSection) -> str:
    with pytest.raises(DatasetError) as error:
        list(open_section(SECTION).batches(2))
    return str(error.value)


@pytest.mark.parametrize(
    ("width", "data", "expected"),
    [
        (1, "00 80 c0 ff", [-1.0, 0.0, 0.5, 127 / 128]),
        (2, "0080 0000 0040 ff7f", [-1.0, 0.0, 0.5, 32767 / 32768]),
        (3, "000080 000000 000040 010000", [-1.0, 0.0, 0.5, 2.0**-23]),
        (4, "00000080 00000000 00000040 00000100", [-1.0, 0.0, 0.5, 2.0**-15]),
    ],
)
def test_full_scale_is_one(width: int, data: str, expected: list[float]) -> None:
    values = amplitudes(bytes.fromhex(data), width)
    assert values.dtype == np.float32
    assert values.tolist() == expected


@given(st.binary(max_size=120), st.integers(min_value=1, max_value=4))
def test_amplitudes_stay_in_range(data: bytes, width: int) -> None:
    values = amplitudes(data[: len(data) // width * width], width)
    assert len(values) == len(data) // width
    assert not len(values) or (values.min() >= -1 and values.max() <= 1)


def test_rate_and_axes_are_recorded(
    sounds: Path, write_wav: WriteWav, open_section: OpenSection
) -> None:
    dataset = open_section(SECTION)
    assert (dataset.sample_rate_hz, dataset.axes) == (8000, "T")
    for path in sorted(sounds.glob("*/*.wav")):
        write_wav(path, bytes(24), channels=2, width=3, rate=16000)
    dataset = open_section(SECTION)
    assert (dataset.sample_rate_hz, dataset.axes) == (16000, "TC")
    assert next(dataset.batches(9)).inputs[""].shape == (3, 4, 2)


def test_another_rate_or_channel_is_refused(
    sounds: Path, write_wav: WriteWav, open_section: OpenSection
) -> None:
    write_wav(sounds / "dog/a.wav", bytes(20), rate=16000)
    message = _refusal(open_section)
    assert "dog/a.wav" in message
    assert "Expected 8000 Hz, 1 channels, found 16000 Hz, 1 channels" in message
    write_wav(sounds / "dog/a.wav", bytes(20), channels=2)
    assert "found 8000 Hz, 2 channels" in _refusal(open_section)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it ends too early"),
        (b"RIFF", "not a wav file"),
        (b"no sound at all, just text", "not a wav file"),
    ],
)
def test_not_a_wav_file(
    sounds: Path, open_section: OpenSection, content: bytes, message: str
) -> None:
    (sounds / "cat/b.wav").write_bytes(content)
    refusal = _refusal(open_section)
    assert message in refusal
    assert "b.wav" in refusal


def test_a_compressed_wav_is_refused(sounds: Path, open_section: OpenSection) -> None:
    data = bytearray((sounds / "cat/b.wav").read_bytes())
    data[20] = 0x11  # IMA ADPCM
    (sounds / "cat/b.wav").write_bytes(data)
    assert "Expected uncompressed PCM" in _refusal(open_section)


def test_a_sound_that_is_cut_short_is_refused(sounds: Path, open_section: OpenSection) -> None:
    data = (sounds / "cat/b.wav").read_bytes()
    (sounds / "cat/b.wav").write_bytes(data[:-4])
    assert "the sound is cut short. Expected 20 bytes, found 16 bytes" in _refusal(open_section)


def test_silence_of_no_length_is_refused(
    sounds: Path, write_wav: WriteWav, open_section: OpenSection
) -> None:
    write_wav(sounds / "cat/a.wav", b"")
    assert "there is no sound in it" in _refusal(open_section)


def test_an_unknown_width_is_refused(sounds: Path, open_section: OpenSection) -> None:
    data = bytearray((sounds / "cat/a.wav").read_bytes())
    data[34] = 40  # bits per sample
    data[32] = 5  # bytes per frame
    (sounds / "cat/a.wav").write_bytes(data)
    assert "8, 16, 24 or 32 bits, found 40 bits" in _refusal(open_section)
