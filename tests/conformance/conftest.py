from __future__ import annotations

from pathlib import Path

import pytest

from conformance.simulator import Client, Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
def client(tmp_path: Path, simulator: Simulator) -> Client:
    return Client.enrolled(tmp_path, simulator)
