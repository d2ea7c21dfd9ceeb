"""Tasks in processes of this machine.

Rules:

1. Every task has a process of its own: a crash, a leak or an engine that calls ``exit`` ends one
   task and nothing else.
2. Results go through a folder of the task and are read when the process has ended well; what a
   killed process wrote half is never read.
3. The processes end with their parent, even where that is killed with SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.workflow.executors.base import Executor, Failure, Outputs, Task

_POLL_S = 0.02
_LAST_WORDS = 600
_PROGRAM = "edgeworthy.workflow.executors.child"
#: What a child says of an error of ours goes into this file.
REASON_FILE = "reason.txt"


@dataclass
class _Running:
    """A task that has a process."""

    task: Task
    process: subprocess.Popen[bytes]
    folder: Path
    begun_s: float

    @property
    def seconds(self) -> float:
        """Time since it began."""
        return time.monotonic() - self.begun_s

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        limit = self.task.time_limit_s
        return limit is not None and self.seconds > limit


class LocalProcesses(Executor):
    """Processes of this machine.

    Args:
        width: How many run side by side.
    """

    def __init__(self, width: int = 1) -> None:
        if width < 1:
            raise ValueError("at least one process runs at a time")
        self._width = width
        self._running: list[_Running] = []

    @property
    def width(self) -> int:
        """How many tasks run side by side."""
        return self._width

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outputs | Failure]]:
        """Run tasks; see :meth:`edgeworthy.workflow.executors.base.Executor.run`."""
        waiting = list(tasks)
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self._width:
                    self._running.append(_start(waiting.pop(0)))
                time.sleep(_POLL_S)
                for each in list(self._running):
                    if each.process.poll() is None and not each.is_late:
                        continue
                    self._running.remove(each)
                    yield each.task, _result(each)
        finally:
            self.close()

    def close(self) -> None:
        """End what still runs."""
        for each in self._running:
            _end(each.process)
            shutil.rmtree(each.folder, ignore_errors=True)
        self._running.clear()


def _start(task: Task) -> _Running:
    folder = Path(tempfile.mkdtemp(prefix="edgeworthy-task-"))
    (folder / "arguments").write_bytes(task.arguments)
    with (folder / "stderr").open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", _PROGRAM, task.function, str(folder), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
        )
    return _Running(task=task, process=process, folder=folder, begun_s=time.monotonic())


def _result(finished: _Running) -> Outputs | Failure:
    seconds = finished.seconds
    try:
        if finished.process.poll() is None:
            _end(finished.process)
            return Failure(f"it took longer than {finished.task.time_limit_s:g} s", seconds)
        if finished.process.returncode != 0:
            return Failure(_reason(finished), seconds)
        made = sorted((finished.folder / "outputs").iterdir())
        return Outputs({path.name: path.read_bytes() for path in made}, seconds)
    finally:
        shutil.rmtree(finished.folder, ignore_errors=True)


def _reason(finished: _Running) -> str:
    with contextlib.suppress(OSError):
        return (finished.folder / REASON_FILE).read_text(encoding="utf-8")
    code = finished.process.returncode
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name}"
    words = (finished.folder / "stderr").read_bytes()[-_LAST_WORDS:].decode(errors="replace")
    last = next((line for line in reversed(words.splitlines()) if line.strip()), "")
    return f"its process ended with exit code {code}{': ' if last else ''}{last.strip()}"


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
