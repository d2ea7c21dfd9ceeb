"""Shares a long run out among processes, tells how far it is, goes on where it was stopped.

A record holds each piece of work that is done, and the digest of the code that it was done with:
with other code everything is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[], Counter[str]]

_ROOT = Path(__file__).parents[2]
#: What the processes of a pool do; they are forked, so that work need not be sent.
_WORK: dict[str, Work] = {}


@dataclass(frozen=True)
class Record:
    """What is done.

    Attributes:
        path: Where it is kept; absent to keep none.
        conditions: What else the results depend on.
    """

    path: Path | None
    conditions: str = ""

    def read(self) -> dict[str, Counter[str]]:
        """Results by name, if they are of this code."""
        if self.path is None or not self.path.exists():
            return {}
        first, *lines = self.path.read_text().splitlines() or [""]
        if first != self._head():
            return {}
        found = {}
        for line in lines:
            with contextlib.suppress(ValueError):  # the line that a kill cut off
                name, outcomes = json.loads(line)
                found[name] = Counter(outcomes)
        return found

    def begin(self) -> None:
        """Begin anew, unless there is something to go on from."""
        if self.path is not None and not self.read():
            self.path.write_text(f"{self._head()}\n")

    def add(self, name: str, outcomes: Counter[str]) -> None:
        """Keep a result."""
        if self.path is not None:
            with self.path.open("a") as stream:
                stream.write(f"{json.dumps([name, outcomes])}\n")

    def _head(self) -> str:
        hasher = hashlib.sha256(self.conditions.encode())
        for folder in (_ROOT / "src", _ROOT / "tests" / "agent", _ROOT / "tests" / "faults"):
            for path in sorted(folder.rglob("*.py")):
                hasher.update(path.read_bytes())
        return hasher.hexdigest()


def shared_out(
    work: Mapping[str, Work], record: Record, processes: int
) -> Iterator[tuple[str, Counter[str]]]:
    """Names and results, in the order of the work; what is recorded is not done again."""
    record.begin()
    done = record.read()
    left = [name for name in work if name not in done]
    began = time.monotonic()
    _WORK.clear()
    _WORK.update(work)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        running = {name: pool.submit(_run, name) for name in left}
        for number, name in enumerate(work, start=1):
            if name in running:
                try:
                    outcomes = running[name].result()
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
                record.add(name, outcomes)
                took = (time.monotonic() - began) / 60
                print(f"{number} of {len(work)}: {name}, after {took:.1f} min", file=sys.stderr)  # noqa: T201 - progress
            yield name, done.get(name) or outcomes


def _run(name: str) -> Counter[str]:
    return _WORK[name]()
