"""Samples that look like those of the world: smooth, with edges, some noise, several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.project import SampleKind
from edgeworthy.evaluation.corruptions import Facts


def pictures(count: int, height: int, width: int, channels: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(3)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    made = []
    for _ in range(count):
        a = generator.random(6)
        wave = 0.45 + 0.25 * np.sin(2 * np.pi * (3 * a[0] * x + 2 * a[1] * y + a[2]))
        picture = wave[..., None] * generator.uniform(0.6, 1.0, channels)
        inside = (x - a[3]) ** 2 + (y - a[4]) ** 2 < 0.06
        picture = picture + 0.3 * inside[..., None] * generator.uniform(-0.5, 1, channels)
        made.append(np.clip(picture + generator.normal(0, 0.01, picture.shape), 0, 1))
    return np.array(made, dtype=np.float32)


def walks(count: int, length: int, channels: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(4)
    return np.cumsum(generator.standard_normal((count, length, channels)), 1).astype(np.float32)


def sounds(count: int, length: int, channels: int) -> NDArray[np.float32]:
    time = np.arange(length) / 16_000
    generator = np.random.default_rng(5)
    tones = generator.uniform(100, 600, (count, 3, 1))
    swell = np.sin(np.pi * np.arange(length) / length)
    mixed = np.sin(2 * np.pi * tones * time).mean(axis=1) * swell
    mixed += generator.normal(0, 0.01, mixed.shape)
    return np.repeat(0.8 * mixed[..., None], channels, axis=2).astype(np.float32)


def rows(count: int, columns: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(6)
    drawn = generator.standard_normal((count, columns)) * generator.uniform(0.5, 4, columns)
    return (drawn + generator.uniform(-5, 5, columns)).astype(np.float32)


SETS: dict[SampleKind, dict[str, NDArray[np.float32]]] = {
    "image": {
        "8x8 gray": pictures(32, 8, 8, 1),
        "28x28 gray": pictures(16, 28, 28, 1),
        "28x28 color": pictures(12, 28, 28, 3),
        "40x64 color": pictures(6, 40, 64, 3),
        "one row": pictures(4, 1, 12, 1),
    },
    "sound": {"mono": sounds(8, 3200, 1), "stereo": sounds(6, 1600, 2)},
    "series": {"six channels": walks(24, 100, 6), "one channel": walks(24, 60, 1)},
    "table": {"rows": rows(200, 7), "one column": rows(200, 1)},
    "features": {"cepstra": walks(24, 49, 10), "short": walks(24, 6, 3)},
}


def facts_of(samples: NDArray[Any]) -> Facts:
    flat = samples.reshape(-1, samples.shape[-1])
    return Facts(flat.mean(axis=0), flat.std(axis=0), samples[:8], 16_000)


def sets_of(kind: SampleKind) -> Iterator[tuple[str, NDArray[np.float32]]]:
    yield from SETS[kind].items()
