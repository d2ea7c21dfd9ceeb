"""The golden set of a release, run on this device.

Rules:

1. Each sample runs alone, as a client's would; its outputs are within the signed tolerance of those
   that were recorded, and what was a finite number still is one.
2. Latency is held against the bound of the same class of CPU, widened by how much slower than
   there a reference load runs here, in turn with the model: a device that is hot or busy is not
   mistaken for a model that is slow.
3. Whatever cannot be looked at fails, with its reason: a golden set that cannot be read, an engine
   that refuses. Nothing passes for want of a check that the release asks for.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.golden_samples import GoldenSamples, read_golden_samples
from edgeworthy.agent.worker.loaded_model import LoadedModel
from edgeworthy.agent.worker.memory import resident_bytes
from edgeworthy.agent.worker.self_test_checks import (
    check_latency,
    check_memory,
    check_metric,
    check_outputs,
    failed_check,
)
from edgeworthy.devices.host import host_fingerprint
from edgeworthy.devices.reference_load import ReferenceLoad
from edgeworthy.devices.state import disturbances
from edgeworthy.documents.release import GoldenBounds
from edgeworthy.documents.self_test import BoundCheck, SelfTest
from edgeworthy.errors import EdgeworthyError, InferenceError
from edgeworthy.runtimes.batching import run_batched

_FEWEST_RUNS = 40
_MOST_TIMING_SECONDS = 2.0
_NS_PER_MS = 1_000_000
_NINTH_OF_TEN = 8


@dataclass
class _Found:
    """What running gave, as far as it came."""

    outputs: dict[str, NDArray[Any]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    references_ms: list[float] = field(default_factory=list)


def run_self_test(
    model: LoadedModel,
    *,
    reason: str,
    time_limit_seconds: float,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> SelfTest:
    """Run the golden set.

    Args:
        model: Loaded.
        reason: Why, for the record.
        time_limit_seconds: Of the whole test.
        clock_ns: Nanoseconds.
    """
    began_ns = clock_ns()
    found = _Found()
    checks: list[BoundCheck] = []
    golden: GoldenSamples | None = None
    try:
        golden = _golden(model)
        _run(model, golden, found, clock_ns)
    except InferenceError as error:
        checks.append(failed_check("engine", error.paragraph()))
    except EdgeworthyError as error:
        checks.append(failed_check("golden", error.paragraph()))
    if golden is not None and not checks:
        checks.extend(_checks(model, golden, found))
    duration_ms = (clock_ns() - began_ns) / _NS_PER_MS
    if duration_ms > 1000 * time_limit_seconds:
        checks.append(time_exceeded(time_limit_seconds, duration_ms / 1000))
    return _record(model, checks, found, reason=reason, duration_ms=duration_ms)


def unfinished(model: LoadedModel, *, reason: str, time_limit_seconds: float) -> SelfTest:
    """The record of a self-test that hangs."""
    checks = [time_exceeded(time_limit_seconds, None)]
    return _record(model, checks, _Found(), reason=reason, duration_ms=1000 * time_limit_seconds)


def time_exceeded(limit_seconds: float, found_seconds: float | None) -> BoundCheck:
    """The check of a test that takes too long."""
    took = "did not end" if found_seconds is None else f"took {found_seconds:.1f} s"
    return BoundCheck(
        subject="time",
        found=found_seconds,
        bound=limit_seconds,
        unit="s",
        held=False,
        sentence=f"The self-test {took}; {limit_seconds:g} s are allowed.",
    )


def _golden(model: LoadedModel) -> GoldenSamples:
    golden = model.folder.manifest.golden
    return read_golden_samples(model.folder.blob(golden.blob), model.variant.name)


def _run(
    model: LoadedModel, golden: GoldenSamples, found: _Found, clock_ns: Callable[[], int]
) -> None:
    reference = ReferenceLoad(clock_ns)
    reference.time_ms()
    rows: list[dict[str, NDArray[Any]]] = []
    began_ns = clock_ns()
    for index in _indices(len(golden)):
        sample = golden.sample(index)
        start_ns = clock_ns()
        outputs = run_batched(model.session, sample)
        found.latencies_ms.append((clock_ns() - start_ns) / _NS_PER_MS)
        found.references_ms.append(reference.time_ms())
        if len(rows) < len(golden):
            rows.append(outputs)
        elif clock_ns() - began_ns > _MOST_TIMING_SECONDS * 1000 * _NS_PER_MS:
            break
    found.outputs = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _indices(count: int) -> Iterator[int]:
    """Every sample once, then again until there are enough runs to time."""
    for run in range(max(count, _FEWEST_RUNS)):
        yield run % count


def _checks(model: LoadedModel, golden: GoldenSamples, found: _Found) -> Iterator[BoundCheck]:
    manifest, bounds = model.folder.manifest, model.folder.bounds(model.variant.name)
    yield from check_outputs(found.outputs, golden.outputs, manifest.golden.tolerance)
    if bounds is None:
        return
    if bounds.metric_bound is not None:
        yield check_metric(manifest, bounds, found.outputs, golden.labels)
    instruction_set = host_fingerprint(runtime_versions=()).instruction_set
    if bounds.instruction_set == instruction_set:
        yield check_latency(bounds, _ninetieth(found.latencies_ms), _slowdown(bounds, found))
        if bounds.memory_bound_bytes is not None:
            yield check_memory(bounds.memory_bound_bytes, _model_bytes(model))


def _record(
    model: LoadedModel,
    checks: list[BoundCheck],
    found: _Found,
    *,
    reason: str,
    duration_ms: float,
) -> SelfTest:
    bounds, timed = model.folder.bounds(model.variant.name), found.latencies_ms
    metric = next((check for check in checks if check.subject == "metric"), None)
    misses = [c.found for c in checks if c.subject == "outputs" and c.found is not None]
    return SelfTest(
        release=model.folder.title,
        variant=model.variant.name,
        artifact=model.variant.artifact,
        golden=model.folder.manifest.golden.blob,
        passed=all(check.held for check in checks),
        reasons=tuple(check.sentence for check in checks if not check.held),
        checks=tuple(checks),
        sample_count=min(len(timed), model.folder.manifest.golden.sample_count),
        largest_miss=max(misses, default=None),
        metric=metric.name if metric else "",
        metric_value=metric.found if metric else None,
        latency_p50_ms=statistics.median(timed) if timed else None,
        latency_p90_ms=_ninetieth(timed) if timed else None,
        slowdown_ratio=_slowdown(bounds, found) if bounds and found.references_ms else None,
        first_inference_ms=timed[0] if timed else None,
        resident_bytes=resident_bytes(),
        model_bytes=_model_bytes(model),
        duration_ms=duration_ms,
        throttled=disturbances(),
        host=host_fingerprint(runtime_versions=(model.runtime,)),
        reason=reason,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _model_bytes(model: LoadedModel) -> int:
    return max(resident_bytes() - model.bytes_before, 0)


def _slowdown(bounds: GoldenBounds, found: _Found) -> float:
    return statistics.median(found.references_ms) / bounds.reference_ms


def _ninetieth(figures: list[float]) -> float:
    if len(figures) == 1:
        return figures[0]
    return statistics.quantiles(figures, n=10, method="inclusive")[_NINTH_OF_TEN]
