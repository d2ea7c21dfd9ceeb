"""The versions that nothing else beats in everything at once.

Rules:

1. A point is dominated when another is at least as good in every figure and better in one.
2. Equal points do not dominate each other: both stay.
3. A point without one of the figures is never on the front, and dominates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A version, every figure so that less is better.

    Attributes:
        loss: How much worse than the original.
        latency: Over the original's.
        size_bytes: Of its file.
    """

    loss: float
    latency: float
    size_bytes: int

    def dominates(self, other: Point) -> bool:
        """Whether the other is pointless beside this one (rules 1 and 2)."""
        ours = (self.loss, self.latency, self.size_bytes)
        theirs = (other.loss, other.latency, other.size_bytes)
        return ours != theirs and all(a <= b for a, b in zip(ours, theirs, strict=True))


def front(points: Sequence[Point | None]) -> tuple[bool, ...]:
    """Which points are on the front, in their order; None is a point without its figures.

    >>> front([Point(0.0, 1.0, 9), Point(0.1, 0.5, 3), Point(0.1, 0.6, 3), None])
    (True, True, False, False)
    """
    known = [point for point in points if point is not None]
    return tuple(
        point is not None and not any(other.dominates(point) for other in known) for point in points
    )
