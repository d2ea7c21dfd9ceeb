"""Folders of sound by class.

Rules:

1. Uncompressed PCM of 8, 16, 24 or 32 bits becomes float32 in [-1, 1): full scale is 1.
2. All files have the same sample rate and the same number of channels.
3. A file that is shorter than its header says is an error.
"""

from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.class_folder import ClassFolderDataset
from edgeworthy.datasets.reading import reading
from edgeworthy.documents.encoded import EncodedSample, EncodedSound
from edgeworthy.errors import DatasetError

_BITS_PER_BYTE = 8


class WavFolderDataset(ClassFolderDataset):
    """Sound in one sub-folder per class; ``(time,)`` if mono, else ``(time, channels)``.

    Args:
        declaration: Of the data set.

    Raises:
        DatasetError: The folder does not hold what was declared.
    """

    data_format = "wav-folder"
    suffixes: ClassVar[frozenset[str]] = frozenset((".wav", ".wave"))

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._channels = 0
        self.axes = "T"
        for _, path in self._files_of_rows[:1]:
            with reading(path), path.open("rb") as stream:
                header, _ = _read(stream, where=str(path))
            self._channels = header.nchannels
            self.sample_rate_hz = header.framerate
            self.axes = "T" if header.nchannels == 1 else "TC"

    def decode(self, path: Path) -> NDArray[Any]:
        """The amplitudes of one file."""
        with path.open("rb") as stream:
            header, data = _read(stream, where=str(path))
        if (header.framerate, header.nchannels) != (self.sample_rate_hz, self._channels):
            raise DatasetError(
                "another kind of recording than the first file",
                expected=f"{self.sample_rate_hz} Hz, {self._channels} channels",
                found=f"{header.framerate} Hz, {header.nchannels} channels",
                where=str(path),
                next_step="Resample all files to one rate and one number of channels",
            )
        return _arranged(header, data)

    def encode(self, path: Path) -> EncodedSample:
        """The bytes of one file."""
        return EncodedSound(data=path.read_bytes())


def decode_wav(stream: IO[bytes], *, where: str) -> NDArray[np.float32]:
    """The amplitudes of one file: ``(time,)`` if mono, else ``(time, channels)``.

    Args:
        stream: The file's bytes.
        where: What they came from, for the error message.

    Raises:
        DatasetError: It is damaged or of another kind.
    """
    return _arranged(*_read(stream, where=where))


def _arranged(header: Any, data: bytes) -> NDArray[np.float32]:  # noqa: ANN401 - wave's own type
    values = amplitudes(data, header.sampwidth)
    return values if header.nchannels == 1 else values.reshape(-1, header.nchannels)


def amplitudes(data: bytes, width: int) -> NDArray[np.float32]:
    """PCM as it lies in a wav file, as amplitudes.

    Args:
        data: Little-endian samples; 8-bit ones are unsigned, wider ones signed.
        width: Bytes per sample, 1 to 4.

    Returns:
        ``(len(data) / width,)`` in [-1, 1).

    >>> amplitudes(bytes([0, 128, 192]), 1).tolist()
    [-1.0, 0.0, 0.5]
    """
    if width == 1:
        return ((np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128).astype(np.float32)
    octets = np.frombuffer(data, np.uint8).reshape(-1, width)
    # Left-aligned in 32 bits, every width has the same full scale.
    aligned = np.zeros((len(octets), 4), np.uint8)
    aligned[:, 4 - width :] = octets
    return (aligned.view("<i4")[:, 0] / float(1 << 31)).astype(np.float32)


def _read(stream: IO[bytes], *, where: str) -> tuple[Any, bytes]:
    try:
        with wave.open(stream) as sound:
            header = sound.getparams()
            data = sound.readframes(header.nframes)
    except (wave.Error, EOFError, struct.error, ValueError) as error:
        raise DatasetError(
            f"not a wav file that can be read: {str(error) or 'it ends too early'}",
            expected="uncompressed PCM",
            where=where,
            next_step="Convert it, for example with sox or ffmpeg -c:a pcm_s16le",
        ) from error
    promised = header.nframes * header.nchannels * header.sampwidth
    if len(data) != promised or not promised:
        raise DatasetError(
            "the sound is cut short" if data else "there is no sound in it",
            expected=f"{promised} bytes" if promised else "at least one sample",
            found=f"{len(data)} bytes",
            where=where,
            next_step="Replace the file, or remove it",
        )
    if header.sampwidth not in range(1, 5):
        raise DatasetError(
            "PCM of an unknown width",
            expected="8, 16, 24 or 32 bits",
            found=f"{header.sampwidth * _BITS_PER_BYTE} bits",
            where=where,
        )
    return header, data
