from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edgeworthy.measurement.accounting import ProcessTime


def write(root: Path, task: str, text: str) -> None:
    folder = root / "proc/self/task" / task
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedstat").write_text(text)


def test_the_waits_of_all_threads_add_up(tmp_path: Path) -> None:
    write(tmp_path, "10", "5000 700 3\n")
    write(tmp_path, "11", "9000 55 2\n")
    before = ProcessTime.now(tmp_path)
    assert before.waited_ns == 755
    write(tmp_path, "11", "9500 1055 4\n")
    assert ProcessTime.now(tmp_path).since(before).waited_ns == 1000


@pytest.mark.parametrize("text", ["", "5\n", "a b c\n"])
def test_a_count_that_is_not_kept_is_absent(tmp_path: Path, text: str) -> None:
    write(tmp_path, "10", text)
    found = ProcessTime.now(tmp_path)
    assert found.waited_ns is None
    assert found.since(found).waited_ns is None
    assert ProcessTime.now(tmp_path / "nowhere").waited_ns is None


def test_a_thread_that_ended_makes_no_negative_wait(tmp_path: Path) -> None:
    write(tmp_path, "10", "5000 700 3\n")
    write(tmp_path, "11", "5000 700 3\n")
    before = ProcessTime.now(tmp_path)
    (tmp_path / "proc/self/task/11/schedstat").unlink()
    assert ProcessTime.now(tmp_path).since(before).waited_ns == 0


def test_work_is_processor_time_and_sleep_is_none() -> None:
    before = ProcessTime.now()
    sum(range(200_000))
    worked = ProcessTime.now()
    time.sleep(0.01)
    rested = ProcessTime.now().since(worked)
    assert worked.since(before).cpu_ns > rested.cpu_ns >= 0
    if Path(f"/proc/{os.getpid()}/schedstat").exists():
        assert rested.waited_ns is not None
