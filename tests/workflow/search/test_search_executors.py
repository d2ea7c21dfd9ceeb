"""Tasks in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeworthy.errors import ModelFileError
from edgeworthy.workflow.executors import Failure, LocalProcesses, Outputs, Task

# Functions that tasks run; they find this module because the tests' folder is on their path.
HERE = "workflow.search.test_search_executors"


def echo(arguments: bytes) -> Mapping[str, bytes]:
    return {"said": arguments, "process": str(os.getpid()).encode()}


def refuse(arguments: bytes) -> Mapping[str, bytes]:
    raise ModelFileError("no good", where=arguments.decode())


def break_down(_arguments: bytes) -> Mapping[str, bytes]:
    raise ValueError("a bug")


def crash(_arguments: bytes) -> Mapping[str, bytes]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def linger(arguments: bytes) -> Mapping[str, bytes]:
    Path(arguments.decode()).write_text(str(os.getpid()))
    while True:
        signal.pause()


@pytest.fixture(autouse=True)
def tests_are_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]))


def task(function: str, arguments: bytes = b"", *, limit_s: float | None = None) -> Task:
    return Task(f"{function}-{arguments!r}", f"{HERE}:{function}", arguments, limit_s)


def test_results_come_back_and_what_fails_takes_nobody_with_it() -> None:
    tasks = [
        task("echo", b"one"),
        task("refuse", b"m.onnx"),
        task("break_down"),
        task("crash"),
        task("linger", b"/dev/null", limit_s=2.0),
        task("echo", b"two"),
    ]
    with LocalProcesses(3) as executor:
        found = {done.key: result for done, result in executor.run(tasks)}
    assert len(found) == len(tasks)
    for said in (b"one", b"two"):
        result = found[f"echo-{said!r}"]
        assert isinstance(result, Outputs)
        assert result.data["said"] == said
        assert int(result.data["process"]) != os.getpid()
    reasons = {
        key.partition("-")[0]: each.reason
        for key, each in found.items()
        if isinstance(each, Failure)
    }
    assert reasons == {
        "refuse": "m.onnx: no good",
        "break_down": "its process ended with exit code 1: ValueError: a bug",
        "crash": "its process was ended by SIGSEGV",
        "linger": "it took longer than 2 s",
    }


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_dead(process: int) -> bool:
    for _ in range(400):
        if not is_alive(process):
            return True
        time.sleep(0.01)
    return False


def test_a_killed_parent_takes_its_tasks_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "process"
    program = (
        "from edgeworthy.workflow.executors import LocalProcesses, Task\n"
        f"tasks = [Task('t', '{HERE}:linger', {str(mark).encode()!r})]\n"
        "list(LocalProcesses(1).run(tasks))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        while not (mark.is_file() and mark.read_text()):
            time.sleep(0.02)
        child = int(mark.read_text())
        assert is_alive(child)
        parent.kill()
    assert wait_until_dead(child)


def test_leaving_the_block_ends_what_runs(tmp_path: Path) -> None:
    mark = tmp_path / "process"
    with LocalProcesses(2) as executor:
        results = executor.run([task("linger", str(mark).encode()), task("echo")])
        next(results)
        while not (mark.is_file() and mark.read_text()):
            time.sleep(0.02)
    assert wait_until_dead(int(mark.read_text()))


def test_nothing_runs_on_no_process() -> None:
    with pytest.raises(ValueError, match="at least one"):
        LocalProcesses(0)
