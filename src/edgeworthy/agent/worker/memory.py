"""Resident memory of this process, and a bound that the kernel enforces.

Source: https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html and getrlimit(2).
"""

from __future__ import annotations

import os
import resource

_STATM = "/proc/self/statm"
_SLACK_BYTES = 256 << 20


def resident_bytes() -> int:
    """What of this process lies in memory now."""
    descriptor = os.open(_STATM, os.O_RDONLY)
    try:
        fields = os.read(descriptor, 256).split()
    finally:
        os.close(descriptor)
    return int(fields[1]) * resource.getpagesize()


def bound_data(limit_bytes: int) -> None:
    """Have allocations fail before the machine runs out, should one request ask for far too much.

    The bound is above the limit that the worker watches itself: data that was asked for and never
    touched counts for the kernel and not for us.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit_bytes + _SLACK_BYTES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
