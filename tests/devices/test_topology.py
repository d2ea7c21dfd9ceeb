from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeworthy.devices import processor_groups


def write(root: Path, processor: int, **files: str) -> None:
    for name, text in files.items():
        path = root / f"sys/devices/system/cpu/cpu{processor}" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_big_and_little_cores_are_groups(tmp_path: Path) -> None:
    for each in range(6):
        write(tmp_path, each, cpu_capacity="1024\n" if each > 3 else "430\n")
    assert processor_groups(tmp_path, usable=range(6)) == (
        (0, 1, 2, 3, 4, 5),
        (4, 5),
        (0, 1, 2, 3),
        (4,),
    )


def test_the_highest_clock_tells_where_there_is_no_capacity(tmp_path: Path) -> None:
    for each, clock in enumerate(("1800000", "2400000")):
        write(tmp_path, each, cpufreq__cpuinfo_max_freq=clock)
    assert processor_groups(tmp_path, usable=(0, 1)) == ((0, 1), (1,), (0,))


def test_one_thread_per_core(tmp_path: Path) -> None:
    for each in range(4):
        write(tmp_path, each, topology__thread_siblings_list=f"{each % 2},{each % 2 + 2}\n")
    assert processor_groups(tmp_path, usable=range(4)) == ((0, 1, 2, 3), (0, 1), (0,))
    # The first thread of a core may be forbidden.
    assert processor_groups(tmp_path, usable=(1, 2, 3)) == ((1, 2, 3), (1, 2), (1,))


@pytest.mark.parametrize("text", ["", "nonsense", "-1"])
def test_what_nothing_tells_is_one_class(tmp_path: Path, text: str) -> None:
    for each in range(2):
        write(tmp_path, each, cpu_capacity=text, topology__thread_siblings_list=text)
    assert processor_groups(tmp_path, usable=(0, 1)) == ((0, 1), (0,))


def test_only_processors_of_this_process_count() -> None:
    usable = os.sched_getaffinity(0)
    assert set(processor_groups()[0]) == usable
