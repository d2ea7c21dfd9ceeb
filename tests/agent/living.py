"""An enrolled device that a real agent works on, and what that agent says of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeworthy.agent.asking import Question, ask
from edgeworthy.agent.enrolling import enroll
from edgeworthy.agent.store import Store
from edgeworthy.documents.agent import AgentSettings
from edgeworthy.errors import ExecutionError
from release.trust.workshop import PRODUCT, Workshop

PATIENCE_SECONDS = 90.0


def enrolled(folder: Path, workshop: Workshop, interval_seconds: float = 1.0) -> Store:
    """A device that was just enrolled, and follows a workshop."""
    made = Store(folder)
    settings = AgentSettings(
        device="d1",
        ring="stable",
        product=PRODUCT,
        policy="gateways",
        repositories=(str(workshop.repository),),
        interval_seconds=interval_seconds,
    )
    enroll(made, settings, (workshop.repository / "metadata" / "1.root.json").read_bytes())
    return made


def status(store: Store) -> Any:  # noqa: ANN401 - JSON
    try:
        answer = ask(store.run, Question(ask="status"))
    except ExecutionError:  # it was killed, or hangs
        return None
    return json.loads(answer.data) if answer is not None and answer.data else None


def wait_until(store: Store, reached: Callable[[Any], object]) -> Any:  # noqa: ANN401 - JSON
    end = time.monotonic() + PATIENCE_SECONDS
    found = None
    while time.monotonic() < end:
        found = status(store)
        if found is not None and reached(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {found}")


def serves(version: str) -> Callable[[Any], object]:
    return lambda found: found["worker"] and found["current"]["version"] == version
