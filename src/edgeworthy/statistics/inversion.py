"""From a test to an interval: the values that the test does not reject."""

from __future__ import annotations

from collections.abc import Callable

_BISECTIONS = 80


def last_included(outside: float, inside: float, excluded: Callable[[float], bool]) -> float:
    """The end of an interval on the way from a value inside to the end of the possible range.

    Args:
        outside: End of the possible range; returned when even that is not rejected.
        inside: A value that is not rejected.
        excluded: Whether the test rejects a value; changes once between the two.

    >>> round(last_included(1.0, 0.0, lambda value: value > 0.25), 12)
    0.25
    """
    if not excluded(outside):
        return outside
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if excluded(middle) else (outside, middle)
    return inside
