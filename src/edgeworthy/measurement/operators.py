"""Where the time of a model goes, operator by operator, against the limits of the machine.

Rules:

1. Nodes are put together by operator and precision; their time is the median over the runs of
   the time of all of them.
2. The limit of an operator is the lower of arithmetic and bandwidth at its intensity; bytes that
   fit in the second-level cache may come from there.
3. The same runs are timed without the profiler, since it costs time of its own.
4. Remarks say what follows for the user and are drawn from these figures alone.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.operator_profile import (
    Limit,
    OperatorProfile,
    OperatorTime,
    Precision,
    Roofline,
)
from edgeworthy.errors import UsageError
from edgeworthy.measurement.operator_remarks import remarks_on
from edgeworthy.measurement.plan import MeasurementPlan
from edgeworthy.measurement.single_stream import unchanged
from edgeworthy.runtimes import NodeProfile, Tensors, find_runtime, random_inputs
from edgeworthy.statistics.order_statistics import Refusal, percentile_interval

_GIGA = 1e9
_US_PER_MS = 1_000
_MS_PER_S = 1_000
_CONFIDENCE = 0.95
_MEDIAN = 50.0
_BYTE_TYPES = frozenset({"int8", "uint8"})
_FLOAT_TYPES = frozenset({"float32", "float16", "float64"})


@dataclass(frozen=True)
class ProfileSettings:
    """How thoroughly to profile.

    Attributes:
        run_count: Runs that count.
        seed: Of generated inputs.
        evidence_days: Days until the figures expire.
    """

    run_count: int = 200
    seed: int = 0
    evidence_days: int = 90


def profile_operators(
    plan: MeasurementPlan,
    roofline: Roofline,
    *,
    settings: ProfileSettings,
    taken_at: datetime,
    disturbances: tuple[str, ...] = (),
    inputs: Tensors | None = None,
) -> OperatorProfile:
    """Time of each operator of an artefact.

    Args:
        plan: What to run.
        roofline: Of this machine, with as many threads.
        settings: How thoroughly.
        taken_at: Now, with a time zone.
        disturbances: What makes the host less than quiet, for the document.
        inputs: Of every run; random ones when left out.

    Raises:
        UsageError: The engine cannot profile itself.
        ModelFileError: The engine cannot read the artefact.
        InferenceError: The engine failed on it.
    """
    runtime = find_runtime(plan.runtime)
    with unchanged([plan.artifact]):
        with runtime.load(plan.artifact, threads=plan.threads) as session:
            generator = np.random.default_rng(settings.seed)
            inputs = inputs or random_inputs(session.signature, batch=1, generator=generator)
            latencies_ms = []
            for _ in range(settings.run_count):
                start = time.perf_counter()
                session.run(inputs)
                latencies_ms.append((time.perf_counter() - start) * _MS_PER_S)
        nodes = runtime.profile(
            plan.artifact, inputs, threads=plan.threads, run_count=settings.run_count
        )
    if nodes is None:
        raise UsageError(
            f"the engine `{runtime.name}` does not tell the time of single operators",
            expected="an engine with a profiler, such as `onnxruntime`",
        )
    operators = operator_times(nodes, roofline)
    expires_at = taken_at + timedelta(days=settings.evidence_days)
    operators_ms = _sum_ms(nodes)
    return OperatorProfile(
        artifact=plan.digest,
        variant=plan.variant,
        runtime=runtime.version(),
        threads=plan.threads,
        run_count=settings.run_count,
        latency_ms=float(np.median(latencies_ms)),
        operators_ms=operators_ms,
        operators=operators,
        remarks=remarks_on(operators, roofline),
        roofline=roofline,
        taken_at=_rfc3339(taken_at),
        expires_at=_rfc3339(expires_at),
        disturbances=disturbances,
    )


def operator_times(nodes: Sequence[NodeProfile], roofline: Roofline) -> tuple[OperatorTime, ...]:
    """Put nodes together and hold them against the limits.

    Args:
        nodes: As the engine told them.
        roofline: Of this machine.
    """
    groups: defaultdict[tuple[str, Precision], list[NodeProfile]] = defaultdict(list)
    for node in nodes:
        groups[node.op_type, precision_of(node)].append(node)
    whole_ms = sum(_group_ms(group).value for group in groups.values())
    found = [
        _operator(op_type, precision, group, roofline, whole_ms)
        for (op_type, precision), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.time_ms.value, each.op_type)))


def precision_of(node: NodeProfile) -> Precision:
    """The arithmetic of a node, by the type of its first input."""
    if node.input_type in _BYTE_TYPES:
        return "int8"
    return "float" if node.input_type in _FLOAT_TYPES else "other"


def _operator(
    op_type: str,
    precision: Precision,
    group: Sequence[NodeProfile],
    roofline: Roofline,
    whole_ms: float,
) -> OperatorTime:
    time_ms = _group_ms(group)
    counts = [node.mac_count for node in group]
    macs = sum(each or 0 for each in counts)
    moved = sum(node.moved_bytes for node in group)
    seconds = time_ms.value / _MS_PER_S
    known = None not in counts
    reached = macs / seconds / _GIGA if known and macs and seconds else None
    limit, side = _limit(group, precision, roofline) if known else (None, "none")
    ratio = None
    if reached is not None and limit is not None:
        ratio = reached / limit
    elif known and not macs and seconds and moved:
        bandwidth = _bandwidth(max(node.moved_bytes for node in group), roofline)
        ratio, side = moved / seconds / _GIGA / bandwidth, "memory"
    return OperatorTime(
        op_type=op_type,
        precision=precision,
        node_count=len(group),
        time_ms=time_ms,
        time_share=time_ms.value / whole_ms if whole_ms else 0.0,
        mac_count=macs if known else None,
        moved_bytes=moved,
        macs_per_byte=macs / moved if known and macs and moved else None,
        gmacs_per_s=reached,
        limit_gmacs_per_s=limit,
        reached_ratio=ratio,
        limited_by=side,
    )


def _limit(
    group: Sequence[NodeProfile], precision: Precision, roofline: Roofline
) -> tuple[float | None, Limit]:
    """The rate that the nodes together could reach, and what limits most of their time."""
    peak = roofline.int8_gmacs_per_s if precision == "int8" else roofline.float_gmacs_per_s
    macs = sum(node.mac_count or 0 for node in group)
    if not peak or not macs:
        return None, "none"
    least_s = arithmetic_s = 0.0
    for node in group:
        by_arithmetic = (node.mac_count or 0) / peak / _GIGA
        by_memory = node.moved_bytes / _bandwidth(node.moved_bytes, roofline) / _GIGA
        least_s += max(by_arithmetic, by_memory)
        arithmetic_s += by_arithmetic if by_arithmetic >= by_memory else 0.0
    return macs / least_s / _GIGA, "arithmetic" if arithmetic_s * 2 >= least_s else "memory"


def _bandwidth(moved_bytes: int, roofline: Roofline) -> float:
    fits = moved_bytes <= roofline.cache_bytes
    return roofline.cache_gb_per_s if fits else roofline.memory_gb_per_s


def _group_ms(group: Sequence[NodeProfile]) -> Estimate:
    sums_ms = np.sort(np.sum([node.times_us for node in group], axis=0) / _US_PER_MS)
    found = percentile_interval(sums_ms, _MEDIAN, confidence=_CONFIDENCE, unit="ms")
    if isinstance(found, Refusal):
        return exact(float(np.median(sums_ms)), unit="ms", method="median", n=len(sums_ms))
    return found


def _sum_ms(nodes: Sequence[NodeProfile]) -> float:
    if not nodes:
        return 0.0
    return float(np.median(np.sum([node.times_us for node in nodes], axis=0))) / _US_PER_MS


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
