"""Artefacts taking turns, so that whatever disturbs the machine disturbs them all alike.

Rules:

1. Every launch starts each artefact's process afresh and keeps it until its turns are over. They
   come up side by side, which saves time; before an engine is imported all of them are up, and
   from then on rule 3 holds.
2. In each round every artefact has one turn; the order is drawn anew for each round.
3. One process works at a time: the others are stopped, and nobody is told of progress meanwhile.
4. Turns take about equal time, and see the samples in the same order. The first queries of a turn
   find cold caches, which no stream of queries does: they are not timed. How many queries a turn
   has is told by each start's own warm-up. Kept from the first start, an odd moment there would
   give one artefact shorter turns, with more of cold caches, in all starts, and starts would no
   longer be independent: equal things were told apart.
5. Pipelines have their turns after those of bare inference, in the same processes.
6. Ctrl-C ends everything, or keeps the launches that were finished when the settings say so.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeworthy.graph import work_varies
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.observations import LaunchObservation, PipelineObservation
from edgeworthy.measurement.pipeline_turns import observe_pipelines
from edgeworthy.measurement.plan import (
    MeasurementPlan,
    MeasurementProgress,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.starting import (
    GENERATED_COUNT,
    Sample,
    StartedProcess,
    prepare,
    start,
)
from edgeworthy.measurement.turns import settle_count, turn_query_count
from edgeworthy.measurement.wire import MemoryRead, Prepared, ReadMemory, RunQueries

#: Fewer finished starts than this show no spread: after Ctrl-C nothing is made of them.
FEWEST_LAUNCHES_KEPT = 2


@dataclass(frozen=True)
class Observation:
    """What all starts of one artefact showed.

    Attributes:
        plan: The artefact.
        launches: One per start.
        cycle: After how many queries the samples come again, where the work of any of the
            artefacts that take turns depends on them; 0 where it does not.
        varies: Whether that of this one does.
    """

    plan: MeasurementPlan
    launches: tuple[LaunchObservation, ...]
    cycle: int = 0
    varies: bool = False


def observe(
    plans: Sequence[MeasurementPlan],
    settings: MeasurementSettings,
    samples: tuple[Sample, ...],
    *,
    progress: ProgressListener | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[Observation, ...]:
    """Run all plans against each other.

    Args:
        plans: What to run.
        settings: How thoroughly.
        samples: Inputs of single queries; empty for random ones.
        progress: Told after every round.
        monotonic: Seconds, for the limits.

    Returns:
        One observation per plan, in their order; turn ``r`` of launch ``l`` of each belongs to
        the same round.

    Raises:
        ModelFileError: An engine cannot read an artefact.
        InferenceError: An engine failed, or its process ended.
        MeasurementError: A process fell silent.
    """
    rounds = _Rounds(plans, settings, samples, monotonic=monotonic)
    found: list[list[LaunchObservation]] = []
    try:
        for launch in range(settings.launch_count):
            found += [rounds.run_launch(launch, progress or nobody)]
    except KeyboardInterrupt:
        if not settings.keeps_partial or len(found) < FEWEST_LAUNCHES_KEPT:
            raise
    return tuple(
        Observation(
            plan=plan,
            launches=tuple(launches),
            cycle=rounds.cycle,
            varies=varies,
        )
        for plan, launches, varies in zip(
            plans, zip(*found, strict=True), rounds.varies, strict=True
        )
    )


def nobody(progress: MeasurementProgress) -> None:
    """The listener when there is none."""


class _Rounds:
    """The turns of all launches, and how many of them are enough.

    Attributes:
        varies: Of each artefact, whether its work depends on the sample. Where any does, every
            start begins with the first sample and ends when all of them were seen: which samples
            take long must not depend on the budget.
        cycle: After how many queries the samples come again then; 0 elsewhere.
    """

    def __init__(
        self,
        plans: Sequence[MeasurementPlan],
        settings: MeasurementSettings,
        samples: tuple[Sample, ...],
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._plans = plans
        self._settings = settings
        self._samples = samples
        self._monotonic = monotonic
        self._generator = np.random.default_rng(settings.seed)
        self._turn_counts = [0] * len(plans)
        self._query_counts = [0] * len(plans)
        self._begun_counts = [0] * len(plans)
        self._elapsed_s = 0.0
        self.varies = [work_varies(plan.artifact) for plan in plans]
        self.cycle = (len(samples) or GENERATED_COUNT) if any(self.varies) else 0

    def run_launch(self, launch: int, progress: ProgressListener) -> list[LaunchObservation]:
        """Start every artefact, give them their turns, end them."""
        started: dict[int, StartedProcess] = {}
        if self.cycle:
            self._begun_counts = list(self._query_counts)
        with contextlib.ExitStack() as stack:
            children = {
                index: stack.enter_context(
                    ChildProcess(self._plans[index], reply_timeout_s=self._settings.reply_timeout_s)
                )
                for index in self._order()
            }
            for child in children.values():
                child.ask(ReadMemory(), MemoryRead)
            prepared = {
                index: prepare(child, self._plans[index], self._settings, samples=self._samples)
                for index, child in children.items()
            }
            for index, child in children.items():
                started[index] = self._start(index, child, prepared[index])
            begun_s = self._elapsed_s
            while True:
                self._run_round(started)
                progress(self._progress(launch, started))
                if self._done_ratio(launch) >= 1:
                    break
            observed = [started[index].observation() for index in range(len(self._plans))]
            pipelines = self._observe_pipelines(started, bare_s=self._elapsed_s - begun_s)
            # One start tells it: the same file on the same samples grows the same arena.
            arenas = {
                index: started[index].arena_bytes(self._plans[index]) if launch == 0 else None
                for index in started
            }
            return [
                replace(each, pipeline=pipelines.get(index), arena_bytes=arenas[index])
                for index, each in enumerate(observed)
            ]

    def _observe_pipelines(
        self, started: Mapping[int, StartedProcess], *, bare_s: float
    ) -> dict[int, PipelineObservation]:
        plans = {
            index: plan.pipeline
            for index, plan in enumerate(self._plans)
            if plan.pipeline is not None
        }
        if not plans:
            return {}
        return observe_pipelines(
            started, plans, self._generator, bare_s=bare_s, block_s=self._settings.block_s
        )

    def _order(self) -> list[int]:
        order: list[int] = self._generator.permutation(len(self._plans)).tolist()
        return order

    def _start(self, index: int, child: ChildProcess, prepared: Prepared) -> StartedProcess:
        settings = self._settings
        started = start(child, self._plans[index], settings, prepared)
        self._turn_counts[index] = turn_query_count(started.latency_ns, settings.block_s)
        return started

    def _run_round(self, started: Mapping[int, StartedProcess]) -> None:
        begun_s = self._monotonic()
        for index in self._order():
            count = self._turn_counts[index]
            request = RunQueries(
                first=self._query_counts[index] - self._begun_counts[index],
                count=count,
                settle_count=settle_count(count),
            )
            started[index].take_turn(request)
            self._query_counts[index] += count
        self._elapsed_s += self._monotonic() - begun_s

    def _done_ratio(self, launch: int) -> float:
        """Share of what is due by the end of a launch; the budget counts as much as the goals."""
        settings = self._settings
        due_share = (launch + 1) / settings.launch_count
        plan_count = len(self._plans)
        queries = min(self._query_counts) / math.ceil(settings.query_count * due_share)
        least_s = settings.minimum_s * plan_count * due_share
        time_ratio = self._elapsed_s / least_s if least_s > 0 else 1.0
        budget = self._elapsed_s / (settings.budget_s * plan_count * due_share)
        done = max(min(queries, time_ratio), budget)
        return min(done, self._seen_ratio()) if self.cycle else done

    def _seen_ratio(self) -> float:
        """Share of the samples that this start has shown to every artefact."""
        counts = zip(self._query_counts, self._begun_counts, strict=True)
        return min(count - begun for count, begun in counts) / self.cycle

    def _progress(self, launch: int, started: Mapping[int, StartedProcess]) -> MeasurementProgress:
        launch_count = self._settings.launch_count
        done_ratio = min(self._done_ratio(launch), 1.0) * (launch + 1) / launch_count
        return MeasurementProgress(
            launch=launch + 1,
            launch_count=launch_count,
            done_ratio=done_ratio,
            latest_ms=tuple(started[index].latest_ms for index in range(len(self._plans))),
        )
