"""The threads that run inferences, beside the one that talks to clients.

Rules:

1. What waits is counted, so that whoever submits can refuse more.
2. A result wakes the loop through a descriptor; it is taken there, in the order of finishing.
3. When each piece of work began is known, so that one that hangs is found out.
4. Whatever work raises becomes a failed result; a thread never dies of it.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_ONE = 1


@dataclass(eq=False)
class Job:
    """A piece of work.

    Attributes:
        work: What to do.
        done: Called in the loop with what ``work`` gave, or with what it raised.
        limit_seconds: Work that runs longer hangs.
        began: Monotonic seconds; ``None`` while it waits.
    """

    work: Callable[[], Any]
    done: Callable[[Any, BaseException | None], None]
    limit_seconds: float
    began: float | None = None
    result: Any = field(default=None, repr=False)
    error: BaseException | None = field(default=None, repr=False)


class EngineThreads:
    """Runs jobs.

    Args:
        count: Threads.
    """

    def __init__(self, count: int) -> None:
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._finished: deque[Job] = deque()
        self._open: dict[Job, None] = {}
        for number in range(count):
            threading.Thread(target=self._run, name=f"engine-{number}", daemon=True).start()

    def __len__(self) -> int:
        """Jobs that wait or run."""
        return len(self._open)

    def submit(
        self,
        work: Callable[[], Any],
        done: Callable[[Any, BaseException | None], None],
        limit_seconds: float,
    ) -> None:
        """Have work done; see :class:`Job`."""
        job = Job(work, done, limit_seconds)
        self._open[job] = None
        self._waiting.put(job)

    def collect(self) -> None:
        """Call ``done`` of what has finished; the loop does so when :attr:`wake_fd` is readable."""
        os.eventfd_read(self.wake_fd)
        while self._finished:
            job = self._finished.popleft()
            del self._open[job]
            job.done(job.result, job.error)

    def hanging(self, now: float) -> Job | None:
        """A job that has been running for longer than it may; ``None`` when there is none."""
        for job in list(self._open):
            if job.began is not None and now - job.began > job.limit_seconds:
                return job
        return None

    def _run(self) -> None:
        while True:
            job = self._waiting.get()
            job.began = time.monotonic()
            try:
                job.result = job.work()
            except BaseException as error:  # noqa: BLE001 - handed to whoever submitted
                job.error = error
            self._finished.append(job)
            os.eventfd_write(self.wake_fd, _ONE)
            del job
