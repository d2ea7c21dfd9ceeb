"""Whole build records: one that passed, one that was refused, a regression."""

from __future__ import annotations

import math

import msgspec

from edgeworthy.documents.build import BuildRecord, SamplePicture
from edgeworthy.documents.dataset import DatasetReference, DatasetSummary, SliceCount
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import (
    Evaluation,
    MetricValue,
)
from edgeworthy.documents.gate import GateDecision, RequirementResult, TargetDecision, Verdict
from edgeworthy.documents.project import (
    DataSection,
    ModelSection,
    ProjectFile,
    ProjectSection,
    ReleaseSection,
    RequirementSection,
    TargetSection,
)
from report_documents import (
    SAMPLES,
    VARIANTS,
    around,
    digest,
    make_evaluation,
    make_inspection,
    make_measurement,
    make_variant,
)
from report_measured_documents import make_profile, make_sustained, make_sweep

REQUIREMENTS = (
    RequirementSection(metric="accuracy", at_least=0.95),
    RequirementSection(metric="accuracy", drop_at_most=0.015),
    RequirementSection(metric="accuracy", slice="digit=*", at_least=0.8),
    RequirementSection(metric="latency_p90_ms", at_most=2.0),
    RequirementSection(metric="size_kib", at_most=32.0),
    RequirementSection(metric="peak_memory_mib", at_most=128.0),
)


def _measured(requirement: RequirementSection, target: str, name: str) -> dict[str, Estimate]:
    evaluation, measurement = make_evaluation(target, name), make_measurement(target, name)
    if requirement.metric == "accuracy":
        wanted = [
            m
            for m in evaluation.metrics
            if m.metric == "accuracy"
            and bool(m.slice) == bool(requirement.slice)
            and m.slice.startswith(requirement.slice.rstrip("*"))
        ]
        if requirement.drop_at_most is not None:
            return {m.slice: m.drop for m in wanted if m.drop is not None}
        return {m.slice: m.estimate for m in wanted}
    if requirement.metric == "latency_p90_ms":
        latency = measurement.percentiles[1].latency_ms
        assert latency is not None
        return {"": latency}
    return {
        "": measurement.size_kib
        if requirement.metric == "size_kib"
        else measurement.peak_memory_mib
    }


def _result(
    index: int, requirement: RequirementSection, where: tuple[str, str, str], measured: Estimate
) -> RequirementResult:
    target, name, slice_ = where
    if requirement.at_least is not None:
        bound, words = requirement.at_least, f"at least {requirement.at_least:g}"
        best, worst = measured.low >= bound, measured.high < bound
    else:
        limit = requirement.at_most
        bound = limit if limit is not None else requirement.drop_at_most or 0.0
        words = f"at most {bound:g}" if limit is not None else f"a drop of at most {bound:g}"
        best, worst = measured.high <= bound, measured.low > bound
    verdict = Verdict.PASS if best else Verdict.FAIL if worst else Verdict.INCONCLUSIVE
    reasons = {
        Verdict.PASS: "the whole interval meets the bound",
        Verdict.FAIL: "the whole interval misses the bound",
        Verdict.INCONCLUSIVE: "the interval holds the bound; more samples would settle it",
    }
    return RequirementResult(
        requirement=requirement,
        requirement_index=index,
        slice=slice_,
        target=target,
        variant=name,
        artifact=digest(name),
        verdict=verdict,
        measured=measured,
        bound=words,
        reason=reasons[verdict],
        samples_needed=212 if verdict is Verdict.INCONCLUSIVE else None,
    )


def _worst(verdicts: list[Verdict]) -> Verdict:
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    return next(v for v in order if v in verdicts)


def make_decision(
    targets: tuple[str, ...], requirements: tuple[RequirementSection, ...]
) -> GateDecision:
    results = tuple(
        _result(index, requirement, (target, name, slice_), measured)
        for target in targets
        for name in VARIANTS
        for index, requirement in enumerate(requirements)
        for slice_, measured in _measured(requirement, target, name).items()
    )
    decided = tuple(
        TargetDecision(
            target=target,
            verdict=_worst(
                [r.verdict for r in results if (r.target, r.variant) == (target, VARIANTS[1])]
            ),
            variant=VARIANTS[1],
            artifact=digest(VARIANTS[1]),
            reason="the fastest of the 2 variants that meet every requirement",
        )
        for target in targets
    )
    return GateDecision(
        verdict=_worst([d.verdict for d in decided]),
        targets=decided,
        results=results,
        policy_digest=digest("policy"),
        evidence=tuple(sorted(digest(f"{t} {v}") for t in targets for v in VARIANTS)),
    )


def make_pictures() -> tuple[SamplePicture, ...]:
    def grey(x: int, y: int, seed: int) -> float:
        ring = abs(math.hypot(x - 3.5, y - 3.5 + seed % 3 - 1) - 2.4)
        return max(0.0, 255.0 - 120.0 * ring)

    return tuple(
        SamplePicture(
            index=17 * (i + 1),
            drawing="image",
            values=tuple(tuple(grey(x, y, i) for x in range(8)) for y in range(8)),
        )
        for i in range(6)
    )


def make_datasets() -> tuple[DatasetSummary, ...]:
    def summary(name: str, n: int, mark: str) -> DatasetSummary:
        return DatasetSummary(
            reference=DatasetReference(name=name, digest=f"sha256:{mark * 64}", sample_count=n),
            data_format="npz",
            label_counts=tuple(n // 10 for _ in range(10)),
            slices=tuple(
                SliceCount(column="stroke", value=value, sample_count=n // 3)
                for value in ("thin", "medium", "thick")
            ),
            license="CC-BY-4.0",
            origin="scikit-learn's load_digits",
        )

    return (summary("calibration", 200, "c"), summary("evaluation", SAMPLES, "e"))


def make_project(
    targets: tuple[str, ...], requirements: tuple[RequirementSection, ...]
) -> ProjectFile:
    return ProjectFile(
        project=ProjectSection(
            name="digits", version="1.2.0", description="Handwritten digits, 8 by 8 pixels."
        ),
        model=ModelSection(
            path="digits.onnx",
            task="classification",
            labels=tuple(str(d) for d in range(10)),
            license="Apache-2.0",
            origin="examples/digits/train.py",
        ),
        data={"evaluation": DataSection(path="evaluation.npz")},
        targets={
            name: TargetSection(device="host" if name == "laptop" else name) for name in targets
        },
        require=requirements,
        release=ReleaseSection(key="keys/release"),
    )


def make_record(
    targets: tuple[str, ...] = ("laptop", "raspberry-pi-4"),
    requirements: tuple[RequirementSection, ...] = REQUIREMENTS,
) -> BuildRecord:
    names = ("original", *VARIANTS)
    return BuildRecord(
        project=make_project(targets, requirements),
        inspection=make_inspection(),
        datasets=make_datasets(),
        variants=tuple(make_variant(name) for name in VARIANTS),
        measurements=tuple(make_measurement(t, name) for t in targets for name in names),
        evaluations=tuple(make_evaluation(t, name) for t in targets for name in names),
        decision=make_decision(targets, requirements) if targets else None,
        release_digest=digest("release") if targets else None,
        release_path="dist/release" if targets else "",
        pictures=make_pictures() if targets else (),
        tool_version="0.1.0",
        created_at="2026-03-01T09:31:07Z",
        sustained=(make_sustained(),) if targets else (),
        profiles=(make_profile(),) if targets else (),
        sweeps=(make_sweep(),) if targets else (),
    )


def make_refused() -> BuildRecord:
    record = make_record(
        targets=("laptop",),
        requirements=(
            *REQUIREMENTS,
            RequirementSection(metric="accuracy", slice="digit=*", at_least=0.97),
            RequirementSection(metric="accuracy", at_least=0.999),
        ),
    )
    assert record.decision is not None
    assert record.decision.verdict is Verdict.FAIL
    return msgspec.structs.replace(record, release_digest=None, release_path="")


def make_regression() -> BuildRecord:
    record = make_record(targets=("laptop",), requirements=REQUIREMENTS[3:])
    model = msgspec.structs.replace(record.project.model, task="regression", labels=())
    return msgspec.structs.replace(
        record,
        project=msgspec.structs.replace(record.project, model=model),
        evaluations=tuple(_as_regression(entry) for entry in record.evaluations),
        datasets=tuple(
            msgspec.structs.replace(entry, label_counts=()) for entry in record.datasets
        ),
        pictures=(),
    )


def _as_regression(entry: Evaluation) -> Evaluation:
    error = around(1.842, 0.11, unit="mmHg", n=SAMPLES, method="bootstrap")
    return msgspec.structs.replace(
        entry,
        task="regression",
        metrics=(
            MetricValue(metric="mean_absolute_error", slice="", estimate=error),
            MetricValue(metric="mean_absolute_error", slice="sex=f", estimate=error),
            MetricValue(metric="mean_absolute_error", slice="sex=m", estimate=error),
        ),
        flips=None,
        reliability=(),
        confusion=(),
    )
