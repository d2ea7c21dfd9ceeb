"""Doing a step, or finding that it is done.

Rules:

1. A step is a function of named inputs, each a digest or a value; its outputs are bytes.
2. Whether it ran is decided by its inputs alone, and the reason is kept for ``--explain``.
3. Time enters only through ``expires_at``: evidence that has expired is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from edgeworthy.documents.record import Record
from edgeworthy.workflow.cache import Cache, StepRecord, step_key

#: Tells a person what is going on: a sentence, and the share that is done if it is known.
Progress = Callable[[str, float | None], None]


def silent(_message: str, _done_ratio: float | None) -> None:
    """Progress for programs."""


class StepOutcome(Record, frozen=True, kw_only=True):
    """Whether a step ran, and why.

    Attributes:
        step: Identity of the step.
        ran: False when its result was found in the cache.
        reason: One sentence.
    """

    step: str
    ran: bool
    reason: str


@dataclass(frozen=True)
class StepResult:
    """Bytes that a step made, by name, and when they expire."""

    outputs: Mapping[str, bytes]
    expires_at: str | None = None


@dataclass(frozen=True)
class Step:
    """One piece of work.

    Attributes:
        name: Identity, for example ``measure/host``.
        title: For people: what is going on while it runs.
        inputs: Digest or value of everything that the result depends on.
        run: Does the work.
        intact: For steps that also write outside the cache: given the outputs, why what was
            written is no longer there as it was; empty when it is.
    """

    name: str
    title: str
    inputs: Mapping[str, str]
    run: Callable[[], StepResult]
    intact: Callable[[Mapping[str, bytes]], str] | None = None


class StepRunner:
    """Runs steps against a cache.

    Args:
        cache: Where results are kept.
        clock: Current time, with a time zone.
        progress: Told the title of each step that runs.
    """

    def __init__(
        self, cache: Cache, *, clock: Callable[[], datetime], progress: Progress = silent
    ) -> None:
        self.cache = cache
        self.clock = clock
        self.progress = progress
        self.outcomes: list[StepOutcome] = []

    def reporting_to(self, progress: Progress) -> StepRunner:
        """A runner with the same cache and outcomes, and another listener."""
        other = StepRunner(self.cache, clock=self.clock, progress=progress)
        other.outcomes = self.outcomes
        return other

    def run(self, step: Step) -> dict[str, str]:
        """Digests of the step's outputs, from the cache or made now."""
        key = step_key(step.name, step.inputs)
        record = self.cache.find(step.name, key)
        reason = self._reason_to_run(step, record)
        if record is not None and not reason:
            self._note(step, ran=False, reason="nothing it depends on has changed")
            return record.outputs
        self.progress(step.title, None)
        result = step.run()
        outputs = {name: self.cache.put(data) for name, data in sorted(result.outputs.items())}
        self.cache.store(
            StepRecord(
                step=step.name,
                key=key,
                inputs=dict(step.inputs),
                outputs=outputs,
                expires_at=result.expires_at,
            )
        )
        self._note(step, ran=True, reason=reason)
        return outputs

    def is_done(self, step: Step) -> bool:
        """Whether running the step would find its result in the cache."""
        record = self.cache.find(step.name, step_key(step.name, step.inputs))
        return record is not None and not self._reason_to_run(step, record)

    def _note(self, step: Step, *, ran: bool, reason: str) -> None:
        self.outcomes.append(StepOutcome(step=step.name, ran=ran, reason=reason))

    def _reason_to_run(self, step: Step, record: StepRecord | None) -> str:
        if record is None:
            return self._what_changed(step)
        if record.expires_at and datetime.fromisoformat(record.expires_at) <= self.clock():
            return f"its evidence expired at {record.expires_at}"
        lost = [name for name, digest in record.outputs.items() if not self.cache.holds(digest)]
        if lost:
            return f"its result is missing or damaged: {', '.join(lost)}"
        if step.intact is None:
            return ""
        return step.intact({name: self.cache.get(one) for name, one in record.outputs.items()})

    def _what_changed(self, step: Step) -> str:
        last = self.cache.last(step.name)
        if last is None:
            return "never done before"
        names = sorted({*last.inputs, *step.inputs})
        changed = [name for name in names if last.inputs.get(name) != step.inputs.get(name)]
        return f"changed: {', '.join(changed)}" if changed else "its record was removed"
