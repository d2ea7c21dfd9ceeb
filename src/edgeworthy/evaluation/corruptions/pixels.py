"""What corruptions of pictures are built from: filters, smooth fields, shifts.

Pictures are ``(n, height, width, channels)`` float32 from 0 to 1. Each filter works on every sample
alone, in an order of additions that does not depend on how many there are.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeworthy.evaluation.corruptions.base import Corruption, LevelT, Samples, Scene
from edgeworthy.evaluation.corruptions.draws import Draws

_SMALL_SIDE, _LARGE_SIDE = 8, 224
_COLOR = 3
#: Beyond it a disk of whole pixels is round enough.
_SOFT_RADIUS = 2.5
#: Beyond it a filter is faster as products of matrices.
_LONG_RADIUS = 4
_BLOCK_ROWS = 32


class ImageCorruption(Corruption[LevelT]):
    """A corruption of pictures: ``(n, height, width, channels)``, 0 is black and 1 is white."""

    kind = "image"
    bounds = (0.0, 1.0)


class ByteImageCorruption(ImageCorruption[LevelT]):
    """A corruption of pictures that is made of 8-bit values: other pictures are rounded to them."""

    @abc.abstractmethod
    def apply_to_picture(self, picture: Image.Image, level: LevelT) -> Image.Image:
        """Corrupt one picture of 8 bits, in color or in gray; it may be overwritten."""

    def apply_to_bytes(self, images: NDArray[np.uint8], level: LevelT) -> NDArray[np.uint8]:
        """Corrupt ``(n, height, width, channels)``; what is not color goes channel by channel."""
        height, width, channels = images.shape[1:]
        color = channels == _COLOR
        # One for all: making it new for each picture costs as much as filling it.
        picture = Image.new("RGB" if color else "L", (width, height), None)
        stored = np.empty(images.shape, np.uint8)
        for image, place in zip(images, stored, strict=True):
            for part in (...,) if color else [(..., channel) for channel in range(channels)]:
                picture.frombytes(np.ascontiguousarray(image[part]))
                place[part] = self.apply_to_picture(picture, level)
        return stored

    def apply(self, samples: Samples, level: LevelT, scene: Scene) -> Samples:  # noqa: ARG002 - rounding needs no chance
        """See :meth:`edgeworthy.evaluation.corruptions.base.Corruption.apply`."""
        return from_bytes(self.apply_to_bytes(as_bytes(samples), level))


def sized(images: Samples, small: float, large: float) -> float:
    """A length in pixels, given for pictures of 8 and of 224 pixels, for these pictures.

    >>> sized(np.zeros((1, 8, 8, 1), np.float32), 1.0, 10.0)
    1.0
    """
    share = (min(images.shape[1:3]) - _SMALL_SIDE) / (_LARGE_SIDE - _SMALL_SIDE)
    result: float = max(small + (large - small) * share, min(small, large) / 4)
    return result


def luminance(images: Samples) -> Samples:
    """``(n, height, width, 1)``: ITU-R BT.601 for color, the mean for all else."""
    if images.shape[-1] != _COLOR:
        gray: Samples = images.mean(axis=-1, keepdims=True, dtype=np.float32)
        return gray
    red, green, blue = (images[..., index : index + 1] for index in range(3))
    result: Samples = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return result


def gaussian_blurred(images: Samples, sigma: float) -> Samples:
    """Blurred by a Gaussian of ``sigma`` pixels; what lies outside is mirrored."""
    radius = max(1, math.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    if radius > _LONG_RADIUS:
        down, across = (_mirrored_matrix(size, weights) for size in images.shape[1:3])
        return np.stack([_long_filtered(image, down, across, radius) for image in images])
    for axis in (1, 2):
        images = _mirrored_filter(images, weights, axis)
    return images


def _mirrored(size: int, radius: int) -> NDArray[np.int64]:
    """Places of a line of this size, and of its mirror images on both sides."""
    places = np.abs(np.arange(-radius, size + radius)) % max(1, 2 * size - 2)
    return np.where(places >= size, 2 * size - 2 - places, places) if size > 1 else 0 * places


def _mirrored_matrix(size: int, weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """``(size, size)``: what each place gets of each."""
    radius = len(weights) - 1
    kernel = np.concatenate([weights[:0:-1], weights])
    sources = np.lib.stride_tricks.sliding_window_view(_mirrored(size, radius), 2 * radius + 1)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], sources), kernel)
    return matrix.astype(np.float32)


def _long_filtered(
    image: Samples, down: NDArray[np.float32], across: NDArray[np.float32], radius: int
) -> Samples:
    height, width, channels = image.shape
    once = _band_product(down, image.reshape(height, -1), radius).reshape(image.shape)
    turned = np.ascontiguousarray(once.transpose(1, 0, 2)).reshape(width, -1)
    twice = _band_product(across, turned, radius)
    return twice.reshape(width, height, channels).transpose(1, 0, 2)


def _band_product(matrix: NDArray[np.float32], values: Samples, radius: int) -> Samples:
    """``matrix @ values`` where the matrix is zero far from its diagonal."""
    result = np.empty_like(values)
    for first in range(0, len(matrix), _BLOCK_ROWS):
        rows = slice(first, first + _BLOCK_ROWS)
        band = slice(max(0, first - radius), first + _BLOCK_ROWS + radius)
        np.matmul(matrix[rows, band], values[band], out=result[rows])
    return result


def _mirrored_filter(images: Samples, weights: NDArray[np.float64], axis: int) -> Samples:
    radius, size = len(weights) - 1, images.shape[axis]
    padded = np.take(images, _mirrored(size, radius), axis=axis)

    def shifted(offset: int) -> Samples:
        part = slice(radius + offset, radius + offset + size)
        result: Samples = padded[:, part] if axis == 1 else padded[:, :, part]
        return result

    total = shifted(0) * np.float32(weights[0])
    pair = np.empty_like(total)
    for offset in range(1, radius + 1):
        np.add(shifted(offset), shifted(-offset), out=pair)
        pair *= np.float32(weights[offset])
        total += pair
    return total


def disk_blurred(images: Samples, radius: float) -> Samples:
    """Blurred by an even disk, as a lens out of focus does; the border is repeated.

    A row of the disk is a box, and a box is the difference of two running sums.
    """
    reach = math.ceil(radius + 0.5)
    height, width = images.shape[1:3]
    margin = ((0, 0), (reach, reach), (reach + 1, reach), (0, 0))
    padded = np.pad(images, margin, mode="edge")
    sums = np.cumsum(padded, axis=2)
    total, area = np.zeros_like(images), 0.0
    for row in range(reach + 1):
        spread = (radius + 0.5) ** 2 - row**2
        if spread <= 0.0:
            continue
        half = math.sqrt(spread) - 0.5
        if radius > _SOFT_RADIUS:
            half = float(round(half))
        full = max(0, math.floor(half))
        edge, weight = max(0.0, half - full), min(1.0, 2 * half + 1)
        if weight <= 0.0:
            continue
        line = _box_rows(padded, sums, (full, edge, weight), (reach, width))
        total += line[:, reach + row : reach + row + height]
        if row:
            total += line[:, reach - row : reach - row + height]
        area += (2 if row else 1) * (weight * (2 * full + 1) + 2 * edge)
    total /= np.float32(area)
    return total


def _box_rows(
    padded: Samples, sums: Samples, box: tuple[int, float, float], place: tuple[int, int]
) -> Samples:
    """Every row filtered by a box of half width ``full`` and softer ends."""
    (full, edge, weight), (reach, width) = box, place
    middle = reach + 1
    if full:
        line = (
            sums[:, :, middle + full : middle + full + width]
            - (sums[:, :, middle - full - 1 : middle - full - 1 + width])
        )
    else:
        line = padded[:, :, middle : middle + width] * np.float32(weight)
    if edge and full + 1 <= reach:
        ends = (
            padded[:, :, middle + full + 1 : middle + full + 1 + width]
            + (padded[:, :, middle - full - 1 : middle - full - 1 + width])
        )
        ends *= np.float32(edge)
        line = line + ends
    return line


def line_blurred(images: Samples, steps: Sequence[NDArray[np.int64]], weights: Samples) -> Samples:
    """Each picture smeared along its own line; the border is repeated.

    Args:
        images: The pictures.
        steps: Per picture ``(k, 2)``: rows and columns to look aside.
        weights: ``(k,)``, summing to 1.
    """
    result = np.empty_like(images)
    height, width = images.shape[1:3]
    for image, offsets, place in zip(images, steps, result, strict=True):
        reach = int(np.abs(offsets).max())
        padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        place.fill(0.0)
        part = np.empty_like(image)
        for (down, across), weight in zip(offsets.tolist(), weights, strict=True):
            top, left = reach + down, reach + across
            np.multiply(padded[top : top + height, left : left + width], weight, out=part)
            np.add(place, part, out=place)
    return result


def line_steps(angles: NDArray[np.float32], reach: float) -> tuple[list[NDArray[np.int64]], int]:
    """Offsets along lines through the middle, and how many there are on each."""
    count = max(1, round(reach))
    along = np.arange(-count, count + 1) * (reach / count)
    steps = [
        np.rint(np.stack([along * math.sin(angle), along * math.cos(angle)], axis=1)).astype(
            np.int64
        )
        for angle in angles.tolist()
    ]
    return steps, len(along)


def smooth_field(draws: Draws, size: tuple[int, int], cells: int, octaves: int = 1) -> Samples:
    """``(n, height, width)`` of hills and valleys from 0 to 1.

    Args:
        draws: Random numbers.
        size: Height and width.
        cells: Hills along a side.
        octaves: Finer fields, each twice as fine and half as high, that are added.
    """
    total = np.zeros((len(draws), *size), np.float32)
    weight, sum_of_weights = 1.0, 0.0
    for _ in range(octaves):
        grid = draws.uniform((cells + 1, cells + 1))
        down, across = (_interpolation(length, cells + 1) for length in size)
        total += np.float32(weight) * np.matmul(np.matmul(down, grid), across.T)
        sum_of_weights += weight
        weight, cells = weight / 2, cells * 2
    total /= np.float32(sum_of_weights)
    return total


def _interpolation(length: int, knots: int) -> NDArray[np.float32]:
    """``(length, knots)``: weights of a smooth curve through the knots."""
    position = np.linspace(0.0, knots - 1, length)
    left = np.minimum(position.astype(np.int64), knots - 2)
    share = position - left
    share = share * share * (3 - 2 * share)
    weights = np.zeros((length, knots), np.float32)
    weights[np.arange(length), left] = 1 - share
    weights[np.arange(length), left + 1] += share
    return weights


def warped(images: Samples, down: Samples, across: Samples) -> Samples:
    """Each pixel taken from elsewhere, between four neighbors; the border is repeated.

    Args:
        images: The pictures.
        down: ``(n, height, width)``: rows to look further down.
        across: The same for columns to the right.
    """
    height, width, channels = images.shape[1:]
    result = np.empty_like(images)
    rows, columns = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    for image, dy, dx, place in zip(images, down, across, result, strict=True):
        y = np.clip(rows[:, None] + dy, 0, height - 1)
        x = np.clip(columns + dx, 0, width - 1)
        top, left = y.astype(np.int32), x.astype(np.int32)
        y -= top
        x -= left
        corner = (top * width + left).ravel()
        right = (left < width - 1).ravel()
        below = (top < height - 1).ravel() * np.int32(width)
        flat = image.reshape(-1, channels)
        fx, fy = x.reshape(-1, 1), y.reshape(-1, 1)
        upper = flat[corner]
        upper += (flat[corner + right] - upper) * fx
        lower_corner = corner + below
        lower = flat[lower_corner]
        lower += (flat[lower_corner + right] - lower) * fx
        lower -= upper
        lower *= fy
        np.add(upper, lower, out=place.reshape(-1, channels))
    return result


def as_bytes(images: Samples) -> NDArray[np.uint8]:
    """Pictures of 8 bits."""
    scaled = images * np.float32(255)
    scaled += np.float32(0.5)
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def from_bytes(images: NDArray[np.uint8]) -> Samples:
    """Pictures from 0 to 1 of pictures of 8 bits."""
    return images * np.float32(1 / 255)
