"""A linear axis whose pixels are known before it is drawn, so that labels can be placed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import altair as alt


@dataclass(frozen=True)
class LinearAxis:
    """A range of figures laid over a number of pixels.

    Attributes:
        low: Figure at pixel 0.
        high: Figure at the last pixel.
        length_px: Number of pixels.
    """

    low: float
    high: float
    length_px: float

    @classmethod
    def around(
        cls, figures: Iterable[float], *, length_px: float, margin: float = 0.08, zero: bool = False
    ) -> LinearAxis:
        """An axis that holds all figures with a margin at the free ends; from 0 when ``zero``.

        >>> LinearAxis.around([1.0, 3.0], length_px=100, margin=0.5)
        LinearAxis(low=0.0, high=4.0, length_px=100)
        """
        known = list(figures)
        low, high = min(known), max(known)
        span = (high - min(low, 0.0) if zero else high - low) or abs(high) or 1.0
        start = min(low, 0.0) if zero else low - span * margin
        return cls(low=start, high=high + span * margin, length_px=length_px)

    def pixel(self, figure: float) -> float:
        """Where a figure lies."""
        return (figure - self.low) / (self.high - self.low) * self.length_px

    def figure(self, pixel: float) -> float:
        """What lies at a pixel."""
        return self.low + pixel / self.length_px * (self.high - self.low)

    def holds(self, figure: float) -> bool:
        """Whether a figure lies on the axis."""
        return self.low <= figure <= self.high

    def scale(self) -> alt.Scale:
        """The axis as a scale that the renderer must not change."""
        return alt.Scale(domain=[self.low, self.high], nice=False, zero=False)
