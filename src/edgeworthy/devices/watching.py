"""What was lost to others while something was measured.

Rules:

1. Processor time of this process and of its children that have ended is the measurement's own;
   the rest of the machine's is others'.
2. Nothing runs in the meantime: the kernel's counts are read before and after.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from edgeworthy.devices.counters import LostTime, lost_between, lost_sentences


class HostWatch:
    """Watches the machine over a block.

    Attributes:
        sentences: What was lost, one sentence each; known after the block.

    Args:
        root: Where ``proc`` and ``sys`` hang; another tree than ``/`` in tests.
        monotonic: Seconds from a point that never changes.
        own_cpu_s: Processor time of the measurement so far.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        monotonic: Callable[[], float] = time.monotonic,
        own_cpu_s: Callable[[], float] | None = None,
    ) -> None:
        self.sentences: tuple[str, ...] = ()
        self._root = root
        self._monotonic = monotonic
        self._own_cpu_s = own_cpu_s or _own_cpu_s

    def __enter__(self) -> Self:
        self._before = LostTime.read(self._root)
        self._own_before_s = self._own_cpu_s()
        self._begun_s = self._monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        duration_s = self._monotonic() - self._begun_s
        lost = lost_between(
            self._before,
            LostTime.read(self._root),
            duration_s=duration_s,
            own_cpu_s=self._own_cpu_s() - self._own_before_s,
        )
        self.sentences = tuple(lost_sentences(lost, duration_s=duration_s))


def _own_cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
