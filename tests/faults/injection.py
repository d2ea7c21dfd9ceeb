"""Disturbs a piece of work at one of its system calls, in a child process.

The program that uses this must have been started by :func:`run_preloaded`.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
_MARK = "EDGEWORTHY_TEST_FAULTS"


class Fault(enum.Enum):
    """How the work is disturbed: mode of the library, error number."""

    KILL_BEFORE = (2, 0)
    KILL_AFTER = (3, 0)
    NO_SPACE = (5, errno.ENOSPC)
    READ_ONLY = (5, errno.EROFS)
    IO_ERROR = (4, errno.EIO)

    @property
    def kills(self) -> bool:
        return self in {Fault.KILL_BEFORE, Fault.KILL_AFTER}


def run_preloaded(
    script: Path, arguments: Sequence[str], *, shown: bool = False
) -> subprocess.CompletedProcess[str]:
    """Compile the library and run a script with it; what it prints is kept, or shown at once."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "faults.so"
        compiler = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(compiler, check=True, capture_output=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), _MARK: str(library)}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, str(script), *arguments]
        output = None if shown else subprocess.PIPE
        return subprocess.run(command, check=False, text=True, env=environment, stdout=output)


def is_preloaded() -> bool:
    return _MARK in os.environ


def count_calls(work: Callable[[], object]) -> int:
    """How many disturbable system calls some work makes; it runs in a child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        library = ctypes.CDLL(os.environ[_MARK])
        library.faults_count.restype = ctypes.c_long
        library.faults_arm(1, ctypes.c_long(0), 0)
        work()
        counted = library.faults_count()
        library.faults_arm(0, ctypes.c_long(0), 0)
        os.write(writer, str(counted).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise AssertionError("the undisturbed work failed")
    return int(text)


def disturbed(work: Callable[[], object], fault: Fault, at: int) -> str:
    """Run some work in a child and disturb it at one system call.

    Returns:
        ``killed``, ``done``, or the name of the error that the work ended with.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        library = ctypes.CDLL(os.environ[_MARK])
        mode, error_number = fault.value
        library.faults_arm(mode, ctypes.c_long(at), error_number)
        outcome = "done"
        try:
            work()
        except Exception as error:  # noqa: BLE001 - its name is the result
            outcome = type(error).__name__
        library.faults_arm(0, ctypes.c_long(0), 0)
        os.write(writer, outcome.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        outcome = stream.read()
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else outcome
