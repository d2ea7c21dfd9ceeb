"""Whether two models that judged the same samples differ in how often they are right."""

from __future__ import annotations

from edgeworthy.statistics.distributions import beta_probability


def exact_p_value(negative: int, positive: int) -> float:
    """Two-sided p-value of McNemar's exact test.

    Under the hypothesis that both kinds of change are equally likely, the smaller count follows
    Binomial(negative + positive, 1/2).

    Args:
        negative: Samples that were right and are wrong.
        positive: Samples that were wrong and are right.

    Raises:
        ValueError: A count is negative.

    Source: McNemar, Psychometrika 12 (1947) 153-157.

    >>> round(exact_p_value(0, 6), 6)
    0.03125
    """
    if min(negative, positive) < 0:
        raise ValueError(f"counts cannot be negative: {negative}, {positive}")
    smaller, n = min(negative, positive), negative + positive
    if 2 * smaller >= n - 1:
        return 1.0
    tail = beta_probability(0.5, n - smaller, smaller + 1)
    return min(1.0, 2.0 * tail)
