"""Where labels go: beside their point, over nothing else.

Greedy point-feature labelling: each label tries a few places around its point, nearest first, and
takes the first that touches nothing; when all touch something, the one that touches least.

Source: Christensen, Marks and Shieber, An Empirical Study of Algorithms for Point-Feature Label
Placement, ACM Transactions on Graphics 14(3), 1995.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeworthy.reports.theme import CHARACTER_PX, FONT_PX

_GAP_PX = 5.0
_LINE_PX = FONT_PX + 3.0


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the plot; y grows upward.

    Attributes:
        left: Smallest x.
        bottom: Smallest y.
        right: Largest x.
        top: Largest y.
    """

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Shared area.

        >>> Box(0, 0, 2, 2).overlap(Box(1, 1, 3, 3))
        1
        """
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0) * max(height, 0)

    @property
    def middle(self) -> tuple[float, float]:
        """The center."""
        return ((self.left + self.right) / 2, (self.bottom + self.top) / 2)


def text_width_px(text: str) -> float:
    """About how wide a label is drawn.

    >>> text_width_px("abc") > 15
    True
    """
    return len(text) * CHARACTER_PX


def place_labels(
    labels: Sequence[tuple[str, Box]], *, obstacles: Sequence[Box], plot: Box
) -> tuple[Box, ...]:
    """A place for each label.

    Args:
        labels: Text and the box of the mark that it names, most important first.
        obstacles: What no label should cover; the marks themselves are added.
        plot: Where labels may be.

    Returns:
        One box per label, in the same order, inside ``plot`` where that is large enough.
    """
    taken = [*obstacles, *(mark for _, mark in labels)]
    placed = []
    for text, mark in labels:
        candidates = [_inside(box, plot) for box in _candidates(text_width_px(text), mark)]
        best = min(candidates, key=lambda box: sum(box.overlap(other) for other in taken))
        placed.append(best)
        taken.append(best)
    return tuple(placed)


def _candidates(width: float, mark: Box) -> list[Box]:
    x, y = mark.middle
    right, left = mark.right + _GAP_PX, mark.left - _GAP_PX - width
    above, below = mark.top + 2, mark.bottom - 2 - _LINE_PX
    beside = [y + shift * _LINE_PX for shift in (-0.5, 0.5, -1.5, 1.5, -2.5)]
    corners = [
        *((x - width / 2, level) for level in (above, below)),
        *((side, level) for level in beside for side in (right, left)),
        *((side, level) for level in (above, below) for side in (x - 8, x - width + 8)),
        *((x - width / 2, level) for level in (above + _LINE_PX, below - _LINE_PX)),
    ]
    return [Box(cx, cy, cx + width, cy + _LINE_PX) for cx, cy in corners]


def _inside(box: Box, plot: Box) -> Box:
    across = max(plot.left - box.left, min(plot.right - box.right, 0.0))
    up = max(plot.bottom - box.bottom, min(plot.top - box.top, 0.0))
    return Box(box.left + across, box.bottom + up, box.right + across, box.top + up)
