"""A short probe of how evenly a machine runs: the same loop again and again.

Rules:

1. The loop does the same work each time and touches no memory worth naming, so that a longer run
   is the machine's doing: another process, the hypervisor, a slower clock.
2. A gap is a run of more than twice the median; what is beyond the median of it is lost time.
3. The clock comes in as an argument, so that tests need no machine.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable

from edgeworthy.documents.host_state import StabilityProbe

_SPIN_STEPS = 4000
_GAP_RATIO = 2.0
_NS_PER_US = 1_000
_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
_CLOCK_READINGS = 1000
_FEWEST_SPINS = 30
_TENTHS = 10


def spin() -> None:
    """A loop of about a tenth of a millisecond."""
    total = 0
    for step in range(_SPIN_STEPS):
        total += step


def probe_stability(
    *,
    duration_s: float = 1.0,
    work: Callable[[], object] = spin,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> StabilityProbe:
    """Run a loop for a while and look at how long each run took.

    Args:
        duration_s: How long to watch.
        work: What to run.
        clock_ns: Nanoseconds.
    """
    step_ns = _clock_step_ns(clock_ns)
    times_ns: list[int] = []
    start = last = clock_ns()
    while last - start < duration_s * _NS_PER_S or len(times_ns) < _FEWEST_SPINS:
        work()
        now = clock_ns()
        times_ns.append(now - last)
        last = now
    median = statistics.median(times_ns)
    gaps = [each - median for each in times_ns if each > _GAP_RATIO * median]
    third = len(times_ns) // 3
    ninetieth = statistics.quantiles(times_ns, n=_TENTHS)[-1]
    first, final = statistics.median(times_ns[:third]), statistics.median(times_ns[-third:])
    return StabilityProbe(
        duration_s=(last - start) / _NS_PER_S,
        spin_count=len(times_ns),
        spin_median_us=median / _NS_PER_US,
        spin_spread_ratio=max(ninetieth / median - 1, 0.0),
        lost_share=sum(gaps) / (last - start),
        longest_gap_ms=max(gaps, default=0.0) / _NS_PER_MS,
        drift_ratio=final / first - 1,
        clock_step_ns=step_ns,
    )


def _clock_step_ns(clock_ns: Callable[[], int]) -> int:
    readings = [clock_ns() for _ in range(_CLOCK_READINGS)]
    steps = [after - before for before, after in itertools.pairwise(readings)]
    return min((step for step in steps if step > 0), default=0)
