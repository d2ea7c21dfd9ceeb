"""How few layers must stay in float, by bisection.

Rules:

1. Layers go back to float in the order of :mod:`~edgeworthy.optimization.search.regions`. The more
   of them, the smaller the loss and the slower the model: the search looks for the smallest number
   that is enough.
2. A pure function of what was tried: an interrupted search that reads its trials again asks for
   the same next one.
3. It ends where the answer is known: between a number that is not enough and the next, which is.
4. A version that is no longer faster than float ends it as well: with more layers in float it
   would only be slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: More layers than this share of all are not a version in integers any more.
MOST_SHARE = 0.5


@dataclass(frozen=True)
class Tried:
    """What a number of float layers gave.

    Attributes:
        enough: Whether the loss is within the requirement.
        worthwhile: Whether the version still beats float in what was asked for.
    """

    enough: bool
    worthwhile: bool


def next_count(layer_count: int, tried: Mapping[int, Tried]) -> int | None:
    """How many layers to keep in float next; None when there is nothing more to learn.

    Args:
        layer_count: Layers that can be kept in float.
        tried: What was tried; 0 stands for all layers in integers.

    >>> next_count(20, {0: Tried(enough=False, worthwhile=True)})
    1
    >>> next_count(20, {0: Tried(False, True), 1: Tried(False, True)})
    10
    >>> next_count(20, {0: Tried(False, True), 1: Tried(False, True), 10: Tried(True, True)})
    5
    """
    most = max(1, int(layer_count * MOST_SHARE))
    if layer_count <= 1 or tried.get(0, Tried(enough=False, worthwhile=True)).enough:
        return None
    if 1 not in tried:
        return 1  # one layer often causes most of the error, and costs the least to try
    if not tried[1].worthwhile:
        return None
    good = [count for count, found in tried.items() if found.enough]
    bad = [count for count, found in tried.items() if not found.enough]
    slow = [count for count, found in tried.items() if not found.worthwhile]
    low = max(bad, default=0)
    ceiling = min([*good, *slow, most + 1])
    if not good and not slow:
        return most if most not in tried else None
    middle = (low + ceiling) // 2
    return middle if low < middle < ceiling else None


def fewest(tried: Mapping[int, Tried]) -> int | None:
    """The smallest number that was enough and worth it; None when there is none.

    >>> fewest({0: Tried(False, True), 4: Tried(True, True), 9: Tried(True, True)})
    4
    """
    return min((n for n, found in tried.items() if found.enough and found.worthwhile), default=None)
