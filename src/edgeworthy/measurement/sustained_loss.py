"""What a window of a sustained run lost to others and to quotas.

Rules:

1. Counts are read at the end of each window; their differences are the window's.
2. Time that the hypervisor gave to other virtual machines counts as work of others.
3. What the kernel does not tell is absent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeworthy.devices.counters import LostTime, lost_between, quota_pause_s


class WindowLoss:
    """Reads the counts window by window.

    Args:
        root: Where ``proc`` and ``sys`` hang.
        process_id: Of the measured process.
        own_cpu_s: Processor time of the measurement so far, its own process included.
    """

    def __init__(self, root: Path, process_id: int, own_cpu_s: Callable[[], float]) -> None:
        self._root = root
        self._process = str(process_id)
        self._own_cpu_s = own_cpu_s
        self.reset()

    def reset(self) -> None:
        """The next window begins now."""
        self._paused_s = quota_pause_s(self._root, self._process)
        self._counts = LostTime.read(self._root)
        self._own_s = self._own_cpu_s()

    def paused_s(self) -> float | None:
        """Time for which a quota paused the process since the last call."""
        before, self._paused_s = self._paused_s, quota_pause_s(self._root, self._process)
        if before is None or self._paused_s is None:
            return None
        return max(self._paused_s - before, 0.0)

    def others_cores(self, duration_s: float) -> float | None:
        """Mean number of cores that worked for others since the last call.

        Args:
            duration_s: Time since then.
        """
        before, self._counts = self._counts, LostTime.read(self._root)
        own_before_s, self._own_s = self._own_s, self._own_cpu_s()
        lost = lost_between(
            before,
            self._counts,
            duration_s=duration_s,
            own_cpu_s=self._own_s - own_before_s,
        )
        if lost.others_cores is None:
            return None
        ticks = (self._counts.steal_ticks or 0) - (before.steal_ticks or 0)
        return lost.others_cores + max(ticks, 0) / self._counts.tick_hz / duration_s
