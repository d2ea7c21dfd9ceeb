from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bench import Bench, equipped
from agent.desk import BLOB, PLACE, Desk
from agent.web import Web, serving
from edgeworthy.agent.sources import HttpSource


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as found:
        yield found


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory, because thousands of fsyncs on a disk take minutes."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - made anew
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


@pytest.fixture
def desk(tmp_path: Path, web: Web) -> Desk:
    web.files[PLACE] = BLOB
    return Desk(tmp_path / "store", [HttpSource(web.url, answer_seconds=2)])


@pytest.fixture
def bench(memory_path: Path) -> Bench:
    """An enrolled device beside a repository that offers 1.0.0 to it."""
    return Bench.enrolled(memory_path / "device", equipped(memory_path / "workshop"))
