"""Known answers: what a corruption says it does is what it does."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, stats  # type: ignore[import-untyped]  # scipy ships no types

from edgeworthy.evaluation.corruptions import (
    AnyCorruption,
    Draws,
    Facts,
    SampleKeys,
    Scene,
    every_corruption,
)
from edgeworthy.evaluation.corruptions.pixels import (
    ByteImageCorruption,
    disk_blurred,
    gaussian_blurred,
    smooth_field,
    warped,
)
from evaluation.corruptions.natural import SETS, facts_of

BY_NAME: dict[str, AnyCorruption] = {each.name: each for each in every_corruption()}


def made(
    name: str, samples: NDArray[np.float32], severity: int, facts: Facts | None = None
) -> NDArray[np.float32]:
    draws = Draws(7, name, SampleKeys(samples))
    return BY_NAME[name].corrupt(samples, severity, draws, facts or facts_of(samples))


def gray(level: float, count: int = 8, side: int = 64) -> NDArray[np.float32]:
    return np.full((count, side, side, 1), level, np.float32)


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_gaussian_noise_has_the_standard_deviation_it_says(severity: int) -> None:
    noise = BY_NAME["gaussian_noise"].apply(
        gray(0.5),
        BY_NAME["gaussian_noise"].levels[severity - 1],
        Scene(Draws(7, "x", list(range(8))), facts_of(gray(0.5))),
    )
    assert noise.std() == pytest.approx(BY_NAME["gaussian_noise"].levels[severity - 1], rel=0.02)


@pytest.mark.parametrize(("severity", "photons"), [(1, 60.0), (5, 3.0)])
def test_shot_noise_counts_photons_as_poisson_does(severity: int, photons: float) -> None:
    # 102 of 255 is an exact brightness of the table.
    level = 102 / 255
    counts = made("shot_noise", gray(level, side=128), severity).ravel() * photons
    counts = np.rint(counts).astype(int)
    top = int(photons)  # white is cut there
    expected = stats.poisson.pmf(np.arange(top), level * photons)
    found = np.bincount(counts, minlength=top + 1)[:top] / len(counts)
    assert np.abs(found - expected).max() < 0.005


def test_impulse_noise_hits_the_share_it_says() -> None:
    result = made("impulse_noise", gray(0.5), 4)
    assert np.mean(result != 0.5) == pytest.approx(0.17, abs=0.01)
    assert set(np.unique(result).tolist()) == {0.0, 0.5, 1.0}


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_the_gaussian_filter_is_scipys(sigma: float) -> None:
    images = SETS["image"]["40x64 color"]
    ours = gaussian_blurred(images, sigma)
    radius = max(1, int(np.ceil(3 * sigma)))
    for image, expected in zip(ours, images, strict=True):
        for channel in range(3):
            reference = ndimage.gaussian_filter(
                expected[..., channel].astype(np.float64), sigma, mode="mirror", radius=radius
            )
            np.testing.assert_allclose(image[..., channel], reference, atol=2e-6)


@pytest.mark.parametrize("radius", [0.6, 1.0, 2.5, 4.0])
def test_the_disk_filter_is_a_round_even_disk(radius: float) -> None:
    point = np.zeros((1, 31, 31, 1), np.float32)
    point[0, 15, 15] = 1.0
    disk = disk_blurred(point, radius)[0, :, :, 0]
    assert disk.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(disk, disk[::-1], atol=1e-7)
    np.testing.assert_allclose(disk, disk[:, ::-1], atol=1e-7)
    y, x = np.mgrid[-15:16, -15:16]
    distance = np.hypot(y, x)
    assert disk[distance > radius + 1.2].max() == pytest.approx(0.0, abs=1e-6)
    inside = disk[distance <= max(0.0, radius - 0.6)]
    assert inside.max() == pytest.approx(inside.min(), abs=1e-6)


def test_a_warp_by_whole_pixels_is_a_shift() -> None:
    images = SETS["image"]["28x28 color"]
    down = np.full(images.shape[:3], 3.0, np.float32)
    across = np.full(images.shape[:3], -2.0, np.float32)
    shifted = warped(images, down, across)
    np.testing.assert_array_equal(shifted[:, :-3, 2:], images[:, 3:, :-2])
    np.testing.assert_array_equal(shifted[:, -1, 2:], images[:, -1, :-2])


def test_a_smooth_field_has_its_range_and_is_smooth() -> None:
    field = smooth_field(Draws(1, "x", [1, 2, 3]), (64, 48), 4)
    assert field.min() >= 0.0
    assert field.max() <= 1.0
    assert np.abs(np.diff(field, axis=1)).max() < 0.15


def test_sensor_noise_grows_with_the_light_and_with_the_heat() -> None:
    dim, bright = (made("sensor_noise", gray(level), 1).std() for level in (0.1, 0.9))
    assert bright > 1.5 * dim
    # Gain 2: a white pixel has 3,000 electrons, of which the square root is noise.
    assert bright == pytest.approx(np.sqrt(0.9 * 3000 + 10 * 1.19 + 9) / 3000, rel=0.05)


def test_dropped_rows_are_black_and_as_many_as_it_says() -> None:
    result = made("dropped_rows", gray(0.5, side=40), 3)
    black = (result == 0).all(axis=(2, 3))
    assert (black.sum(axis=1) == 8).all()
    assert (result[~black] == 0.5).all()


def test_contrast_and_brightness_by_hand() -> None:
    picture = np.array([[[[0.2], [0.6]]]], np.float32)
    np.testing.assert_allclose(made("contrast", picture, 1).ravel(), [0.32, 0.48], atol=1e-6)
    np.testing.assert_allclose(made("brightness", picture, 5).ravel(), [0.7, 1.0], atol=1e-6)
    np.testing.assert_allclose(made("overexposure", picture, 2).ravel(), [0.34, 1.0], atol=1e-6)


def test_color_fades_to_its_luminance() -> None:
    red = np.zeros((1, 8, 8, 3), np.float32)
    red[..., 0] = 1.0
    np.testing.assert_allclose(made("saturation", red, 5), 0.299, atol=1e-6)


@pytest.mark.parametrize("name", ["white_noise", "pink_noise", "mains_hum", "babble"])
@pytest.mark.parametrize(("severity", "decibels"), [(1, 20.0), (4, 5.0)])
def test_noise_has_the_signal_to_noise_ratio_it_says(
    name: str, severity: int, decibels: float
) -> None:
    sound = SETS["sound"]["mono"] * np.float32(0.2)
    noise = made(name, sound, severity) - sound
    ratio = 10 * np.log10((sound**2).mean(axis=(1, 2)) / (noise**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(ratio, decibels, atol=0.3)


def test_pink_noise_has_as_much_power_in_each_octave() -> None:
    sound = np.repeat(SETS["sound"]["mono"], 8, axis=1) * np.float32(0.1)
    noise = made("pink_noise", sound, 5) - sound
    power = (np.abs(np.fft.rfft(noise[..., 0], axis=1)) ** 2).mean(axis=0)
    octaves = [power[first : 2 * first].sum() for first in (64, 256, 1024, 4096)]
    assert max(octaves) < 1.5 * min(octaves)


def test_silence_still_hears_noise() -> None:
    sound = SETS["sound"]["mono"].copy()
    facts = facts_of(sound)
    sound[0] = 0.0
    assert np.abs(made("white_noise", sound, 3, facts)[0]).max() > 0


def test_reverberation_keeps_the_loudness_and_adds_a_tail() -> None:
    sound = np.zeros((1, 8000, 1), np.float32)
    sound[0, 100] = 0.9
    wet = made("reverberation", sound, 3)
    assert np.sqrt((wet**2).mean()) == pytest.approx(np.sqrt((sound**2).mean()), rel=1e-3)
    tail = np.abs(wet[0, 101:, 0])
    assert tail[:1000].mean() > 3 * tail[5000:6000].mean() > 0


def test_a_drifting_clock_changes_the_pitch() -> None:
    time = np.arange(16_000) / 16_000
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)[None, :, None]
    drifted = made("clock_drift", tone, 3)[0, 2000:-2000, 0]
    peak = np.argmax(np.abs(np.fft.rfft(drifted * np.hanning(len(drifted))))) / len(drifted)
    assert abs(peak * 16_000 / 1000 - 1) == pytest.approx(0.02, abs=0.002)


def test_a_turn_of_ninety_degrees_swaps_two_axes() -> None:
    series = SETS["series"]["six channels"]
    facts = facts_of(series)
    turned = made("axis_swap", series, 5)
    centered, after = series - facts.mean, turned - facts.mean
    np.testing.assert_allclose(np.abs(after[..., 0]), np.abs(centered[..., 1]), atol=1e-4)
    np.testing.assert_allclose(np.abs(after[..., 4]), np.abs(centered[..., 3]), atol=1e-4)
    np.testing.assert_array_equal(turned[..., 2], series[..., 2])


def test_a_gap_holds_the_last_value() -> None:
    series = SETS["series"]["one channel"]
    held = made("gaps", series, 4)
    for before, after in zip(series[..., 0], held[..., 0], strict=True):
        changed = np.flatnonzero(before != after)
        assert len(set(after[changed].tolist())) == 1
        assert after[changed[0]] == before[changed[0] - 1]


def test_missing_cells_have_the_mean_of_their_column() -> None:
    table = SETS["table"]["rows"]
    facts = facts_of(table)
    filled = made("missing_values", table, 5)
    lost = filled != table
    assert lost.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(filled[lost], np.broadcast_to(facts.mean, table.shape)[lost])


def test_one_cell_of_a_row_has_another_unit() -> None:
    table = SETS["table"]["rows"]
    mistaken = made("unit_mistake", table, 3)
    assert (np.sum(mistaken != table, axis=1) == 1).all()
    ratio = (mistaken / table)[mistaken != table]
    np.testing.assert_allclose(ratio, 2.54, rtol=1e-5)


def test_a_gain_moves_the_first_cepstral_coefficient_alone() -> None:
    cepstra = SETS["features"]["cepstra"].copy()
    cepstra[..., 0] *= 20
    moved = made("gain_shift", cepstra, 2)
    np.testing.assert_array_equal(moved[..., 1:], cepstra[..., 1:])
    assert (moved[..., 0] != cepstra[..., 0]).all()
    energies = SETS["features"]["short"]
    assert (made("gain_shift", energies, 2) != energies).all()


def saved_and_opened(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as stored:
        return np.asarray(stored)


def shrunk_and_grown(pixels: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    picture = Image.fromarray(pixels)
    width, height = (max(1, round(side * share)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small.resize(picture.size, Image.Resampling.NEAREST))


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (17, 31), (224, 224), (301, 640)])
@pytest.mark.parametrize(
    ("name", "plainly", "more_levels"),
    [("jpeg", saved_and_opened, (1, 75, 95)), ("pixelate", shrunk_and_grown, (0.9,))],
)
def test_pictures_of_bytes_get_the_pixels_that_the_library_gives_to_each_alone(
    name: str,
    plainly: Callable[[NDArray[np.uint8], float], NDArray[np.uint8]],
    more_levels: tuple[float, ...],
    size: tuple[int, int],
    channels: int,
) -> None:
    kind = BY_NAME[name]
    assert isinstance(kind, ByteImageCorruption)
    drawn = np.random.default_rng(3).integers(0, 256, (2, channels, *size), np.uint8)
    # Smooth and rough parts, and pixels that do not lie in a row.
    drawn[:, :, : size[0] // 2] = np.linspace(0, 255, size[1], dtype=np.uint8)
    pictures = drawn.transpose(0, 2, 3, 1)
    before = pictures.copy()
    parts = (...,) if channels == 3 else [(..., channel) for channel in range(channels)]
    for level in (*kind.levels, *more_levels):
        made = kind.apply_to_bytes(pictures, level)
        for picture, found in zip(pictures, made, strict=True):
            for part in parts:
                expected = plainly(np.ascontiguousarray(picture[part]), level)
                assert np.array_equal(found[part], expected)
    assert np.array_equal(pictures, before)
