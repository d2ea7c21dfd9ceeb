"""Doing the units of all examinations, telling how much time is left.

Rules:

1. Artefact by artefact, so that the original's work is there when a variant asks for it.
2. What the cache holds costs nothing: it does not count for the time left.
3. The evaluation says which profile it was taken with and what was looked into.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import ProfileName
from edgeworthy.workflow.examinations.base import Case, Examination, Unit
from edgeworthy.workflow.examinations.profiles import Allotment, allotted
from edgeworthy.workflow.steps import Progress

_TOLD_FROM_RATIO = 0.02
_MINUTE_S = 60


class TimeLeft:
    """Progress over all units, as one share and a time.

    Args:
        listener: Told the message with the time left, and the share that is done.
        clock: Current time.
    """

    def __init__(self, listener: Progress, clock: Callable[[], datetime]) -> None:
        self._listener = listener
        self._clock = clock
        self._started = clock()
        self._total = self._done = self._current = 0.0

    def expect(self, cost_s: float) -> None:
        """There is this much more to do."""
        self._total += cost_s

    def begin(self, cost_s: float) -> None:
        """A unit begins."""
        self._current = cost_s

    def end(self, *, ran: bool) -> None:
        """It is done; what did not run was never work (rule 2)."""
        if ran:
            self._done += self._current
        else:
            self._total -= self._current
        self._current = 0.0

    def __call__(self, message: str, done_ratio: float | None) -> None:
        """Tell the listener."""
        if self._total <= 0:
            self._listener(message, done_ratio)
            return
        ratio = min(1.0, (self._done + self._current * (done_ratio or 0.0)) / self._total)
        if ratio >= _TOLD_FROM_RATIO:
            elapsed_s = (self._clock() - self._started).total_seconds()
            message = f"{message}, {duration_in_words(elapsed_s * (1 - ratio) / ratio)} left"
        self._listener(message, ratio)


def duration_in_words(seconds: float) -> str:
    """A duration as people say it.

    >>> duration_in_words(12.3), duration_in_words(200.0)
    ('12 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"


def examine(
    cases: Sequence[Case], examinations: Sequence[Examination], profile: ProfileName
) -> tuple[Evaluation, ...]:
    """Look into every case.

    Args:
        cases: Artefacts with their evaluations, the originals before their variants.
        examinations: What to look into.
        profile: How much work it may be.

    Returns:
        The evaluations, with what was found.
    """
    if not cases or not examinations:
        return tuple(case.evaluation for case in cases)
    workspace = cases[0].workspace
    left = TimeLeft(workspace.progress, workspace.clock)
    runner = workspace.runner.reporting_to(left)
    watched = dataclasses.replace(workspace, runner=runner, progress=left)
    weights = sum(each.weight for each in examinations)
    plans = [
        (at, case, each, tuple(each.units(case, _share(each, weights, cases, profile))))
        for at, case in enumerate(dataclasses.replace(case, workspace=watched) for case in cases)
        for each in examinations
    ]
    for *_, units in plans:
        left.expect(sum(unit.cost_s for unit in units))
    found = [case.evaluation for case in cases]
    for at, case, each, units in plans:
        if units:
            results = [_done(case, unit, left) for unit in units]
            joined = each.joined(case, found[at], results)
            found[at] = msgspec.structs.replace(
                joined, profile=profile, examined=(*joined.examined, each.name)
            )
    return tuple(found)


def _share(
    examination: Examination, weights: float, cases: Sequence[Case], profile: ProfileName
) -> Allotment:
    return allotted(profile, examination.weight, weights, len(cases))


def _done(case: Case, unit: Unit, left: TimeLeft) -> dict[str, str]:
    runner = case.workspace.runner
    left.begin(unit.cost_s)
    outputs = runner.run(unit.step)
    left.end(ran=runner.outcomes[-1].ran)
    return outputs
