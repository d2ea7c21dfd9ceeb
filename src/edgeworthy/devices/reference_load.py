"""A fixed piece of arithmetic that tells how fast a machine is now, against another time.

Rules:

1. The same work everywhere: products of small matrices of 32-bit floats, which fit into the
   first-level cache and run on one core.
2. It is timed in turn with what it is compared to, so that both see the same machine: heat, other
   work, a slower clock. What a model took where it was measured, times the ratio of the two times
   of this load, is what it should take here and now.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

_SIDE = 64
_PRODUCTS = 16
_NS_PER_MS = 1_000_000


class ReferenceLoad:
    """The load, ready to run.

    Args:
        clock_ns: Nanoseconds.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        generator = np.random.default_rng(0)
        self._left = generator.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._right = generator.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._product = np.empty_like(self._left)
        self._clock_ns = clock_ns

    def time_ms(self) -> float:
        """Run it once; milliseconds."""
        began = self._clock_ns()
        for _ in range(_PRODUCTS):
            np.matmul(self._left, self._right, out=self._product)
        return (self._clock_ns() - began) / _NS_PER_MS
