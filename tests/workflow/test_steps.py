from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edgeworthy.workflow.cache import Cache
from edgeworthy.workflow.steps import Step, StepResult, StepRunner

START = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """A runner whose clock stands still until it is moved, and a count of what ran."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.folder = folder
        self.ran: list[str] = []
        self.titles: list[str] = []

    def run(
        self,
        inputs: Mapping[str, str],
        *,
        expires_at: str | None = None,
        intact: str = "",
        output: bytes = b"result",
    ) -> StepRunner:
        runner = StepRunner(
            Cache(self.folder),
            clock=lambda: self.now,
            progress=lambda title, _ratio: self.titles.append(title),
        )

        def work() -> StepResult:
            self.ran.append("work")
            return StepResult({"made": output}, expires_at)

        step = Step(name="s", title="Working", inputs=inputs, run=work, intact=lambda _: intact)
        digests = runner.run(step)
        assert runner.cache.get(digests["made"]) == output
        return runner


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_step_runs_once_for_the_same_inputs(world: World) -> None:
    first = world.run({"x": "1"})
    second = world.run({"x": "1"})
    assert world.ran == ["work"]
    assert world.titles == ["Working"]
    assert first.outcomes[0].reason == "never done before"
    assert not second.outcomes[0].ran
    assert second.outcomes[0].reason == "nothing it depends on has changed"


def test_the_changed_inputs_are_named(world: World) -> None:
    world.run({"x": "1", "y": "1", "z": "1"})
    runner = world.run({"x": "2", "y": "1", "w": "1"})
    assert runner.outcomes[0].reason == "changed: w, x, z"


def test_going_back_to_old_inputs_finds_the_old_result(world: World) -> None:
    for value in ("1", "2", "1"):
        world.run({"x": value})
    assert world.ran == ["work", "work"]


def test_expired_evidence_is_made_again(world: World) -> None:
    expires = (START + timedelta(days=1)).isoformat()
    world.run({}, expires_at=expires)
    world.now = START + timedelta(hours=23)
    assert not world.run({}, expires_at=expires).outcomes[0].ran
    world.now = START + timedelta(days=1)
    outcome = world.run({}, expires_at=(world.now + timedelta(days=1)).isoformat()).outcomes[0]
    assert outcome.ran
    assert outcome.reason == f"its evidence expired at {expires}"


def test_a_lost_result_is_made_again(world: World) -> None:
    runner = world.run({})
    for path in (world.folder / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    again = world.run({})
    assert again.outcomes[0].reason == "its result is missing or damaged: made"
    assert runner.outcomes[0].step == "s"


def test_a_removed_record_is_named_as_such(world: World) -> None:
    world.run({"x": "1"})
    for path in (world.folder / "steps").rglob("*.json"):
        path.unlink()
    assert world.run({"x": "1"}).outcomes[0].reason == "its record was removed"


def test_what_was_written_elsewhere_must_still_be_there(world: World) -> None:
    world.run({})
    outcome = world.run({}, intact="the folder is missing").outcomes[0]
    assert (outcome.ran, outcome.reason) == (True, "the folder is missing")


def test_a_step_that_fails_leaves_no_record(world: World) -> None:
    def fail() -> StepResult:
        raise ZeroDivisionError

    runner = StepRunner(Cache(world.folder), clock=lambda: START)
    with pytest.raises(ZeroDivisionError):
        runner.run(Step(name="s", title="", inputs={}, run=fail))
    assert world.run({}).outcomes[0].reason == "never done before"
