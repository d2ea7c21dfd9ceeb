"""The samples that are corrupted, what they are, and which corruptions they can have.

Rules:

1. What the samples are is found once and kept in the cache; a declaration in
   ``[evaluate.corruptions]`` goes before what is found.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from edgeworthy.documents.project import SampleKind
from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import ProjectFileError
from edgeworthy.workflow.examinations.base import Case
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import tool_version

if TYPE_CHECKING:
    from edgeworthy.evaluation.corruptions import AnyCorruption, Facts, Form, ThinnedDataset


class _Found(msgspec.Struct, frozen=True):
    """What the samples are, as it is kept."""

    kind: SampleKind
    axes: str
    low: float
    high: float
    sample_rate_hz: int
    channels: int
    values: int


@dataclass(frozen=True)
class Material:
    """The samples of a case, ready to be corrupted.

    Attributes:
        case: What is examined.
        input: The input that is corrupted.
        digest: Of what was found about the samples.
        form: How they are stored.
        facts: Of the set.
        channels: Of one sample.
        values_per_sample: Of the input that is corrupted.
    """

    case: Case
    input: str
    digest: str
    form: Form
    facts: Facts
    channels: int
    values_per_sample: int

    @cached_property
    def corruptions(self) -> tuple[AnyCorruption, ...]:
        """Those that are asked for and that the samples can have."""
        return tuple(each for each in self._asked if not self._obstacle(each))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Those that the samples cannot have, and why."""
        return tuple(filter(None, map(self._obstacle, self._asked)))

    def _obstacle(self, corruption: AnyCorruption) -> str:
        """Why the samples cannot have a corruption; empty where they can."""
        from edgeworthy.evaluation.corruptions import scoring_of

        name, least = corruption.name, corruption.least_channels
        if least > self.channels:
            return f"{name} needs {least} channels, the samples have {self.channels}."
        task = self.case.settings.task
        scoring = scoring_of(task)
        if corruption.moves_content and scoring is not None and scoring.needs_places:
            return f"{name} moves what the picture shows, and the labels of {task} say where it is."
        return ""

    @cached_property
    def _asked(self) -> tuple[AnyCorruption, ...]:
        from edgeworthy.evaluation.corruptions import chosen_corruptions

        section = self.case.workspace.project.evaluate.corruptions
        return chosen_corruptions(self.form.kind, section.names, leave_out=section.leave_out)

    def thinned(self, every: int) -> ThinnedDataset:
        """The first of each so many samples; read once when they are few."""
        from edgeworthy.evaluation.corruptions import ThinnedDataset

        held = self.__dict__.setdefault("_thinned", {})
        if every not in held:
            held[every] = ThinnedDataset(self.case.judgment.samples.open(), every)
        made: ThinnedDataset = held[every]
        return made


def material_of(case: Case) -> Material:
    """What the samples of a case are.

    Raises:
        ProjectFileError: It cannot be told, or ``input`` names none.
    """
    section = case.workspace.project.evaluate.corruptions
    names = [tensor.name for tensor in case.reading.signature.inputs]
    chosen = section.input or names[0]
    if chosen not in names:
        raise ProjectFileError(
            f"the model has no input `{chosen}`",
            expected=f"one of {', '.join(f'`{name}`' for name in names)}",
            where="evaluate.corruptions.input",
        )
    declared = case.reading.inputs.get(chosen)
    layout = declared.layout[1:] if declared else ""
    outputs = case.workspace.runner.run(
        Step(
            name="corruptions/samples",
            title="Looking at the samples",
            inputs={
                "samples": case.judgment.samples.digest,
                "input": chosen,
                "layout": layout,
                "kind": section.kind or "",
                "tools": tool_version("numpy"),
            },
            run=lambda: _look(case, chosen, layout),
        )
    )
    return _material(case, chosen, outputs["found"], outputs["facts"])


def _look(case: Case, chosen: str, layout: str) -> StepResult:
    from edgeworthy.datasets import npz_bytes
    from edgeworthy.evaluation.corruptions import form_of

    section = case.workspace.project.evaluate.corruptions
    form, facts = form_of(
        case.judgment.samples.open(), name=chosen, layout=layout, kind=section.kind
    )
    found = _Found(
        kind=form.kind,
        axes=form.axes,
        low=form.low,
        high=form.high,
        sample_rate_hz=facts.sample_rate_hz,
        channels=facts.pool.shape[-1],
        values=facts.pool[0].size,
    )
    arrays: dict[str, Any] = {"mean": facts.mean, "std": facts.std, "pool": facts.pool}
    return StepResult({"found": canonical_json(found), "facts": npz_bytes(arrays)})


def _material(case: Case, chosen: str, found_digest: str, facts_digest: str) -> Material:
    import numpy as np

    from edgeworthy.evaluation.corruptions import Facts, Form

    cache = case.workspace.cache
    found = msgspec.json.decode(cache.get(found_digest), type=_Found)
    with np.load(io.BytesIO(cache.get(facts_digest)), allow_pickle=False) as archive:
        facts = Facts(archive["mean"], archive["std"], archive["pool"], found.sample_rate_hz)
    return Material(
        case=case,
        input=chosen,
        digest=f"{found_digest} {facts_digest}",
        form=Form(kind=found.kind, axes=found.axes, low=found.low, high=found.high),
        facts=facts,
        channels=found.channels,
        values_per_sample=found.values,
    )
