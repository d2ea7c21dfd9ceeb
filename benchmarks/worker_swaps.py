"""What many updates leave behind: memory and descriptors over hundreds of swaps under requests.

Method: clients ask without a pause over a Unix socket and over TCP, half of them on connections
that stay open. Again and again a new worker is loaded and proven beside the old one and takes its
place. A worker of every tenth swap is looked at after half a second of serving: PSS and open
descriptors. The process that starts the workers and holds the sockets is looked at as well. The
leak is the median of the last ten looks minus that of the first ten.

Command (about six minutes for 200)::

    PYTHONPATH=tests python benchmarks/worker_swaps.py --swaps 200
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from worker_footprint import memory_mib

from agent.worker.clients import Crowd
from agent.worker.releases import linear_release
from agent.worker.supervising import WorkerProcess, listen_on_path, listen_on_tcp, move

_WARM = 10


def descriptors(process_id: int) -> int:
    """Open descriptors of a process."""
    return sum(1 for _ in Path(f"/proc/{process_id}/fd").iterdir())


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--look-every", type=int, default=5)
    options = parser.parse_args()
    looks: list[tuple[float, int, float, int]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        releases = [
            linear_release(version=version).write(folder / version) for version in ("1.0", "1.1")
        ]
        unix, tcp = listen_on_path(folder / "s"), listen_on_tcp()
        old = started(releases[0], unix, tcp)
        old.serve()
        handed = cut = 0
        with Crowd(str(folder / "s"), 2) as near, Crowd(tcp.getsockname(), 2) as far:
            for swap in range(1, options.swaps + 1):
                new = started(releases[swap % 2], unix, tcp)
                drained = move(old, new)
                handed, cut = handed + drained.handed_over_count, cut + drained.cut_count
                old = new
                if swap % options.look_every == 0:
                    time.sleep(0.5)
                    looks.append(looked_at(old.process.pid))
        old.end()
    answers = sum(near.answers.values()) + sum(far.answers.values())
    failures = near.failures + far.failures
    print(
        f"{options.swaps} swaps, {answers} requests answered, {len(failures)} lost, "
        f"{handed} connections handed over, {cut} cut\n"
    )
    print(*failures[:5], sep="\n")
    print(
        "| process | figure | first ten looks | last ten looks | grown by |\n|---|---|---|---|---|"
    )
    for column, title in enumerate(
        (
            "worker | PSS MiB",
            "worker | descriptors",
            "its parent | PSS MiB",
            "its parent | descriptors",
        )
    ):
        first = statistics.median(look[column] for look in looks[:_WARM])
        last = statistics.median(look[column] for look in looks[-_WARM:])
        print(f"| {title} | {first:.2f} | {last:.2f} | {last - first:+.2f} |")
    return 1 if failures else 0


def started(release: Path, *listeners: socket.socket) -> WorkerProcess:
    """A worker that is loaded and proven."""
    worker = WorkerProcess(release, listeners)
    worker.loaded()
    if not worker.self_test().passed:
        sys.exit("the self-test failed")
    return worker


def looked_at(process_id: int) -> tuple[float, int, float, int]:
    """PSS and descriptors of a worker and of this process."""
    return (
        memory_mib(process_id)[0],
        descriptors(process_id),
        memory_mib(os.getpid())[0],
        descriptors(os.getpid()),
    )


if __name__ == "__main__":
    sys.exit(main())
