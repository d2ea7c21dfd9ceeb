"""What each variant does with the golden set on the machine of the build, and what a device may do.

Rules:

1. Taken one sample at a time, in turn with a reference load, as the device's self-test does.
2. A latency bound is what the project requires of the 90th percentile; where it requires nothing,
   five times the figure here and a millisecond for the scheduler.
3. The metric may lose one sample or two in a hundred, whichever is more; memory may be twice what
   was measured and 16 MiB for what else a worker needs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.record import Record
from edgeworthy.documents.release import GoldenBounds
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.runtimes import Session

#: Metric of the golden labels by task.
GOLDEN_METRICS: Mapping[str, str] = {"classification": "accuracy", "regression": "mae"}
_REQUIRED = "latency_p90_ms"
_FEWEST_RUNS = 40
_MOST_SECONDS = 2.0
_TIMES_SLOWER = 5.0
_SCHEDULER_MS = 1.0
_LOSS_RATIO = 0.02
_ERROR_RATIO = 1.1
_MEMORY_RATIO = 2.0
_MIB = 1 << 20
_SLACK_MIB = 16
_NINTH_OF_TEN = 8


def metric_bound(name: str, value: float, count: int) -> float:
    """The worst that a device may have.

    >>> metric_bound("accuracy", 1.0, 16)
    0.9375
    """
    if name == "accuracy":
        return max(value - max(1 / count, _LOSS_RATIO), 0.0)
    return _ERROR_RATIO * value


class GoldenFigures(Record, frozen=True, kw_only=True):
    """What one variant did with the golden set here.

    Attributes:
        variant: The variant.
        instruction_set: CPU class of this machine.
        threads: Threads of the engine inside one inference.
        latency_p50_ms: Median latency of one sample.
        latency_p90_ms: Nine of ten samples stayed within it.
        reference_ms: Median time of the reference load.
        metric_value: The metric on the golden labels; absent without one.
    """

    variant: str
    instruction_set: InstructionSet
    threads: int
    latency_p50_ms: float
    latency_p90_ms: float
    reference_ms: float
    metric_value: float | None = None


def timed(
    variant: str, session: Session, *, threads: int, inputs: Mapping[str, NDArray[Any]]
) -> GoldenFigures:
    """Time a variant."""
    from edgeworthy.devices import host_fingerprint

    latencies, references = _times_ms(session, inputs)
    return GoldenFigures(
        variant=variant,
        instruction_set=host_fingerprint(runtime_versions=()).instruction_set,
        threads=threads,
        latency_p50_ms=statistics.median(latencies),
        latency_p90_ms=statistics.quantiles(latencies, n=10, method="inclusive")[_NINTH_OF_TEN],
        reference_ms=statistics.median(references),
    )


def bounds_of(
    workspace: Workspace, judged: Judged, figures: GoldenFigures, *, metric: str, count: int
) -> GoldenBounds:
    """What a device may do with a variant.

    Args:
        workspace: Its requirements.
        judged: Its measurements.
        figures: Of the variant, here.
        metric: Name of the golden metric; empty without.
        count: Golden samples.
    """
    targets = judged.shipped()[figures.variant]
    required = [
        each.at_most
        for each in workspace.project.require
        if each.metric == _REQUIRED
        and each.at_most is not None
        and (not each.target or each.target in targets)
    ]
    value = figures.metric_value
    return GoldenBounds(
        variant=figures.variant,
        instruction_set=figures.instruction_set,
        threads=figures.threads,
        metric_value=value,
        metric_bound=None if value is None else metric_bound(metric, value, count),
        latency_p50_ms=figures.latency_p50_ms,
        latency_bound_ms=min(
            required, default=_TIMES_SLOWER * figures.latency_p90_ms + _SCHEDULER_MS
        ),
        reference_ms=figures.reference_ms,
        memory_bound_bytes=_memory_bound(judged, figures.variant),
    )


def _times_ms(
    session: Session, inputs: Mapping[str, NDArray[Any]]
) -> tuple[list[float], list[float]]:
    """Milliseconds of the model and of the reference load, in turn."""
    from edgeworthy.devices.reference_load import ReferenceLoad
    from edgeworthy.runtimes import run_batched

    reference = ReferenceLoad()
    reference.time_ms()
    count = len(next(iter(inputs.values())))
    latencies: list[float] = []
    references: list[float] = []
    end = time.monotonic() + _MOST_SECONDS
    while len(latencies) < _FEWEST_RUNS and (len(latencies) < count or time.monotonic() < end):
        first = len(latencies) % count
        sample = {name: values[first : first + 1] for name, values in inputs.items()}
        began = time.perf_counter()
        run_batched(session, sample)
        latencies.append(1000 * (time.perf_counter() - began))
        references.append(reference.time_ms())
    return latencies, references


def _memory_bound(judged: Judged, variant: str) -> int | None:
    measured = [
        each.peak_memory_mib.value - each.runtime_memory_mib
        for each in judged.measurements
        if each.variant == variant
    ]
    if not measured:
        return None
    return int((_MEMORY_RATIO * max(*measured, 0.0) + _SLACK_MIB) * _MIB)
