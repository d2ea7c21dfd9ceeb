"""What an idle supervisor costs a device: memory, processor time, bytes written.

Rules:

1. A real agent with a real worker follows a real repository from its folder; nothing is offered
   that is new, as on almost every day.
2. Memory is PSS (``smaps_rollup``: own pages, and shared ones by their share), sampled each second
   after the agent has settled; the largest sample counts. RSS stands beside it.
3. Processor time is taken over minutes of idling with the usual interval, and per look from looks
   one after the other: a day is then idling and 24 looks. The kernel counts in ticks of 10 ms.
4. Bytes written are the sizes of the files of the store that were written anew, and what the kernel
   counted for the process (``/proc/PID/io``, ``write_bytes``); the larger one counts.

Usage: ``PYTHONPATH=tests python benchmarks/agent_footprint.py [--idle-seconds N] [--looks N]``
prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.living import enrolled
from agent.real_release import real_workshop
from edgeworthy.agent.asking import Question, ask
from edgeworthy.agent.store import Store
from edgeworthy.release.trust import refresh_repository
from release.trust.workshop import Workshop

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 5.0
LOOKS_PER_DAY = 24
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Reading:
    """What the kernel says of a process."""

    pss_bytes: int
    rss_bytes: int
    cpu_seconds: float
    written_bytes: int

    @classmethod
    def of(cls, process_id: int) -> Reading:
        """Read it now."""
        proc = Path("/proc") / str(process_id)
        rows = (line.split() for line in (proc / "smaps_rollup").read_text().splitlines())
        sizes = {row[0]: int(row[1]) * 1024 for row in rows if row[-1] == "kB"}
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        io = dict(line.split(": ") for line in (proc / "io").read_text().splitlines())
        return cls(
            pss_bytes=sizes["Pss:"],
            rss_bytes=sizes["Rss:"],
            cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND,
            written_bytes=int(io["write_bytes"]),
        )


def status(store: Store) -> Any:  # noqa: ANN401 - JSON
    """What the agent says of itself; absent when it does not answer."""
    answer = ask(store.run, Question(ask="status"))
    return json.loads(answer.data) if answer is not None else None


@contextmanager
def agent(store: Store) -> Iterator[int]:
    """A running agent; yields its process id once it serves."""
    command = [sys.executable, "-m", "edgeworthy", "agent", "run", "--store", str(store.folder)]
    process = subprocess.Popen(command)
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            found = status(store)
            if found and found["worker"]:
                break
            time.sleep(0.2)
        else:
            raise SystemExit("the agent never served")
        time.sleep(SETTLE_SECONDS)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def changed_bytes(store: Store, before: dict[Path, tuple[int, int]]) -> int:
    """Sizes of the files of a store that were written since."""
    return sum(
        path.stat().st_size for path, seen in files_of(store).items() if before.get(path) != seen
    )


def files_of(store: Store) -> dict[Path, tuple[int, int]]:
    """Every file of a store, with what changes when it is written."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in store.folder.rglob("*")
        if path.is_file()
    }


def idle(folder: Path, workshop: Workshop, seconds: float) -> tuple[list[Reading], int]:
    """Readings each second of an agent that has nothing to do, and bytes that it wrote."""
    store = enrolled(folder, workshop, 3600.0)
    with agent(store) as process_id:
        before = files_of(store)
        readings = [Reading.of(process_id)]
        for _ in range(round(seconds)):
            time.sleep(1.0)
            readings.append(Reading.of(process_id))
        written = changed_bytes(store, before)
    return readings, written


def looking(folder: Path, workshop: Workshop, looks: int) -> tuple[Reading, Reading, int]:
    """Readings before and after so many looks, and bytes that they wrote."""
    store = enrolled(folder, workshop, 3600.0)
    with agent(store) as process_id:
        before, first = files_of(store), Reading.of(process_id)
        for _ in range(looks):
            ask(store.run, Question(ask="look"))
            while (found := status(store)) is None or found["next_look_seconds"] < 1:
                time.sleep(0.02)
        last, written = Reading.of(process_id), changed_bytes(store, before)
    return first, last, written


def renewal(folder: Path, workshop: Workshop) -> int:
    """Bytes that a look writes after the repository has signed its timestamp again."""
    store = enrolled(folder, workshop, 3600.0)
    with agent(store):
        before = files_of(store)
        workshop.now = datetime.now(UTC)
        refresh_repository(workshop.ceremony())
        ask(store.run, Question(ask="look"))
        time.sleep(3.0)
        return changed_bytes(store, before)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--idle-seconds", type=float, default=120.0)
    parser.add_argument("--looks", type=int, default=2 * LOOKS_PER_DAY)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = folder / "workshop"
        workshop = real_workshop(place, Workshop(place, now=datetime.now(UTC)))
        readings, idle_bytes = idle(folder / "idle", workshop, options.idle_seconds)
        first, last, look_bytes = looking(folder / "looking", workshop, options.looks)
        renewed_bytes = renewal(folder / "renewed", workshop)
    idle_cpu = readings[-1].cpu_seconds - readings[0].cpu_seconds
    per_look = (last.cpu_seconds - first.cpu_seconds) / options.looks
    day_cpu = idle_cpu / options.idle_seconds * SECONDS_PER_DAY + per_look * LOOKS_PER_DAY
    idle_bytes = max(idle_bytes, readings[-1].written_bytes - readings[0].written_bytes)
    look_bytes = max(look_bytes, last.written_bytes - first.written_bytes)
    day_bytes = idle_bytes * SECONDS_PER_DAY / options.idle_seconds
    day_bytes += look_bytes * LOOKS_PER_DAY / options.looks + renewed_bytes
    largest = max(each.pss_bytes for each in readings)
    rss = max(each.rss_bytes for each in readings)
    idle_share = 100 * idle_cpu / options.idle_seconds
    rows = [
        (
            f"PSS of the idle supervisor, largest of {len(readings)}",
            f"{largest / 1e6:.1f} MB",
            "45 MB",
        ),
        ("its RSS", f"{rss / 1e6:.1f} MB", ""),
        (f"its PSS after {options.looks} looks", f"{last.pss_bytes / 1e6:.1f} MB", "45 MB"),
        (f"processor, idle for {options.idle_seconds:.0f} s", f"{idle_share:.3f} %", "0.2 %"),
        (f"processor of a look, mean of {options.looks}", f"{1000 * per_look:.0f} ms", ""),
        ("processor of an idle day", f"{100 * day_cpu / SECONDS_PER_DAY:.3f} %", "0.2 %"),
        ("bytes of a look that finds a renewed timestamp", f"{renewed_bytes}", ""),
        ("bytes of an idle day with one such look", f"{day_bytes:.0f}", "1,000,000"),
    ]
    print("| what | measured | at most |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
