"""The bounds of a self-test, one function each: figures in, a check with its sentence out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.golden_samples import golden_metric
from edgeworthy.documents.release import GoldenBounds, ReleaseManifest
from edgeworthy.documents.self_test import BoundCheck, Subject

#: A slower machine widens the latency bound at most so many times; beyond, it is too slow.
MOST_WIDENING = 8.0
_MIB = 1 << 20
_LARGEST = float(np.finfo(float).max)

Outputs = Mapping[str, NDArray[Any]]


def failed_check(subject: Subject, sentence: str) -> BoundCheck:
    """A check that could not even be made."""
    return BoundCheck(subject=subject, held=False, sentence=sentence)


def check_outputs(own: Outputs, expected: Outputs, tolerance: float) -> Iterator[BoundCheck]:
    """Outputs are finite where they were, and within the tolerance.

    Args:
        own: Of this device.
        expected: Of the golden set.
        tolerance: Share of the largest absolute expected value of an output.
    """
    for name, right in expected.items():
        found = own.get(name)
        if found is None or found.shape != right.shape:
            shape = "none" if found is None else f"shape {found.shape}"
            yield failed_check(
                "outputs", f"Output `{name}` should have shape {right.shape}, and there is {shape}."
            )
            continue
        lost = int(np.count_nonzero(np.isfinite(right) & ~np.isfinite(found)))
        if lost:
            yield _not_finite(name, lost, right.size)
            continue
        yield _within(name, _miss(found, right), tolerance)


def check_metric(
    manifest: ReleaseManifest,
    bounds: GoldenBounds,
    own: Outputs,
    labels: NDArray[Any] | None,
) -> BoundCheck:
    """The metric on the golden labels is within its bound."""
    name, bound = manifest.golden.metric, bounds.metric_bound
    outputs = own.get(manifest.output)
    if labels is None or outputs is None or bound is None:
        return failed_check("metric", f"The release states a bound for {name} and has no labels.")
    value = golden_metric(name, outputs, labels, scores=manifest.scores)
    higher_is_better = name == "accuracy"
    held = value >= bound if higher_is_better else value <= bound
    return BoundCheck(
        subject="metric",
        name=name,
        found=value,
        bound=bound,
        held=held,
        sentence=f"The {name} on {len(labels)} golden samples is {value:.4g}; "
        f"{'at least' if higher_is_better else 'at most'} {bound:.4g} is required, and it was "
        f"{bounds.metric_value:.4g} where the release was built.",
    )


def check_latency(bounds: GoldenBounds, p90_ms: float, slowdown_ratio: float) -> BoundCheck:
    """Latency is within its bound, widened where the machine itself is slower."""
    widening = min(max(slowdown_ratio, 1.0), MOST_WIDENING)
    bound = bounds.latency_bound_ms * widening
    slower = (
        f" ({bounds.latency_bound_ms:.3g} ms, times {widening:.2f} because a reference load is "
        "as much slower here)"
        if widening > 1.0
        else ""
    )
    return BoundCheck(
        subject="latency",
        name="p90",
        found=p90_ms,
        bound=bound,
        unit="ms",
        held=p90_ms <= bound,
        sentence=f"Nine of ten inferences took at most {p90_ms:.3g} ms; {bound:.3g} ms are "
        f"allowed{slower}.",
    )


def check_memory(bound_bytes: int, found_bytes: int) -> BoundCheck:
    """The model's memory is within its bound."""
    return BoundCheck(
        subject="memory",
        found=found_bytes,
        bound=bound_bytes,
        unit="bytes",
        held=found_bytes <= bound_bytes,
        sentence=f"The model added {found_bytes / _MIB:.1f} MiB to the worker; "
        f"{bound_bytes / _MIB:.1f} MiB are allowed.",
    )


def _within(name: str, miss: float, tolerance: float) -> BoundCheck:
    return BoundCheck(
        subject="outputs",
        name=name,
        found=miss,
        bound=tolerance,
        unit="of the largest value",
        held=miss <= tolerance,
        sentence=f"Output `{name}` differs from the golden outputs by up to {miss:.3g} of their "
        f"largest value; {tolerance:g} is allowed.",
    )


def _not_finite(name: str, lost: int, size: int) -> BoundCheck:
    return BoundCheck(
        subject="finite",
        name=name,
        found=float(lost),
        bound=0.0,
        unit="values",
        held=False,
        sentence=f"Output `{name}` holds {lost} of {size} values that are no finite numbers and "
        "should be.",
    )


def _miss(found: NDArray[Any], right: NDArray[Any]) -> float:
    own, expected = found.astype(np.float64), right.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(own[~finite], expected[~finite], equal_nan=True):
        return _LARGEST
    scale = max(float(np.max(np.abs(expected[finite]), initial=0.0)), np.finfo(float).tiny)
    largest = float(np.max(np.abs(own[finite] - expected[finite]), initial=0.0))
    return min(largest / scale, _LARGEST)
