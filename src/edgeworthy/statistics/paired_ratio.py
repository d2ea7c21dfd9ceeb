"""Is one thing faster than another? From pairs of figures taken under the same conditions.

Rules:

1. Pairs are independent of each other; the two figures of a pair share whatever disturbed them.
2. The estimate is the Hodges-Lehmann median of all averages of two log ratios; the interval
   inverts the exact signed-rank test, so it assumes symmetry and no more. When two equal things
   are put into random order, symmetry is a fact and not an assumption.
   Source: M. Hollander, D. A. Wolfe, E. Chicken, *Nonparametric Statistical Methods*, 3rd ed.,
   section 3.3.
3. A verdict needs the whole interval on one side of 1; with too few pairs for the confidence there
   is a refusal and no verdict.
4. What a number of pairs could see is planned with the spread of the pairs at hand, for a chance
   of 80 % of seeing it; the signed-rank test needs 1.05 times the pairs of Student's t.
   Source: J. L. Hodges, E. L. Lehmann, *Annals of Mathematical Statistics* 27 (1956) 324-335.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Record
from edgeworthy.statistics.distributions import student_t_quantile
from edgeworthy.statistics.order_statistics import Refusal

RatioVerdict = Literal["faster", "slower", "no difference"]

#: More pairs than this are merged with their neighbors, which bounds the number of averages.
_LARGEST_COUNT = 200
_POWER = 0.8
#: Asymptotic relative efficiency of the signed-rank test for normal noise: 3 / pi.
_EFFICIENCY = 3 / math.pi
_MOST_PAIRS = 100_000


class RatioComparison(Record, frozen=True, kw_only=True):
    """A ratio and what it says.

    Attributes:
        ratio: Subject over baseline.
        verdict: ``faster`` when the interval lies below 1, ``slower`` when above.
    """

    ratio: Estimate
    verdict: RatioVerdict


def paired_ratio(
    subject: NDArray[Any], baseline: NDArray[Any], *, confidence: float = 0.95
) -> RatioComparison | Refusal:
    """The ratio of two durations from independent pairs.

    Args:
        subject: ``(n,)``, above 0.
        baseline: ``(n,)``, above 0; taken together with the subject's figure of the same index.
        confidence: Coverage of the interval, in (0, 1).

    Raises:
        ValueError: The arrays do not pair up, or hold something that is no duration.

    >>> pair = paired_ratio(np.array([2.0] * 6), np.array([4.0] * 6))
    >>> pair.ratio.value, pair.verdict
    (0.5, 'faster')
    """
    logarithms = _log_ratios(subject, baseline)
    count = len(logarithms)
    needed = pairs_needed(confidence)
    if count < needed:
        return Refusal(
            reason=(
                f"a ratio at {confidence * 100:g} % confidence needs {needed} pairs, found {count}"
            ),
            needed=needed,
        )
    if count > _LARGEST_COUNT:
        pieces = np.array_split(logarithms, _LARGEST_COUNT)
        logarithms = np.array([piece.mean() for piece in pieces])
    low, value, high = np.exp(_signed_rank_interval(logarithms, confidence)).tolist()
    estimate = Estimate(
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        n=count,
        method="hodges-lehmann",
        unit="ratio",
    )
    return RatioComparison(ratio=estimate, verdict=_verdict(estimate))


def pairs_needed(confidence: float) -> int:
    """The smallest number of pairs from which a verdict is possible.

    >>> pairs_needed(0.95), pairs_needed(0.99)
    (6, 8)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return math.ceil(math.log2(2 / (1 - confidence)))


def visible_difference(spread: float, pair_count: int, *, confidence: float = 0.95) -> float:
    """The smallest difference that so many pairs show in 8 of 10 comparisons.

    Args:
        spread: Standard deviation of the log ratio of a pair.
        pair_count: Pairs of one comparison, at least 2.
        confidence: Coverage of the interval, in (0, 1).

    Returns:
        As a share: 0.02 for two per cent.

    >>> round(visible_difference(0.01, 8), 4), round(visible_difference(0.01, 32), 4)
    (0.0119, 0.0052)
    """
    freedom = pair_count - 1
    reach = student_t_quantile((1 + confidence) / 2, freedom) + student_t_quantile(_POWER, freedom)
    return math.expm1(reach * spread / math.sqrt(pair_count * _EFFICIENCY))


def pairs_to_see(spread: float, difference_ratio: float, *, confidence: float = 0.95) -> int | None:
    """Pairs that show a difference in 8 of 10 comparisons; absent when that is beyond reason.

    Args:
        spread: Standard deviation of the log ratio of a pair.
        difference_ratio: As a share: 0.02 for two per cent; above 0.
        confidence: Coverage of the interval, in (0, 1).

    >>> pairs_to_see(0.01, 0.005)
    36
    """
    low = high = pairs_needed(confidence)
    while visible_difference(spread, high, confidence=confidence) > difference_ratio:
        low, high = high, 2 * high
        if high > _MOST_PAIRS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        seen = visible_difference(spread, middle, confidence=confidence) <= difference_ratio
        low, high = (low, middle) if seen else (middle, high)
    return high


def _log_ratios(subject: NDArray[Any], baseline: NDArray[Any]) -> NDArray[np.float64]:
    if subject.shape != baseline.shape or subject.ndim != 1:
        raise ValueError(f"pairs have one shape (n,), not {subject.shape} and {baseline.shape}")
    pairs = np.stack([subject, baseline]).astype(np.float64)
    if not (np.isfinite(pairs).all() and (pairs > 0).all()):
        raise ValueError("durations are finite and above 0")
    logarithms: NDArray[np.float64] = np.log(pairs[0]) - np.log(pairs[1])
    return logarithms


def _signed_rank_interval(values: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Lower end, Hodges-Lehmann estimate and upper end."""
    rows, columns = np.triu_indices(len(values))
    averages = np.sort((values[rows] + values[columns]) / 2)
    cumulative = np.cumsum(_signed_rank_probabilities(len(values)))
    # Largest rank whose tail below stays within half of what may be missed; the count of pairs
    # was checked, so it is at least 1.
    rank = int(np.searchsorted(cumulative, (1 - confidence) / 2, side="right"))
    return np.array([averages[rank - 1], np.median(averages), averages[-rank]])


def _signed_rank_probabilities(count: int) -> NDArray[np.float64]:
    """P(signed-rank statistic = t) for t from 0 to ``count * (count + 1) / 2``."""
    probabilities = np.zeros(count * (count + 1) // 2 + 1)
    probabilities[0] = 1.0
    for rank in range(1, count + 1):
        shifted = np.zeros_like(probabilities)
        shifted[rank:] = probabilities[:-rank]
        probabilities = (probabilities + shifted) / 2
    return probabilities


def _verdict(ratio: Estimate) -> RatioVerdict:
    if ratio.high < 1:
        return "faster"
    if ratio.low > 1:
        return "slower"
    return "no difference"
