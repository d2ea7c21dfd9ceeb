"""What an evaluation looks into: shares of a budget, time left, kills, and equal records."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bands import ProjectFolder
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import EvaluateSection
from edgeworthy.errors import UsageError
from edgeworthy.workflow.examinations.base import Case, Examination, Unit
from edgeworthy.workflow.examinations.profiles import BUDGETS_S, Allotment, allotted
from edgeworthy.workflow.examinations.registry import EXAMINATIONS, named, wanted
from edgeworthy.workflow.examinations.running import TimeLeft, examine
from edgeworthy.workflow.steps import Step, StepResult

START = datetime(2026, 5, 1, tzinfo=UTC)


class Counting(Examination):
    """Three units of three seconds each."""

    name = "confidence"
    weight = 1.0

    def __init__(self, tick: Callable[[float], None] = lambda _: None) -> None:
        self.tick = tick

    def units(self, case: Case, allotment: Allotment) -> Sequence[Unit]:
        def step(number: int) -> Step:
            def run() -> StepResult:
                self.tick(3.0)
                return StepResult({"said": f"{number} of {allotment.seconds:g} s".encode()})

            return Step(f"count/{case.key}/{number}", "Counting", {"artefact": "x"}, run)

        return [Unit(step(number), 3.0) for number in range(3)]

    def joined(
        self, case: Case, evaluation: Evaluation, results: Sequence[Mapping[str, str]]
    ) -> Evaluation:
        said = " and ".join(case.workspace.cache.get(each["said"]).decode() for each in results)
        return msgspec.structs.replace(evaluation, runtime=said)


def cases_of(project: ProjectFolder) -> list[Case]:
    """The cases of a project that was built."""
    return list(project.load()._stages._cases)


def test_a_budget_is_shared_out_by_weights() -> None:
    shares = [allotted("standard", weight, 10.0, 3).seconds for weight in (8.0, 1.0, 1.0)]
    assert sum(shares) * 3 == pytest.approx(BUDGETS_S["standard"])
    assert shares[0] == pytest.approx(160.0)


def test_what_was_found_is_joined_in_order_and_named(built: ProjectFolder) -> None:
    found = examine(cases_of(built)[:1], [Counting()], "quick")
    assert found[0].runtime == "0 of 60 s and 1 of 60 s and 2 of 60 s"
    assert (found[0].profile, found[0].examined) == ("quick", ("confidence",))


def test_units_that_are_done_are_not_done_again(built: ProjectFolder) -> None:
    ticks: list[float] = []
    cases = cases_of(built)[:2]
    first = examine(cases, [Counting(ticks.append)], "quick")
    again = examine(cases, [Counting(ticks.append)], "quick")
    assert len(ticks) == 6
    assert again == first


def test_the_time_left_is_told_from_what_ran(built: ProjectFolder) -> None:
    now = START
    heard: list[tuple[str, float | None]] = []

    def tick(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=2 * seconds)

    case = cases_of(built)[0]
    workspace = dataclasses.replace(
        case.workspace, clock=lambda: now, progress=lambda *said: heard.append(said)
    )
    examine([dataclasses.replace(case, workspace=workspace)], [Counting(tick)], "quick")
    assert heard == [
        ("Counting", 0.0),
        ("Counting, 12 s left", pytest.approx(1 / 3)),
        ("Counting, 6 s left", pytest.approx(2 / 3)),
    ]


def test_what_is_cached_does_not_count_for_the_time_left() -> None:
    heard: list[float | None] = []
    left = TimeLeft(lambda _, ratio: heard.append(ratio), lambda: START)
    left.expect(100.0)
    left.begin(90.0)
    left.end(ran=False)
    left.begin(10.0)
    left("Half of the rest", 0.5)
    assert heard == [0.5]


def test_a_build_does_what_takes_seconds_and_a_profile_everything() -> None:
    everything = tuple(each.name for each in EXAMINATIONS)
    profile, quick = wanted(EvaluateSection())
    assert profile == "quick"
    assert "confidence" in {each.name for each in quick}
    profile, chosen = wanted(EvaluateSection(profile="thorough"))
    assert (profile, tuple(each.name for each in chosen)) == ("thorough", everything)
    _, one = wanted(EvaluateSection(profile="thorough", only=("confidence",)))
    assert [each.name for each in one] == ["confidence"]


@pytest.mark.parametrize("text", ["", "slises", "confidence,nothing"])
def test_what_cannot_be_looked_into_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(UsageError, match="`confidence`"):
        named(text)


def test_the_same_seed_gives_the_same_records(built: ProjectFolder) -> None:
    first = built.load().evaluate("standard")
    for kind in ("steps", "last"):
        for path in (built.path / ".edgeworthy" / kind).rglob("*.json"):
            path.unlink()
    again = built.load().evaluate("standard")
    assert [timeless(each) for each in again] == [timeless(each) for each in first]
    assert first[0].profile == "standard"


def timeless(evaluation: Evaluation) -> Evaluation:
    return msgspec.structs.replace(evaluation, taken_at="", expires_at="")


KILLED = """
import os, signal, sys
from edgeworthy.workflow import cache
real = cache.Cache.store
def store(self, record):
    if record.step.startswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, record)
cache.Cache.store = store
from edgeworthy.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


def test_a_killed_evaluation_goes_on_where_it_was(built: ProjectFolder) -> None:
    whole = built.load().evaluate("thorough")
    for path in (built.path / ".edgeworthy" / "steps").glob("confidence--*/*.json"):
        path.unlink()
    arguments = [sys.executable, "-c", KILLED, "confidence/host/int8", "evaluate", "--json"]
    arguments += ["--project", str(built.path), "--profile", "thorough"]
    killed = subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    project = built.load()
    assert project.evaluate("thorough") == whole
    ran = [each.step for each in project.outcomes if each.ran]
    assert [step.split("/")[0] for step in ran] == ["confidence"]
