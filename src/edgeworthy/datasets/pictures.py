"""Raw samples in a form that a report can draw.

Rules:

1. A picture is small: images at most 64 pixels a side, traces at most 240 points and 8 channels.
2. Decoded 8-bit images keep their brightness; all else is stretched to 0..255.
3. A color image is padded to a square with white, because its pixels come as a list.
4. Thinning a trace keeps its peaks: of each stretch the lowest and highest value stay, in order.
5. Sound becomes a spectrogram, and so do features of it (two axes, one over four times as long as
   the other): time runs to the right, the lowest band or coefficient lies at the bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.datasets.base import Dataset
from edgeworthy.documents.build import SamplePicture

_SIDE = 64
_POINTS = 240
_CHANNELS = 8
_PIXEL = 3
_WHITE = 255
_LONGEST_RATIO = 4
_BATCH_SIZE = 64
_DIGITS = 5
_BANDS = 48
_SILENCE = 1e-6
# Fewer are channels of a series: an accelerometer, a gyroscope and a compass have nine.
_FEWEST_COEFFICIENTS = 10
_FEATURE_AXES = 2
_WIDEST = 2.5


def sample_picture(dataset: Dataset, index: int) -> SamplePicture:
    """One raw sample as a picture.

    Raises:
        DatasetError: A sample cannot be read.
        IndexError: There is no such sample.
    """
    return sample_pictures(dataset, (index,))[0]


def sample_pictures(dataset: Dataset, indices: Sequence[int]) -> tuple[SamplePicture, ...]:
    """Some raw samples as pictures, in the order of ``indices``, in one pass.

    Raises:
        DatasetError: A sample cannot be read.
        IndexError: There is no such sample.
    """
    wanted = set(indices)
    if wanted and not 0 <= min(wanted) <= max(wanted) < len(dataset):
        raise IndexError(f"the set has {len(dataset)} samples, not all of {sorted(wanted)}")
    found: dict[int, SamplePicture] = {}
    for batch in dataset.batches(_BATCH_SIZE):
        if len(found) == len(wanted):
            break
        array = next(iter(batch.inputs.values()))
        for index in wanted.intersection(range(batch.first, batch.first + len(array))):
            found[index] = _picture(index, array[index - batch.first], dataset)
    return tuple(found[index] for index in indices)


def _picture(index: int, values: NDArray[Any], dataset: Dataset) -> SamplePicture:
    axes = dataset.axes
    spectrum = (
        spectrogram(_as_channels(values, axes).mean(axis=0), dataset.sample_rate_hz)
        if dataset.sample_rate_hz
        else _as_features(values, axes)
    )
    if spectrum is not None:
        rows = _pixel_rows(_tall(spectrum), keep=False)
        return SamplePicture(index=index, drawing="image", values=rows)
    image = _as_image(values, axes)
    if image is not None:
        keep = axes == "HWC" and values.dtype == np.uint8
        return SamplePicture(index=index, drawing="image", values=_pixel_rows(image, keep=keep))
    channels = _as_channels(values, axes)[:_CHANNELS]
    rows = tuple(_thinned(row) for row in channels)
    return SamplePicture(index=index, drawing="trace", values=rows)


def spectrogram(wave: NDArray[np.float64], sample_rate_hz: int) -> NDArray[np.float64] | None:
    """Levels in dB ``(bands, times)``, the highest band first; None for next to no sound.

    Hann windows of 32 ms; 60 dB below the loudest is silence.

    Args:
        wave: ``(time,)``.
        sample_rate_hz: Of the wave.

    >>> tone = np.sin(2 * np.pi * 1000.0 * np.arange(8000) / 8000)
    >>> levels = spectrogram(tone, 8000)
    >>> levels is not None and round(1 - float(levels.mean(axis=1).argmax()) / len(levels), 2)
    0.23
    """
    window = max(16, round(0.032 * sample_rate_hz))
    if len(wave) < 2 * window:
        return None
    starts = np.linspace(0, len(wave) - window, min(_SIDE, len(wave) // (window // 2))).astype(int)
    frames = np.stack([wave[at : at + window] for at in starts]) * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    bands = np.array_split(power, min(_BANDS, power.shape[1]), axis=1)
    levels = np.stack([band.mean(axis=1) for band in bands[::-1]])
    loudest = float(levels.max())
    if loudest <= 0.0:
        return None
    return 10.0 * np.log10(np.maximum(levels / loudest, _SILENCE))


def _as_features(values: NDArray[Any], axes: str) -> NDArray[np.float64] | None:
    """``(coefficients, times)``, the highest first, each standardized; None for others."""
    figures = values.squeeze()
    if axes or figures.ndim != _FEATURE_AXES:
        return None
    shorter, longer = sorted(figures.shape)
    if shorter < _FEWEST_COEFFICIENTS or longer <= _LONGEST_RATIO * shorter:
        return None
    rows = figures.T if figures.shape[0] > figures.shape[1] else figures
    numbers = rows.astype(np.float64)[::-1]
    # Otherwise the level and the swing of the first coefficients hide all others.
    centered = numbers - numbers.mean(axis=1, keepdims=True)
    spread = centered.std(axis=1, keepdims=True)
    return np.asarray(np.clip(centered / np.where(spread > 0, spread, 1.0), -_WIDEST, _WIDEST))


def _tall(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows repeated until the picture is about three quarters as high as it is wide."""
    height, width = spectrum.shape
    return np.repeat(spectrum, max(1, round(0.75 * min(width, _SIDE) / height)), axis=0)


def _as_image(values: NDArray[Any], axes: str) -> NDArray[Any] | None:
    """``(height, width)`` or ``(height, width, 3)`` if the sample looks like an image."""
    if axes not in ("", "HWC"):
        return None
    if not axes and values.ndim == _PIXEL and values.shape[0] in (1, _PIXEL):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == _PIXEL and values.shape[2] in (1, _PIXEL):
        return values[:, :, 0] if values.shape[2] == 1 else values
    if values.ndim == _PIXEL - 1 and max(values.shape) <= _LONGEST_RATIO * min(values.shape):
        return values
    return None


def _pixel_rows(image: NDArray[Any], *, keep: bool) -> tuple[tuple[float, ...], ...]:
    pixels = image if keep else _stretched(image)
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
        pixels = np.asarray(small)
    if pixels.ndim == _PIXEL:
        side = max(pixels.shape[:2])
        below, right = side - pixels.shape[0], side - pixels.shape[1]
        padding = ((below // 2, below - below // 2), (right // 2, right - right // 2), (0, 0))
        pixels = np.pad(pixels, padding, constant_values=_WHITE).reshape(-1, _PIXEL)
    return tuple(tuple(float(value) for value in row) for row in pixels)


def _stretched(image: NDArray[Any]) -> NDArray[np.uint8]:
    figures = image.astype(np.float64)
    low, high = figures.min(), figures.max()
    stretched: NDArray[np.float64] = np.rint((figures - low) / ((high - low) or 1.0) * 255)
    return stretched.astype(np.uint8)


def _as_channels(values: NDArray[Any], axes: str) -> NDArray[np.float64]:
    """``(channels, time)``: the longest axis is taken for time where nothing tells."""
    figures = values.astype(np.float64)
    if axes == "TC":
        return figures.T
    if figures.ndim <= 1:
        return figures.reshape(1, -1)
    time = int(np.argmax(figures.shape))
    return np.moveaxis(figures, time, -1).reshape(-1, figures.shape[time])


def _thinned(row: NDArray[np.float64]) -> tuple[float, ...]:
    if len(row) <= _POINTS:
        kept = row
    else:
        stretches = np.array_split(row, _POINTS // 2)
        kept = np.concatenate(
            [stretch[sorted((stretch.argmin(), stretch.argmax()))] for stretch in stretches]
        )
    return tuple(float(f"{value:.{_DIGITS}g}") for value in kept)
