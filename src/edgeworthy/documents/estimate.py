"""A figure with its uncertainty: never one without the other."""

from __future__ import annotations

from edgeworthy.documents.record import Record


class Estimate(Record, frozen=True, kw_only=True):
    """A value with a confidence interval.

    Attributes:
        value: The point estimate, in ``unit``.
        low: Lower end of the interval; equals ``value`` for an exact figure.
        high: Upper end of the interval.
        confidence: Coverage that the interval aims at, in (0, 1]; 1 for an exact figure.
        n: Number of independent observations behind it.
        method: How the interval was made, for example ``blaker-adjusted`` or ``order-statistic``.
        unit: ``ratio``, ``ms``, ``MiB``, ``KiB``, ``count`` or the unit of the label.

    >>> Estimate(value=0.9, low=0.8, high=1.1, confidence=0.95, n=10, method="x", unit="ratio").n
    10
    """

    value: float
    low: float
    high: float
    confidence: float
    n: int
    method: str
    unit: str

    def __post_init__(self) -> None:
        """Refuse an interval that does not hold its own value."""
        if not self.low <= self.value <= self.high:
            message = f"an interval must hold its value: {self.low} {self.value} {self.high}"
            raise ValueError(message)


def exact(value: float, *, unit: str, method: str = "exact", n: int = 1) -> Estimate:
    """A figure without uncertainty, such as the size of a file.

    >>> exact(12.0, unit="KiB").high
    12.0
    """
    return Estimate(
        value=value, low=value, high=value, confidence=1.0, n=n, method=method, unit=unit
    )
