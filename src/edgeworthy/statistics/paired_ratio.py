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
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.record import Record
from edgeworthy.statistics.order_statistics import Refusal

RatioVerdict = Literal["faster", "slower", "no difference"]

#: More pairs than this are merged with their neighbors, which bounds the number of averages.
_LARGEST_COUNT = 200


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
