"""A small but complete release, made of real documents, with real signatures."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import msgspec

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.device import DeviceProfile, HostFingerprint, InstructionSet
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.evaluation import Evaluation, MetricValue
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.documents.measurement import Measurement, Percentile
from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.project import InputSection, RequirementSection, TargetSection
from edgeworthy.documents.release import GoldenSet, ReleasedVariant, ReleaseManifest
from edgeworthy.files import digest_bytes
from edgeworthy.release import (
    GOLDEN_MEDIA_TYPE,
    MODEL_MEDIA_TYPE,
    Candidate,
    Evidence,
    GateQuestion,
    GateTarget,
    PrimaryMetric,
    ReleaseBlob,
    ReleaseContents,
    judge,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ORIGINAL = digest_bytes(b"the original model")
FLOAT_MODEL = b"float model bytes " * 40
SMALL_MODEL = b"int8 model bytes " * 20
GOLDEN = b"golden set bytes " * 8
#: What each variant was measured with.
MEMORY = {"float32": exact(30.0, unit="MiB"), "int8": exact(40.0, unit="MiB")}
REPORT = b"<!doctype html><title>report</title>"


def host_of(instruction_set: InstructionSet = "x86-vnni") -> HostFingerprint:
    arm = instruction_set.startswith("arm")
    return HostFingerprint(
        architecture="aarch64" if arm else "x86_64",
        instruction_set=instruction_set,
        cpu_model="a processor",
        cpu_flags=("avx2",),
        core_count=2,
        memory_bytes=8 << 30,
        operating_system="Linux 6.1",
        python_version="3.11.7",
        runtimes=("onnxruntime 1.32.0",),
    )


def profile_of(instruction_set: InstructionSet = "x86-vnni") -> DeviceProfile:
    host = host_of(instruction_set)
    return DeviceProfile(
        name=instruction_set,
        title=instruction_set,
        architecture=host.architecture,
        instruction_set=instruction_set,
    )


def interval(low: float, value: float, high: float, **changes: object) -> Estimate:
    """An interval in ms from 1000 queries; change what matters."""
    estimate = Estimate(
        value=value,
        low=low,
        high=high,
        confidence=0.95,
        n=1000,
        method="order-statistic",
        unit="ms",
    )
    return msgspec.structs.replace(estimate, **changes)


def proportion(low: float, value: float, high: float, **changes: object) -> Estimate:
    """An interval of a ratio from 1000 samples; change what matters."""
    return interval(low, value, high, **{"method": "wilson", "unit": "ratio", **changes})


def percentiles_of(p50: Estimate) -> tuple[Percentile, ...]:
    """The p50, a p90 of 12 ms, and a p99 that was refused."""
    return (
        Percentile(percent=50, latency_ms=p50),
        Percentile(percent=90, latency_ms=interval(11, 12, 13)),
        Percentile(percent=99, latency_ms=None, refusal="p99 needs 1500 queries, 1000 were"),
    )


def measurement_of(artifact: str, variant: str, **changes: object) -> Measurement:
    """A measurement with a p50 of 10 ms (9 to 11); change what matters."""
    measurement = Measurement(
        artifact=artifact,
        variant=variant,
        target="gateway",
        runtime="onnxruntime 1.32.0",
        threads=1,
        scenario="SingleStream",
        query_count=1000,
        percentiles=percentiles_of(interval(9, 10, 11)),
        quantiles_ms=(1.0, 2.0),
        load_time_ms=interval(90, 100, 110),
        first_inference_ms=20.0,
        peak_memory_mib=exact(40.0, unit="MiB"),
        runtime_memory_mib=30.0,
        size_kib=exact(100.0, unit="KiB"),
        against_original=None,
        host=host_of(),
        interleaving_seed=7,
        taken_at="2026-05-01T00:00:00Z",
        expires_at="2026-08-01T00:00:00Z",
    )
    return msgspec.structs.replace(measurement, **changes)


def metric(
    name: str, estimate: Estimate, *, of: str = "", drop: Estimate | None = None
) -> MetricValue:
    """A metric of all samples, or of a slice."""
    return MetricValue(metric=name, slice=of, estimate=estimate, drop=drop)


def evaluation_of(artifact: str, variant: str, **changes: object) -> Evaluation:
    """An evaluation with an accuracy of 0.95 (0.93 to 0.97); change what matters."""
    evaluation = Evaluation(
        artifact=artifact,
        original=ORIGINAL,
        variant=variant,
        target="gateway",
        runtime="onnxruntime 1.32.0",
        task="classification",
        dataset=DatasetReference(
            name="evaluation", digest=digest_bytes(b"samples"), sample_count=1000
        ),
        metrics=(metric("accuracy", proportion(0.93, 0.95, 0.97)),),
        flips=None,
        reliability=(),
        confusion=((500, 0), (50, 450)),
        outputs_digest=digest_bytes(b"outputs"),
        host=host_of(),
        seed=0,
        taken_at="2026-05-01T00:00:00Z",
        expires_at="2026-08-01T00:00:00Z",
    )
    return msgspec.structs.replace(evaluation, **changes)


def released(name: str, model: bytes, *targets: str) -> ReleasedVariant:
    return ReleasedVariant(
        name=name,
        artifact=digest_bytes(model),
        size_bytes=len(model),
        targets=targets,
        instruction_sets=("x86-vnni",),
        runtime="onnxruntime",
    )


def manifest_of(
    *variants: ReleasedVariant, version: str = "1.2.0", golden: bytes = GOLDEN
) -> ReleaseManifest:
    return ReleaseManifest(
        name="keywords",
        version=version,
        description="A keyword spotter",
        task="classification",
        output="scores",
        scores="logits",
        labels=("no", "yes"),
        inputs={"samples": InputSection(layout="NHW")},
        signature=ModelSignature(
            inputs=(TensorSignature(name="samples", dtype="float32", shape=("batch", 8, 8)),),
            outputs=(TensorSignature(name="scores", dtype="float32", shape=("batch", 2)),),
        ),
        license="Apache-2.0",
        origin="a test",
        original=ORIGINAL,
        variants=variants,
        golden=GoldenSet(blob=digest_bytes(golden), sample_count=4, tolerance=1e-5),
        created_at="2026-05-02T00:00:00Z",
    )


def contents_of(
    *,
    version: str = "1.2.0",
    seed: int = 0,
    float_model: bytes = FLOAT_MODEL,
    small_model: bytes = SMALL_MODEL,
    golden: bytes = GOLDEN,
) -> ReleaseContents:
    """Two variants for two targets, everything that the gate judged, and a report."""
    models = {"float32": (float_model, "server"), "int8": (small_model, "gateway")}
    measurements: list[Measurement] = []
    evaluations: list[Evaluation] = []
    for name, (model, target) in models.items():
        artifact = digest_bytes(model)
        took = {"interleaving_seed": seed, "peak_memory_mib": MEMORY[name]}
        measurements.append(measurement_of(artifact, name, target=target, **took))
        evaluations.append(evaluation_of(artifact, name, target=target, seed=seed))
    decision = judge(
        GateQuestion(
            requirements=(RequirementSection(metric="accuracy", at_least=0.9),),
            targets=tuple(
                GateTarget(name=target, section=TargetSection(), profile=profile_of())
                for _, target in models.values()
            ),
            candidates=tuple(
                Candidate(
                    variant=name,
                    artifact=digest_bytes(model),
                    size_bytes=len(model),
                    targets=(target,),
                )
                for name, (model, target) in models.items()
            ),
            original=ORIGINAL,
            primary=PrimaryMetric("accuracy", higher_is_better=True),
            measurements=tuple(measurements),
            evaluations=tuple(evaluations),
        ),
        now=NOW,
    )
    assert decision.verdict is Verdict.PASS
    artifacts = tuple(digest_bytes(model) for model, _ in models.values())
    return ReleaseContents(
        manifest=manifest_of(
            *(released(name, model, target) for name, (model, target) in models.items()),
            version=version,
            golden=golden,
        ),
        blobs=(
            ReleaseBlob(title="float32.onnx", media_type=MODEL_MEDIA_TYPE, source=float_model),
            ReleaseBlob(title="int8.onnx", media_type=MODEL_MEDIA_TYPE, source=small_model),
            ReleaseBlob(title="golden.npz", media_type=GOLDEN_MEDIA_TYPE, source=golden),
            ReleaseBlob(title="report.html", media_type="text/html", source=REPORT),
        ),
        evidence=(
            Evidence(document=decision, subjects=artifacts),
            *(Evidence(document=each, subjects=(each.artifact,)) for each in measurements),
            *(Evidence(document=each, subjects=(each.artifact,)) for each in evaluations),
        ),
    )


def with_evidence(contents: ReleaseContents, *evidence: Evidence) -> ReleaseContents:
    return dataclasses.replace(contents, evidence=evidence)


def with_decision(contents: ReleaseContents, **changes: object) -> ReleaseContents:
    """The same release with another gate decision."""
    changed = tuple(
        dataclasses.replace(each, document=msgspec.structs.replace(each.document, **changes))
        if isinstance(each.document, GateDecision)
        else each
        for each in contents.evidence
    )
    return with_evidence(contents, *changed)
