"""Random numbers for corruptions: one stream per sample, named by the sample's own bytes.

Rules:

1. The stream of a sample depends on the run's seed, the purpose and the sample's values alone: any
   order, any batch size and any other samples give the same bytes.
2. A stream is begun when its first number is drawn.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Draws:
    """Streams of random numbers, as many as there are samples.

    Args:
        seed: Of the run.
        purpose: Name of the corruption.
        keys: What tells the samples apart; see :func:`sample_keys`.

    >>> alone = Draws(1, "x", [7]).normal((2,))
    >>> bool((Draws(1, "x", [5, 7]).normal((2,))[1] == alone[0]).all())
    True
    """

    def __init__(self, seed: int, purpose: str, keys: Sequence[int]) -> None:
        self._seed = seed
        self._purpose = purpose
        self._keys = keys
        self._streams: list[np.random.Generator] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def part(self, chosen: slice) -> Draws:
        """The same streams for some of the samples, from their beginning."""
        return Draws(self._seed, self._purpose, self._keys[chosen])

    @property
    def streams(self) -> list[np.random.Generator]:
        """One generator per sample."""
        if self._streams is None:
            purpose = zlib.crc32(self._purpose.encode())
            self._streams = [
                np.random.Generator(np.random.SFC64([self._seed, purpose, key]))
                for key in self._keys
            ]
        return self._streams

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """``(n, *shape)`` of the standard normal distribution."""
        drawn = np.empty((len(self), *shape), np.float32)
        for stream, place in zip(self.streams, drawn.reshape(len(self), -1), strict=True):
            stream.standard_normal(dtype=np.float32, out=place)
        return drawn

    def uniform(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """``(n, *shape)`` from 0 to 1."""
        drawn = np.empty((len(self), *shape), np.float32)
        for stream, place in zip(self.streams, drawn.reshape(len(self), -1), strict=True):
            stream.random(dtype=np.float32, out=place)
        return drawn

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """``(n, *shape)`` of ``low`` to ``high``, both included."""
        return np.stack(
            [stream.integers(low, high + 1, shape, dtype=np.int32) for stream in self.streams]
        )

    def signs(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """``(n, *shape)`` of -1 and 1."""
        return np.where(self.uniform(shape) < 0.5, np.float32(-1), np.float32(1))  # noqa: PLR2004 - a fair coin


class SampleKeys(Sequence[int]):
    """Checksums of samples, computed when a stream is begun.

    Args:
        samples: ``(n, ...)`` as they are stored.
    """

    def __init__(self, samples: NDArray[np.generic]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, chosen: int | slice) -> int | SampleKeys:  # type: ignore[override]  # a part is one of these too
        if isinstance(chosen, slice):
            return SampleKeys(self._samples[chosen])
        return zlib.crc32(np.ascontiguousarray(self._samples[chosen]).data)
