"""The figure that a requirement asks for, looked up in the evidence.

Rules:

1. A figure counts only if it was taken on the target's class of device (architecture and
   instruction set) and has not expired; the size of a file counts always. Otherwise there is no
   figure, and the reason says what to do.
2. Of several documents about the same artefact and target the newest counts.
3. An interval counts at the confidence that was asked for, or at the next higher one there is,
   which is the more careful; an exact figure counts at each.
4. How much worse than the original: for an evaluation the paired drop; for a measurement the
   difference of two intervals that were not taken in pairs, from the lowest of the one and the
   highest of the other, which holds at least the confidence of both together (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from edgeworthy.documents.device import DeviceProfile, HostFingerprint
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.evaluation import Evaluation, MetricValue
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.project import RequirementSection, TargetSection
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.release.corruption_figures import (
    is_under_corruption,
    values_under_corruption,
    wanted_corruption,
)
from edgeworthy.release.expiry import expiry_of, parse_date
from edgeworthy.release.requirements import (
    LATENCY_PERCENTS,
    MEASUREMENT_METRICS,
    SCAN_METRIC,
    wants_each,
)

_BYTES_PER_KIB = 1024
_TOLERANCE = 1e-9

EvidenceT = TypeVar("EvidenceT", Measurement, Evaluation)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An artefact that could ship.

    Attributes:
        variant: Its name.
        artifact: Digest of its file.
        size_bytes: Size of its file.
        targets: Targets that it was made for.
        replaces_float: Whether it computes or stores otherwise than float, so that it must be shown
            to do no harm.
    """

    variant: str
    artifact: str
    size_bytes: int
    targets: tuple[str, ...]
    replaces_float: bool = False


@dataclass(frozen=True, kw_only=True)
class GateTarget:
    """A target of the project with the class of device that it stands for.

    Attributes:
        name: Of the target.
        section: Its table.
        profile: Its class of device.
        margin: Largest loss of the first metric that counts as none; None for the usual.
    """

    name: str
    section: TargetSection
    profile: DeviceProfile
    margin: float | None = None


@dataclass(frozen=True)
class Figure:
    """A figure for one slice, or the reason why there is none.

    Attributes:
        slice: ``column=value``, or empty for all samples.
        estimate: The figure; absent when none counts.
        problem: Why it is absent.
        hopeless: Whether more evidence of the same kind could not supply it.
    """

    slice: str
    estimate: Estimate | None
    problem: str = ""
    hopeless: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that was found out, and the moment at which it is judged."""

    measurements: tuple[Measurement, ...]
    evaluations: tuple[Evaluation, ...]
    original: str
    now: datetime
    scans: tuple[ModelScan, ...] = ()

    def figures(
        self, requirement: RequirementSection, candidate: Candidate, target: GateTarget
    ) -> tuple[Figure, ...]:
        """What a requirement asks for: one figure, or one per value of a column."""
        if requirement.metric == SCAN_METRIC:
            return (self._of_scan(candidate),)
        if requirement.metric in MEASUREMENT_METRICS:
            return (self._of_measurement(requirement, candidate, target),)
        evaluation = newest(self.evaluations, candidate.variant, candidate.artifact, target.name)
        if evaluation is None:
            return (Figure(requirement.slice, None, "it was not evaluated for this target"),)
        problem = why_not_counted(evaluation, target.profile, self.now)
        return tuple(
            Figure(figure.slice, None, problem) if problem and not figure.hopeless else figure
            for figure in _of_evaluation(requirement, evaluation)
        )

    def _of_scan(self, candidate: Candidate) -> Figure:
        counts = [each.finding_count for each in self.scans if each.artifact == candidate.artifact]
        if not counts:
            return Figure("", None, "its file was not scanned")
        return Figure("", exact(float(max(counts)), unit="count"))

    def _of_measurement(
        self, requirement: RequirementSection, candidate: Candidate, target: GateTarget
    ) -> Figure:
        subject = (candidate.variant, candidate.artifact)
        ours = self._measured(requirement, subject, target, candidate.size_bytes)
        if requirement.drop_at_most is None or ours.estimate is None:
            return ours
        theirs = self._measured(requirement, (ORIGINAL, self.original), target, None)
        if theirs.estimate is None:
            return Figure("", None, f"the original has no figure: {theirs.problem}")
        return Figure("", difference(ours.estimate, theirs.estimate))

    def _measured(
        self,
        requirement: RequirementSection,
        subject: tuple[str, str],
        target: GateTarget,
        size_bytes: int | None,
    ) -> Figure:
        if requirement.metric == "size_kib" and size_bytes is not None:
            return Figure("", exact(size_bytes / _BYTES_PER_KIB, unit="KiB"))
        measurement = newest(self.measurements, *subject, target.name)
        if measurement is None:
            return Figure("", None, "it was not measured for this target")
        if requirement.metric == "size_kib":
            return Figure("", measurement.size_kib)
        if problem := why_not_counted(measurement, target.profile, self.now):
            return Figure("", None, problem)
        percent = LATENCY_PERCENTS.get(requirement.metric)
        if percent is not None:
            return latency(measurement, percent, requirement.confidence)
        estimate = (
            measurement.load_time_ms
            if requirement.metric == "load_time_ms"
            else measurement.peak_memory_mib
        )
        return at_confidence((estimate,), requirement.confidence)


def newest(
    documents: Iterable[EvidenceT], variant: str, artifact: str, target: str
) -> EvidenceT | None:
    """The newest document about an artefact, under this name, on a target."""
    wanted = (variant, artifact, target)
    found = [each for each in documents if (each.variant, each.artifact, each.target) == wanted]
    return max(found, key=lambda each: parse_date(each.taken_at), default=None)


def why_not_counted(
    document: Measurement | Evaluation, profile: DeviceProfile, now: datetime
) -> str:
    """Why a document says nothing about a class of device now; empty when it does."""
    verb = "measured" if isinstance(document, Measurement) else "evaluated"
    ours, theirs = _class_names(document.host, profile)
    if ours != theirs:
        return f"it was {verb} on {ours}, the target is {theirs}: measure on the device"
    if expiry_of(document) <= now:
        return f"what was {verb} expired at {document.expires_at}: run the build again"
    return ""


def latency(measurement: Measurement, percent: float, confidence: float) -> Figure:
    """A percentile of the latency at a confidence."""
    entries = [entry for entry in measurement.percentiles if entry.percent == percent]
    known = tuple(entry.latency_ms for entry in entries if entry.latency_ms is not None)
    refusals = [entry.refusal for entry in entries if entry.latency_ms is None]
    figure = at_confidence(known, confidence)
    if figure.estimate is None and refusals:
        return Figure("", None, refusals[0])
    return figure


def at_confidence(estimates: Sequence[Estimate], confidence: float) -> Figure:
    """The estimate whose confidence is that one, or the next higher."""
    careful = [each for each in estimates if each.confidence >= confidence - _TOLERANCE]
    if careful:
        return Figure("", min(careful, key=lambda each: each.confidence))
    if not estimates:
        return Figure("", None, "no such figure was taken")
    best = max(each.confidence for each in estimates)
    return Figure("", None, f"its interval has confidence {best:g}, {confidence:g} is required")


def difference(ours: Estimate, theirs: Estimate) -> Estimate:
    """How much larger our figure is than theirs (rule 4)."""
    return Estimate(
        value=ours.value - theirs.value,
        low=ours.low - theirs.high,
        high=ours.high - theirs.low,
        confidence=min(ours.confidence, theirs.confidence),
        n=min(ours.n, theirs.n),
        method="difference of intervals",
        unit=ours.unit,
    )


def _of_evaluation(requirement: RequirementSection, evaluation: Evaluation) -> tuple[Figure, ...]:
    if is_under_corruption(requirement.metric):
        return _under_corruption(requirement, evaluation)
    values = [each for each in evaluation.metrics if each.metric == requirement.metric]
    available = tuple(dict.fromkeys(each.slice for each in values))
    column = wants_each(requirement)
    wanted = (
        tuple(name for name in available if name.startswith(f"{column}="))
        if column
        else tuple(name for name in available if name == requirement.slice)
    )
    if not values:
        return (Figure(requirement.slice, None, f"the evaluation has no {requirement.metric}"),)
    if not wanted:
        listed = ", ".join(name for name in available if name) or "none"
        problem = f"there is no slice `{requirement.slice}`; there are: {listed}"
        return (Figure(requirement.slice, None, problem, hopeless=True),)
    return tuple(_of_slice(requirement, values, name) for name in wanted)


def _under_corruption(
    requirement: RequirementSection, evaluation: Evaluation
) -> tuple[Figure, ...]:
    values, problem = values_under_corruption(requirement, evaluation)
    if problem:
        hopeless = evaluation.corruptions is not None
        return (Figure(wanted_corruption(requirement), None, problem, hopeless=hopeless),)
    names = dict.fromkeys(each.slice for each in values)
    return tuple(_of_slice(requirement, values, name) for name in names)


def _of_slice(requirement: RequirementSection, values: Sequence[MetricValue], name: str) -> Figure:
    entries = [each for each in values if each.slice == name]
    if requirement.drop_at_most is None:
        figure = at_confidence([each.estimate for each in entries], requirement.confidence)
    else:
        drops = [each.drop for each in entries if each.drop is not None]
        if not drops:
            return Figure(name, None, "its drop against the original is not known")
        figure = at_confidence(drops, requirement.confidence)
    return Figure(name, figure.estimate, figure.problem)


def _class_names(host: HostFingerprint, profile: DeviceProfile) -> tuple[str, str]:
    if host.instruction_set == profile.instruction_set:
        return host.architecture, profile.architecture
    return host.instruction_set, profile.instruction_set
