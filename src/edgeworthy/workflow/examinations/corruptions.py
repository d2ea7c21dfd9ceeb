"""How the artefact takes what goes wrong between the world and the model.

Rules:

1. One unit is one corruption at all severities of the profile; samples are corrupted before they
   are prepared, as on the device.
2. The original is run under the same conditions on the same samples: what matters is what
   compression adds.
3. The samples are evenly spread over the set, and as many as the allotment pays for.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from edgeworthy.documents.corruption import CorruptionStudy, StudiedCorruption
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import ExaminationName, ProfileName
from edgeworthy.documents.record import canonical_json
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.examinations.base import Case, Examination, Unit
from edgeworthy.workflow.examinations.corrupted_samples import Material, material_of
from edgeworthy.workflow.examinations.profiles import Allotment, inference_s
from edgeworthy.workflow.stages.inference import (
    BATCH_SIZE,
    answering,
    load_predictions,
    output_form,
)
from edgeworthy.workflow.stages.measurement import host_of
from edgeworthy.workflow.stages.subjects import Subject
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import tool_version

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeworthy.evaluation.corruptions import AnyCorruption, Question, Scored, Scoring

_SEVERITIES: Mapping[ProfileName, tuple[int, ...]] = {
    "quick": (1, 3, 5),
    "standard": (1, 2, 3, 4, 5),
    "thorough": (1, 2, 3, 4, 5),
}
_FEWEST_SAMPLES = 32
# What corrupting is taken to cost, as the costs of an inference are: a rate, never the clock.
_S_PER_VALUE = 1e-7
_S_PER_SAMPLE = 1e-4


@dataclass(frozen=True)
class _Plan:
    """What is done to a case."""

    material: Material
    scoring: Scoring
    severities: tuple[int, ...]
    every: int
    sample_s: float

    @property
    def cost_s(self) -> float:
        """Of one unit."""
        return len(self.material.thinned(self.every)) * len(self.severities) * self.sample_s


class CorruptionsExamination(Examination):
    """Corruptions of raw samples."""

    name: ClassVar[ExaminationName] = "corruptions"
    weight: ClassVar[float] = 6.0

    def units(self, case: Case, allotment: Allotment) -> Sequence[Unit]:
        """One per corruption; none for tasks whose answers have no score of their own."""
        plan = _plan(case, allotment)
        if plan is None:
            return ()
        return [
            Unit(_step(case, case.subject, plan, each), plan.cost_s)
            for each in plan.material.corruptions
        ]

    def joined(
        self, case: Case, evaluation: Evaluation, results: Sequence[Mapping[str, str]]
    ) -> Evaluation:
        """The study, and findings where the artefact is brittle."""
        from edgeworthy.evaluation.corruptions import corruption_figures, corruption_findings

        settled = msgspec.json.decode(case.workspace.cache.get(results[0]["plan"]), type=_Settled)
        material, scoring = material_of(case), _scoring(case)
        if scoring is None:
            return evaluation
        plan = _Plan(material, scoring, settled.severities, settled.every, 0.0)
        question, subject = _question(case, plan), _scored(case, plan, results)
        original = None
        if case.subject.name != ORIGINAL:
            # The original's units were done before, so that each of these is found in the cache.
            run = case.workspace.runner.run
            steps = [_step(case, case.judgment.original, plan, e) for e in material.corruptions]
            original = _scored(case, plan, [run(step) for step in steps], of_original=True)
        study = CorruptionStudy(
            kind=material.form.kind,
            metric=plan.scoring.metric,
            sample_count=len(question.labels),
            severities=plan.severities,
            corruptions=question.corruptions,
            figures=corruption_figures(question, subject, original),
            left_out=material.left_out,
            seed=case.settings.seed,
        )
        findings = corruption_findings(question, subject, original) if original else ()
        return msgspec.structs.replace(
            evaluation, corruptions=study, findings=(*evaluation.findings, *findings)
        )


class _Settled(msgspec.Struct, frozen=True):
    """What the allotment came to; kept with the results, which are read without it."""

    severities: tuple[int, ...]
    every: int


def _scoring(case: Case) -> Scoring | None:
    from edgeworthy.evaluation.corruptions import scoring_of

    return scoring_of(case.settings.task)


def _plan(case: Case, allotment: Allotment) -> _Plan | None:
    scoring = _scoring(case)
    if scoring is None:
        return None
    material = material_of(case)
    severities = _SEVERITIES[allotment.profile]
    sample_s = (
        inference_s(case.mac_count) + _S_PER_SAMPLE + material.values_per_sample * _S_PER_VALUE
    )
    conditions = max(1, len(severities) * len(material.corruptions))
    total = case.judgment.samples.summary.reference.sample_count
    count = max(_FEWEST_SAMPLES, int(allotment.seconds / (conditions * sample_s)))
    return _Plan(material, scoring, severities, max(1, -(-total // count)), sample_s)


def _step(case: Case, subject: Subject, plan: _Plan, corruption: AnyCorruption) -> Step:
    """The unit of an artefact; the same one whichever target asks for it."""
    reading, settings, material = case.reading, case.settings, plan.material
    title = f"Running {subject.name} under {corruption.title.lower()}"
    return Step(
        name=f"corruptions/{reading.runtime}-{reading.threads}/{subject.name}/{corruption.name}",
        title=title,
        inputs={
            "artefact": subject.artifact,
            "samples": case.judgment.samples.digest,
            "every": str(plan.every),
            "corruption": f"{corruption.name} {corruption.levels}",
            "severities": canonical_json(plan.severities).decode(),
            "facts": material.digest,
            "seed": str(settings.seed),
            "preparation": digest_bytes(canonical_json([reading.signature, dict(reading.inputs)])),
            "output": reading.output,
            "outputs": canonical_json(output_form(case.workspace.project.model)).decode(),
            "task": canonical_json([settings.task, settings.scores, settings.label_count]).decode(),
            "host": canonical_json(host_of(case.workspace)).decode(),
            "tools": tool_version(reading.runtime, "numpy", "pillow"),
        },
        run=partial(_run, case, subject, plan, corruption, title),
    )


def _run(
    case: Case, subject: Subject, plan: _Plan, corruption: AnyCorruption, title: str
) -> StepResult:
    import numpy as np

    from edgeworthy.datasets import npz_bytes
    from edgeworthy.runtimes import find_runtime

    reading = case.reading
    rows = []
    with find_runtime(reading.runtime).load(subject.path, threads=reading.threads) as session:
        for done, severity in enumerate(plan.severities):
            case.workspace.progress(title, done / len(plan.severities))
            rows.append(_scores(case, plan, (corruption, severity), session))
    settled = _Settled(plan.severities, plan.every)
    return StepResult(
        {"scores": npz_bytes({"scores": np.stack(rows)}), "plan": canonical_json(settled)}
    )


def _scores(
    case: Case,
    plan: _Plan,
    condition: tuple[AnyCorruption, int],
    session: Any,  # noqa: ANN401 - a session of any runtime
) -> NDArray[np.float64]:
    """``(n,)`` under one condition."""
    from edgeworthy.datasets import prepared_batches
    from edgeworthy.evaluation import predict
    from edgeworthy.evaluation.corruptions import Condition, CorruptedDataset
    from edgeworthy.evaluation.tasks import find_task

    material, reading = plan.material, case.reading
    corrupted = CorruptedDataset(
        material.thinned(plan.every),
        material.form,
        material.facts,
        Condition(*condition, case.settings.seed),
        name=material.input,
    )
    batches = prepared_batches(
        corrupted, signature=reading.signature, inputs=reading.inputs, size=BATCH_SIZE
    )
    answers, output = answering(session, case.subject, reading, case.workspace.project.model)
    said = predict(answers, batches, output=output)
    return plan.scoring.scores(find_task(case.settings.task).decode(said, case.settings))


def _question(case: Case, plan: _Plan) -> Question:
    from edgeworthy.evaluation.corruptions import Question

    labels = load_predictions(case.workspace, case.judgment.predictions).labels
    return Question(
        scoring=plan.scoring,
        labels=labels[:: plan.every],
        corruptions=tuple(
            StudiedCorruption(name=each.name, group=each.group, title=each.title)
            for each in plan.material.corruptions
        ),
        severities=plan.severities,
        confidences=case.settings.confidences,
    )


def _scored(
    case: Case, plan: _Plan, results: Sequence[Mapping[str, str]], *, of_original: bool = False
) -> Scored:
    from edgeworthy.evaluation.corruptions import Scored
    from edgeworthy.evaluation.tasks import find_task

    judgment = case.judgment
    said = load_predictions(
        case.workspace, judgment.reference if of_original else judgment.predictions
    )
    clean = plan.scoring.scores(find_task(case.settings.task).decode(said, case.settings))
    names = [each.name for each in plan.material.corruptions]
    tables = [case.workspace.cache.get(each["scores"]) for each in results]
    return Scored(
        clean=clean[None, :: plan.every],
        corrupted={name: _table(data) for name, data in zip(names, tables, strict=True)},
    )


def _table(data: bytes) -> NDArray[np.float64]:
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        table: NDArray[np.float64] = archive["scores"]
    return table
