"""Realistic documents of one digits-like model: what a report is drawn from."""

from __future__ import annotations

import hashlib
import math
import random

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.evaluation import (
    Evaluation,
    FlippedSample,
    Flips,
    MetricValue,
    ReliabilityBin,
)
from edgeworthy.documents.measurement import (
    Measurement,
    PairedRatio,
    Percentile,
    PipelineTimes,
    StageTime,
)
from edgeworthy.documents.model import (
    ModelInspection,
    ModelSignature,
    OperatorCount,
    TensorSignature,
)
from edgeworthy.documents.variant import (
    EquivalenceRecord,
    PassRecord,
    QuantizationRecipe,
    Recipe,
    Variant,
)

ATTACK = "\x00</td></svg><script>alert(1)</script><img src=x onerror=alert(1)>\u2028'\"]]>&{{7*7}}"
TAKEN_AT = "2026-03-01T09:30:00Z"
EXPIRES_AT = "2026-05-30T09:30:00Z"
VARIANTS = ("float32", "int8-u8s8-r7", "int8-s8s8")
SIZES = {"original": 49_316, "float32": 47_870, "int8-u8s8-r7": 18_204, "int8-s8s8": 18_176}
SPEED = {"original": 0.212, "float32": 0.171, "int8-u8s8-r7": 0.104, "int8-s8s8": 0.118}
CORRECT = {"original": 584, "float32": 584, "int8-u8s8-r7": 582, "int8-s8s8": 571}
SAMPLES = 599
REFERENCE = DatasetReference(name="evaluation", digest=f"sha256:{'e' * 64}", sample_count=SAMPLES)
HOST = HostFingerprint(
    architecture="x86_64",
    instruction_set="x86-avx2",
    cpu_model="AMD EPYC 7B13",
    cpu_flags=("avx", "avx2", "fma"),
    core_count=2,
    memory_bytes=8 * 1024**3,
    operating_system="Linux 6.1.0",
    python_version="3.11.7",
    runtimes=("numpy 2.3.1", "onnxruntime 1.24.1"),
)
SIGNATURE = ModelSignature(
    inputs=(TensorSignature(name="image", dtype="float32", shape=("batch", 1, 8, 8)),),
    outputs=(TensorSignature(name="logits", dtype="float32", shape=("batch", 10)),),
)


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def ratio(correct: int, n: int, z: float = 1.96) -> Estimate:
    """Wilson's interval."""
    p = correct / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(
        value=p,
        low=min(max(middle - half, 0.0), p),
        high=max(min(middle + half, 1.0), p),
        confidence=0.95,
        n=n,
        method="wilson",
        unit="ratio",
    )


def around(value: float, half: float, *, unit: str, n: int, method: str) -> Estimate:
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        confidence=0.95,
        n=n,
        method=method,
        unit=unit,
    )


def make_inspection() -> ModelInspection:
    return ModelInspection(
        artifact=digest("original"),
        size_bytes=SIZES["original"],
        model_format="onnx",
        opset_version=17,
        ir_version=8,
        producer="pytorch 2.6.0",
        signature=SIGNATURE,
        operators=(
            OperatorCount(domain="", op_type="Conv", node_count=3, mac_count=221_184),
            OperatorCount(domain="", op_type="Gemm", node_count=2, mac_count=8_832),
            OperatorCount(domain="", op_type="Relu", node_count=4, mac_count=0),
            OperatorCount(domain="", op_type="MaxPool", node_count=1, mac_count=0),
            OperatorCount(domain="com.example", op_type="Normalize", node_count=1, mac_count=64),
        ),
        parameter_count=11_722,
        weight_bytes=46_888,
        mac_count=230_080,
        activation_peak_bytes=16_384,
        warnings=("The batch axis is fixed to no size; batches of any size will run.",),
    )


def make_variant(name: str) -> Variant:
    quantized = name.startswith("int8")
    recipe = QuantizationRecipe(
        activation_type="uint8" if "u8" in name else "int8",
        weight_type="int8",
        per_channel=True,
        reduced_range=name.endswith("r7"),
    )
    return Variant(
        name=name,
        recipe=Recipe(
            name=name,
            precision="int8-static" if quantized else "float32",
            quantization=recipe if quantized else None,
        ),
        original=digest("original"),
        artifact=digest(name),
        size_bytes=SIZES[name],
        calibration=digest("calibration") if quantized else None,
        passes=(
            PassRecord(name="fold-constants", changed=True, detail="2 nodes became initializers"),
            PassRecord(name="fuse-batch-norm", changed=False, detail="no batch norm after a Conv"),
        ),
        equivalence=None
        if quantized
        else EquivalenceRecord(
            sample_count=64,
            inputs_digest=digest("inputs"),
            seed=0,
            tolerance=1e-4,
            largest_difference=3.2e-7,
        ),
        tool_versions=("edgeworthy 0.1.0", "onnx 1.19.0", "onnxruntime 1.24.1"),
    )


def make_measurement(target: str, name: str) -> Measurement:
    generator = random.Random(f"{target} {name}")  # noqa: S311 - a picture, not a secret
    scale = SPEED[name] * (1 if target == "laptop" else 6.3)
    drawn = sorted(scale * math.exp(generator.gauss(0, 0.06)) for _ in range(2000))
    drawn[-1] *= 3
    quantiles = tuple(drawn[min(i * 20, 1999)] for i in range(101))
    percentiles = tuple(
        Percentile(
            percent=p,
            latency_ms=around(quantiles[p], scale * w, unit="ms", n=2000, method="order-statistic"),
        )
        for p, w in ((50, 0.004), (90, 0.012))
    )
    p99 = Percentile(
        percent=99,
        latency_ms=around(quantiles[99], scale * 0.04, unit="ms", n=2000, method="order-statistic")
        if target == "laptop"
        else None,
        refusal="" if target == "laptop" else "473 queries or more are needed, 400 were run",
    )
    speedup = SPEED[name] / SPEED["original"]
    return Measurement(
        artifact=digest(name),
        variant=name,
        target=target,
        runtime="onnxruntime 1.24.1",
        threads=1,
        scenario="SingleStream",
        query_count=2000,
        percentiles=(*percentiles, p99),
        quantiles_ms=quantiles,
        load_time_ms=around(4.1, 0.2, unit="ms", n=5, method="order-statistic"),
        first_inference_ms=scale * 4,
        peak_memory_mib=around(71.4, 0.3, unit="MiB", n=3, method="range"),
        runtime_memory_mib=62.0,
        size_kib=exact(SIZES[name] / 1024, unit="KiB"),
        against_original=None
        if name == "original"
        else PairedRatio(
            baseline=digest("original"),
            ratio=around(speedup, 0.01, unit="ratio", n=40, method="paired blocks"),
            verdict="faster",
        ),
        host=HOST,
        interleaving_seed=0,
        taken_at=TAKEN_AT,
        expires_at=EXPIRES_AT,
        disturbances=("The load average was 0.8 on 2 cores before the measurement.",),
        checked_count=84,
        pipeline=_pipeline(scale, quantiles),
    )


def _pipeline(scale: float, quantiles: tuple[float, ...]) -> PipelineTimes:
    stages_ms = {"decode": 0.4, "pre-process": 0.15, "inference": scale * 1.1, "post-process": 0.02}
    whole = sum(stages_ms.values())
    return PipelineTimes(
        form="image",
        query_count=400,
        stages=tuple(
            StageTime(
                stage=stage,
                p50_ms=around(time_ms, time_ms / 20, unit="ms", n=6, method="order-statistic"),
                share_ratio=time_ms / whole,
            )
            for stage, time_ms in stages_ms.items()
        ),
        percentiles=tuple(
            Percentile(
                percent=p,
                latency_ms=around(whole * w, 0.02, unit="ms", n=6, method="order-statistic")
                if w
                else None,
                refusal="" if w else "p99 at 95 % confidence needs 414 queries, found 400",
            )
            for p, w in ((50.0, 1.0), (90.0, 1.1), (99.0, None))
        ),
        quantiles_ms=tuple(each + whole - scale for each in quantiles),
        inference_ratio=around(1.1, 0.03, unit="ratio", n=6, method="signed-rank"),
        cold_start_ms=around(181.0, 9.0, unit="ms", n=6, method="order-statistic"),
        peak_memory_mib=around(79.0, 0.4, unit="MiB", n=6, method="order-statistic"),
        checked_count=24,
    )


def _slices(name: str) -> tuple[MetricValue, ...]:
    made = []
    counts = {"digit": [(str(d), 60) for d in range(10)]}
    counts["stroke"] = [("thin", 181), ("medium", 240), ("thick", 178)]
    for column, values in counts.items():
        for position, (value, n) in enumerate(values):
            correct = n - (position * 7 + len(name)) % 5
            drop = around(0.004, 0.012, unit="ratio", n=n, method="newcombe")
            made.append(
                MetricValue(
                    metric="accuracy",
                    slice=f"{column}={value}",
                    estimate=ratio(correct, n),
                    drop=None if name == "original" else drop,
                )
            )
    return tuple(made)


def _flips() -> Flips:
    pairs = [(8, 8, 3), (9, 9, 4), (1, 1, 8), (3, 5, 3), (7, 7, 9), (2, 1, 7)]
    return Flips(
        negative_count=4,
        positive_count=1,
        changed_count=6,
        mcnemar_p_value=0.375,
        samples=tuple(
            FlippedSample(
                index=17 * (i + 1),
                label=label,
                before=before,
                after=after,
                confidence_before=0.91 - 0.07 * i,
                confidence_after=0.83 - 0.06 * i,
            )
            for i, (label, before, after) in enumerate(pairs)
        ),
    )


def _reliability(name: str) -> tuple[ReliabilityBin, ...]:
    counts = (0, 0, 0, 3, 6, 9, 14, 22, 51, 494)
    return tuple(
        ReliabilityBin(
            lowest=i / 10,
            highest=(i + 1) / 10,
            sample_count=n,
            mean_confidence=(i + 0.55) / 10 if n else 0.0,
            accuracy=min((i + 1.1 + len(name) % 3 * 0.3) / 10.6, 1.0) if n else 0.0,
        )
        for i, n in enumerate(counts)
    )


def _confusion(wrong: int) -> tuple[tuple[int, ...], ...]:
    table = [[0] * 10 for _ in range(10)]
    for label in range(10):
        table[label][label] = 60
    for i in range(wrong):
        label, other = (3 * i + 1) % 10, (5 * i + 8) % 10
        if label != other:
            table[label][label] -= 1
            table[label][other] += 1
    return tuple(tuple(row) for row in table)


def make_evaluation(target: str, name: str) -> Evaluation:
    n = SAMPLES
    drop = Estimate(
        value=(CORRECT["original"] - CORRECT[name]) / n,
        low=-0.0042,
        high=(CORRECT["original"] - CORRECT[name]) / n + 0.0091,
        confidence=0.95,
        n=n,
        method="newcombe",
        unit="ratio",
    )
    changed = name.startswith("int8")
    return Evaluation(
        artifact=digest(name),
        original=digest("original"),
        variant=name,
        target=target,
        runtime="onnxruntime 1.24.1",
        task="classification",
        dataset=REFERENCE,
        metrics=(
            MetricValue(
                metric="accuracy",
                slice="",
                estimate=ratio(CORRECT[name], n),
                drop=None if name == "original" else drop,
            ),
            MetricValue(
                metric="expected_calibration_error",
                slice="",
                estimate=around(0.021, 0.006, unit="ratio", n=n, method="bootstrap"),
            ),
            *_slices(name),
        ),
        flips=_flips()
        if changed
        else None
        if name == "original"
        else Flips(
            negative_count=0, positive_count=0, changed_count=0, mcnemar_p_value=1.0, samples=()
        ),
        reliability=_reliability(name),
        confusion=_confusion(n - CORRECT[name]),
        outputs_digest=digest(f"outputs {name}"),
        host=HOST,
        seed=0,
        taken_at=TAKEN_AT,
        expires_at=EXPIRES_AT,
    )
