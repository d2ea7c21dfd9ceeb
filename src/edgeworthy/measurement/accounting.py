"""What the kernel says of the time of this process.

Rules:

1. Processor time is that of all threads, in nanoseconds.
2. Waiting is time in which a thread could have run and another had the core: work of others, or a
   quota of its control group. A thread that is stopped or sleeps does not wait.
3. What the kernel does not tell is absent.

Source: Linux, ``Documentation/scheduler/sched-stats.rst`` (``/proc/PID/schedstat``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")
_WAIT_FIELD = 1


@dataclass(frozen=True)
class ProcessTime:
    """Counts since the process began.

    Attributes:
        cpu_ns: Processor time of all threads.
        waited_ns: Time for which its threads waited for a core; absent where nobody tells.
    """

    cpu_ns: int
    waited_ns: int | None

    @classmethod
    def now(cls, root: Path = _ROOT) -> ProcessTime:
        """The counts of this process now.

        Args:
            root: Where ``proc`` hangs; another tree than ``/`` in tests.
        """
        return cls(cpu_ns=time.process_time_ns(), waited_ns=_waited_ns(root))

    def since(self, before: ProcessTime) -> ProcessTime:
        """What was added since an earlier reading."""
        waited = None
        if self.waited_ns is not None and before.waited_ns is not None:
            # Threads that have ended take their count with them.
            waited = max(self.waited_ns - before.waited_ns, 0)
        return ProcessTime(self.cpu_ns - before.cpu_ns, waited)


def _waited_ns(root: Path) -> int | None:
    total, found = 0, False
    try:
        tasks = list((root / "proc/self/task").iterdir())
    except OSError:
        return None
    for task in tasks:
        try:
            fields = (task / "schedstat").read_text(encoding="ascii").split()
            total += int(fields[_WAIT_FIELD])
        except (OSError, ValueError, IndexError):  # it has ended, or the kernel keeps no such count
            continue
        found = True
    return total if found else None
