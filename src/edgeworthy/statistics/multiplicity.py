"""P-values of many tests at once.

Rules:

1. Holm's correction bounds the chance of even one false discovery, whatever the dependence
   between the tests.
2. Benjamini and Yekutieli's bounds the expected share of false discoveries, whatever the
   dependence; it finds more where there is more to find.
3. A corrected p-value is compared with the level itself.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction.

    Args:
        p_values: One per test, each in [0, 1].

    Raises:
        ValueError: A value is no probability.

    Source: Holm, Scand. J. Stat. 6 (1979) 65-70.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    _check(p_values)
    count = len(p_values)
    corrected = [0.0] * count
    largest = 0.0
    for rank, position in enumerate(sorted(range(count), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, (count - rank) * p_values[position]))
        corrected[position] = largest
    return tuple(corrected)


def benjamini_yekutieli(p_values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini and Yekutieli's step-up correction.

    Args:
        p_values: One per test, each in [0, 1].

    Raises:
        ValueError: A value is no probability.

    Source: Benjamini and Yekutieli, Ann. Stat. 29 (2001) 1165-1188.

    >>> [round(p, 6) for p in benjamini_yekutieli([0.01, 0.04, 0.03])]
    [0.055, 0.073333, 0.073333]
    """
    _check(p_values)
    count = len(p_values)
    harmonic = sum(1.0 / rank for rank in range(1, count + 1))
    corrected = [0.0] * count
    smallest = 1.0
    falling = sorted(range(count), key=lambda at: p_values[at], reverse=True)
    for rank, position in zip(range(count, 0, -1), falling, strict=True):
        smallest = min(smallest, p_values[position] * count * harmonic / rank)
        corrected[position] = smallest
    return tuple(corrected)


def _check(p_values: Sequence[float]) -> None:
    if not all(0.0 <= p <= 1.0 for p in p_values):
        raise ValueError(f"p-values must lie between 0 and 1: {list(p_values)}")
