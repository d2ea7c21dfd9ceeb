"""Whether confidence means what it says, and the temperature that mends it.

Rules:

1. The temperature is fitted on the calibration samples, by what this very file says about them.
2. It is one unit: without calibration samples, or for other tasks than classification, none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from edgeworthy.documents.evaluation import (
    Evaluation,
    MetricValue,
    ReliabilityBin,
    TemperatureFit,
)
from edgeworthy.documents.project import ExaminationName
from edgeworthy.documents.record import Record, canonical_json
from edgeworthy.workflow.examinations.base import Case, Examination, Unit
from edgeworthy.workflow.examinations.profiles import Allotment, inference_s
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.inference import load_predictions, predict_samples
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import tool_version

_CALIBRATION = "calibration"
#: More samples do not make a temperature better that a person could tell.
MOST_SAMPLES = 5_000
_FIT_S = 0.5


class _Found(Record, frozen=True, kw_only=True):
    """What the unit makes."""

    temperature: TemperatureFit
    metrics: tuple[MetricValue, ...]
    reliability: tuple[ReliabilityBin, ...]


class ConfidenceExamination(Examination):
    """Temperature scaling, before and after."""

    name: ClassVar[ExaminationName] = "confidence"
    weight: ClassVar[float] = 1.0

    def units(self, case: Case, allotment: Allotment) -> Sequence[Unit]:
        """One unit: run the calibration samples, fit, judge with the temperature."""
        calibration = case.samples.get(_CALIBRATION)
        if case.settings.task != "classification" or calibration is None:
            return ()
        total = calibration.summary.reference.sample_count
        most = min(MOST_SAMPLES, allotment.inferences(case.mac_count))
        every = -(-total // most)
        step = Step(
            name=f"confidence/{case.key}",
            title=f"Fitting the temperature of {case.subject.name}",
            inputs={
                "artefact": case.subject.artifact,
                "predictions": case.judgment.predictions,
                "calibration samples": calibration.digest,
                "every": str(every),
                "settings": canonical_json(
                    [
                        case.settings.scores,
                        case.settings.label_count,
                        case.settings.confidences,
                        case.settings.seed,
                    ]
                ).decode(),
                "runtime": case.reading.runtime,
                "tools": tool_version("numpy"),
            },
            run=lambda: StepResult({"found": canonical_json(_found(case, calibration, every))}),
        )
        return (Unit(step, _FIT_S + total / every * inference_s(case.mac_count)),)

    def joined(
        self, case: Case, evaluation: Evaluation, results: Sequence[Mapping[str, str]]
    ) -> Evaluation:
        """Temperature, figures and bins."""
        found = msgspec.json.decode(case.workspace.cache.get(results[0]["found"]), type=_Found)
        return msgspec.structs.replace(
            evaluation,
            temperature=found.temperature,
            metrics=(*evaluation.metrics, *found.metrics),
            scaled_reliability=found.reliability,
        )


def _found(case: Case, calibration: SampleSet, every: int) -> _Found:
    from edgeworthy.evaluation import fit_temperature, scaled_confidence

    said = load_predictions(
        case.workspace,
        predict_samples(
            case.workspace,
            case.subject,
            case.reading,
            calibration,
            key=f"{case.subject.name}-{_CALIBRATION}",
            every=every,
        ),
    )
    fitted = fit_temperature(said, case.settings)
    temperature = TemperatureFit(
        temperature=fitted.temperature,
        refusal=fitted.refusal,
        dataset=calibration.summary.reference,
        sample_count=len(said),
        loss_before=fitted.loss_before,
        loss_after=fitted.loss_after,
    )
    if fitted.temperature is None:
        return _Found(temperature=temperature, metrics=(), reliability=())
    judged = load_predictions(case.workspace, case.judgment.predictions)
    scaled = scaled_confidence(judged, case.settings, fitted.temperature.value)
    return _Found(temperature=temperature, metrics=scaled.metrics, reliability=scaled.reliability)
