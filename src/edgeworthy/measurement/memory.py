"""Resident memory of this process.

Rules:

1. Linux's own count of the process is read (``/proc/self/status``); where there is none, the peak
   that the C library knows stands in for both figures.
2. The peak starts anew when the kernel lets us reset it, so that the import of Python modules is
   not counted as the model's.

Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html and proc_pid_clear_refs(5).
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_RESET_PEAK = "5"
_ROOT = Path("/")


def resident_memory_bytes(root: Path = _ROOT) -> int:
    """Memory that is resident now."""
    return _status_bytes(root, "VmRSS:") or _library_peak_bytes()


def peak_memory_bytes(root: Path = _ROOT) -> int:
    """Largest resident memory since the start or since the last reset."""
    return _status_bytes(root, "VmHWM:") or _library_peak_bytes()


def reset_peak(root: Path = _ROOT) -> bool:
    """Let the peak start from what is resident now; tells whether the kernel allowed it."""
    try:
        (root / "proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _status_bytes(root: Path, key: str) -> int:
    try:
        lines = (root / "proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    for line in lines:
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def _library_peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
