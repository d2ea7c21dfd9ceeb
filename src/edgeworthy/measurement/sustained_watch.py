"""The alarm while a sustained run goes on.

Rules:

1. It adds up how far windows lie below the level so far (CUSUM, Page, Biometrika 41 (1954)), for
   each part of the throughput that speaks of the machine itself; what others take, or may have
   taken by their work beside it, gives no alarm.
2. It comes within a few windows and is never the last word: the record holds what the whole series
   says.
"""

from __future__ import annotations

import math

import numpy as np

from edgeworthy.documents.sustained import SustainedWindow
from edgeworthy.measurement.sustained_parts import LEAST_DEPTH, is_beside_others, parts_of

_WATCH_ALLOWANCE = 0.025
_WATCH_ALARM = 0.25
_WATCH_DEVIATIONS = 4.0
_WATCH_LEARNS = 5
_LARGEST_SHARE = 0.6
_MAD_TO_SIGMA = 1.4826


class ThrottleWatch:
    """Watches windows as they come; after an alarm it learns the new level and watches on.

    Attributes:
        alarms_s: When it gave alarm, in order.
    """

    def __init__(self) -> None:
        self.alarms_s: list[float] = []
        self._sums: dict[str, _Sum] = {}

    def see(self, window: SustainedWindow) -> float | None:
        """One more window; tells since when the throughput is down, as far as can be told."""
        now_s = window.start_s + window.duration_s
        for part in parts_of([window]):
            if part.kind == "others" or (part.kind == "slower" and is_beside_others(window)):
                continue
            own = self._sums.setdefault(part.kind, _Sum())
            if own.add(math.log(float(part.figures[0]))):
                self.alarms_s.append(now_s)
        is_down = any(each.is_down for each in self._sums.values())
        return self.alarms_s[-1] if self.alarms_s and is_down else None


class _Sum:
    """The sum of one part."""

    def __init__(self) -> None:
        self._logs: list[float] = []
        self._sum = 0.0
        self._before = math.inf

    @property
    def is_down(self) -> bool:
        """Whether it has fallen and is not back."""
        return math.isfinite(self._before)

    def add(self, log: float) -> bool:
        """One more figure; tells whether it gives the alarm."""
        alarmed = len(self._logs) >= _WATCH_LEARNS and self._is_alarming(log)
        if self._sum == 0.0:
            self._logs.append(log)
        if log > self._before + math.log1p(-LEAST_DEPTH):
            self._before = math.inf
        return alarmed

    def _is_alarming(self, log: float) -> bool:
        level = float(np.median(self._logs))
        noise = _MAD_TO_SIGMA * float(np.median(np.abs(np.array(self._logs) - level)))
        alarm = max(_WATCH_ALARM, _WATCH_DEVIATIONS * noise)
        below = level - log - max(_WATCH_ALLOWANCE, noise / 2)
        # A window that stood still must not give the alarm by itself.
        self._sum = max(self._sum + min(below, alarm * _LARGEST_SHARE), 0.0)
        if self._sum <= alarm:
            return False
        self._before, self._logs, self._sum = level, [], 0.0
        return True
