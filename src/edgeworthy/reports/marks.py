"""Marks that stand in a line of text or in a table: an interval with its bound, a share.

Rules:

1. A mark repeats what the text beside it says; it is hidden from screen readers.
2. The allowed side of a bound is a thick line, the interval a thin one, the figure a dot: the mark
   is read without its color.
"""

from __future__ import annotations

from markupsafe import Markup

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.project import RequirementSection
from edgeworthy.reports.formatting import bound_of

_WIDTH = 132
_HEIGHT = 18
_MIDDLE = _HEIGHT / 2
_MARGIN = 6
_INTERVAL = Markup(
    '<svg class="mark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'aria-hidden="true">'
    '<line class="allowed" x1="{from_:.1f}" x2="{to:.1f}" y1="{foot}" y2="{foot}"/>'
    '<line class="bound" x1="{bound:.1f}" x2="{bound:.1f}" y1="1" y2="{height}"/>'
    '<line class="interval {tone}" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
    '<circle class="value {tone}" cx="{value:.1f}" cy="{middle}" r="3.5"/></svg>'
)
_SHARE = Markup(
    '<svg class="mark share" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'aria-hidden="true"><rect class="track" width="{width}" height="8" y="5" rx="2"/>'
    '<rect class="part" width="{part:.1f}" height="8" y="5" rx="2"/></svg>'
)


def interval_mark(estimate: Estimate, requirement: RequirementSection, *, tone: str) -> Markup:
    """The interval against the bound, on a scale of its own.

    Args:
        estimate: The figure that was held against the bound.
        requirement: It gives the bound and the allowed side.
        tone: CSS class for the color: ``pass``, ``fail`` or ``inconclusive``.
    """
    bound = bound_of(requirement)
    if bound is None:
        return Markup()
    low, high = min(estimate.low, bound), max(estimate.high, bound)
    span = (high - low) or abs(bound) or 1.0
    # Room beyond the bound, so that the allowed side is seen even where nothing lies on it.
    low, high = low - span * 0.15, high + span * 0.15

    def across(value: float) -> float:
        return _MARGIN + (value - low) / (high - low) * (_WIDTH - 2 * _MARGIN)

    upward = requirement.at_least is not None
    return _INTERVAL.format(
        width=_WIDTH,
        height=_HEIGHT,
        foot=_HEIGHT - 1.5,
        middle=_MIDDLE,
        tone=tone,
        bound=across(bound),
        from_=across(bound) if upward else _MARGIN,
        to=_WIDTH - _MARGIN if upward else across(bound),
        low=across(estimate.low),
        high=across(estimate.high),
        value=across(estimate.value),
    )


def share_mark(part: float, whole: float) -> Markup:
    """A bar as long as ``part`` is of ``whole``."""
    width = _WIDTH * min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0
    return _SHARE.format(width=_WIDTH, height=_HEIGHT, part=width)
