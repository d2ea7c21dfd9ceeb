"""The program of a task's process: ``python -m edgeworthy.workflow.executors.child``.

Rules:

1. It ends when its parent does: a search that was killed leaves nothing that computes on.
2. Outputs appear under their folder in one rename, when all of them are written.
3. An error of ours is told as its paragraph; what is not ours leaves a traceback on standard error.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from edgeworthy.errors import EdgeworthyError
from edgeworthy.workflow.executors.local import REASON_FILE

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run one task; returns the exit code."""
    name, folder, parent = arguments[0], Path(arguments[1]), int(arguments[2])
    _die_with(parent)
    module, function = name.split(":")
    work: Callable[[bytes], Mapping[str, bytes]]
    work = getattr(importlib.import_module(module), function)
    try:
        made = work((folder / "arguments").read_bytes())
    except EdgeworthyError as error:
        (folder / REASON_FILE).write_text(str(error).rstrip("."), encoding="utf-8")
        return error.exit_code
    partial = folder / "outputs.partial"
    partial.mkdir()
    for key, data in made.items():
        (partial / key).write_bytes(data)
    partial.rename(folder / "outputs")
    return 0


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process with its parent (Linux)."""
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
