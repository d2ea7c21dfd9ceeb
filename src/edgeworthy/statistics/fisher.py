"""Whether something happens more often in one group than in the rest, exactly."""

from __future__ import annotations

import math


def fisher_upper_p_value(hits: int, group: int, all_hits: int, everything: int) -> float:
    """One-sided p-value of Fisher's exact test: at least as many hits in the group by chance.

    Args:
        hits: Samples of the group with the property.
        group: Samples of the group.
        all_hits: Samples with the property, anywhere.
        everything: All samples.

    Raises:
        ValueError: The counts contradict each other.

    Source: Fisher, *The Design of Experiments*, 1935; the hypergeometric distribution.

    >>> round(fisher_upper_p_value(3, 4, 4, 8), 6)  # the lady tasting tea
    0.242857
    """
    if not 0 <= hits <= min(group, all_hits) or max(group, all_hits) > everything:
        raise ValueError(f"impossible counts: {hits} of {group}, {all_hits} of {everything}")
    last = min(group, all_hits)
    first = max(hits, group + all_hits - everything)
    total = _log_choose(everything, group)
    terms = [
        _log_choose(all_hits, at) + _log_choose(everything - all_hits, group - at) - total
        for at in range(first, last + 1)
    ]
    return min(1.0, math.fsum(math.exp(each) for each in terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
