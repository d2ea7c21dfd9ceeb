"""How figures, sizes and digests are written, everywhere in a report.

Rules:

1. Three significant digits, fewer where the interval is wider than that; ratios have three
   decimals or more, so that a column of them lines up.
2. A figure is written with its interval, ``0.913 [0.893, 0.930]``, unless it is exact.
3. A figure never rounds onto a bound that it does not meet exactly: digits are added until the
   two differ, so that a table never says ``0.950`` failed ``at least 0.95``.
"""

from __future__ import annotations

import math

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.gate import RequirementResult
from edgeworthy.documents.project import RequirementSection
from edgeworthy.reports.wording import metric_title, plain

MINUS = "\N{MINUS SIGN}"

_MOST_DECIMALS = 6
_SIGNIFICANT = 3
_DIGEST_DIGITS = 12
_TINY = 1e-4
_KIBI = 1024
_KILO = 1000
_UNITLESS = frozenset({"", "ratio", "count", "label"})


def number(value: float, decimals: int | None = None) -> str:
    """A figure alone; three significant digits unless ``decimals`` is given.

    >>> number(0.04213), number(1234567), number(-0.00001, 3), number(0.0001)
    ('0.0421', '1,234,567', '0.000', '0.000100')
    """
    if decimals is None and 0 < abs(value) < _TINY:
        mantissa, _, exponent = f"{value:.1e}".replace("-", MINUS).partition("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
    places = _places_for(value) if decimals is None else decimals
    written = f"{abs(value):,.{places}f}"
    negative = value < 0 and any(digit in written for digit in "123456789")
    return f"{MINUS}{written}" if negative else written


def _places_for(value: float, significant: int = _SIGNIFICANT) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    places = significant - 1 - math.floor(math.log10(abs(value)))
    return min(max(places, 0), _MOST_DECIMALS)


def decimals_of(estimate: Estimate, bound: float | None = None) -> int:
    """Decimals that this figure deserves, by rules 1 and 3."""
    if estimate.unit == "count" and estimate.value == round(estimate.value):
        places = 0
    else:
        places = _places_for(max(abs(estimate.low), abs(estimate.high)))
        width = estimate.high - estimate.low
        if estimate.unit == "ratio" and places >= _SIGNIFICANT - 1:
            places = max(places, _SIGNIFICANT)
        elif width > 0:
            places = min(places, _places_for(width, 2))
    if bound is None:
        return places
    ends = (estimate.value, estimate.low, estimate.high)
    while places < _MOST_DECIMALS and any(_hides(end, bound, places) for end in ends):
        places += 1
    return places


def _hides(value: float, bound: float, places: int) -> bool:
    return value != bound and round(value, places) == round(bound, places)


def value_text(estimate: Estimate, *, bound: float | None = None) -> str:
    """The point estimate with its unit."""
    written = number(estimate.value, decimals_of(estimate, bound))
    return written if estimate.unit in _UNITLESS else f"{written} {plain(estimate.unit)}"


def interval_text(estimate: Estimate, *, bound: float | None = None) -> str:
    """The interval in brackets, or ``exact``."""
    if is_exact(estimate):
        return "exact"
    places = decimals_of(estimate, bound)
    return f"[{number(estimate.low, places)}, {number(estimate.high, places)}]"


def estimate_text(estimate: Estimate, *, bound: float | None = None) -> str:
    """A figure with its unit and interval.

    >>> from edgeworthy.documents.estimate import exact
    >>> estimate_text(exact(48.25, unit="KiB"))
    '48.2 KiB'
    >>> estimate_text(Estimate(value=0.913, low=0.8935, high=0.9304, confidence=0.95, n=1000,
    ...                        method="student-t", unit="ratio"))
    '0.913 [0.893, 0.930]'
    """
    value = value_text(estimate, bound=bound)
    if is_exact(estimate):
        return value
    return f"{value} {interval_text(estimate, bound=bound)}"


def is_exact(estimate: Estimate) -> bool:
    """Whether the figure has no uncertainty."""
    return estimate.low == estimate.high and estimate.confidence == 1


def sample_text(estimate: Estimate) -> str:
    """How many observations and how the interval was made."""
    if is_exact(estimate):
        return "exact"
    percent = f"{estimate.confidence * 100:.3g} %"
    return f"n = {estimate.n:,}, {percent} {plain(estimate.method)}"


def digest_short(digest: str) -> str:
    """The first twelve hexadecimal digits.

    >>> digest_short("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return plain(digest).removeprefix("sha256:")[:_DIGEST_DIGITS]


def bytes_text(size_bytes: float) -> str:
    """A size in the largest binary unit below it.

    >>> bytes_text(512), bytes_text(13_517), bytes_text(8 * 1024**3)
    ('512 B', '13.2 KiB', '8.00 GiB')
    """
    if size_bytes < _KIBI:
        return f"{size_bytes:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size_bytes /= _KIBI
        if size_bytes < _KIBI or unit == "GiB":
            return f"{number(size_bytes)} {unit}"
    raise AssertionError  # pragma: no cover - the loop ends at GiB


def count_text(count: float) -> str:
    """A large count in thousands or millions.

    >>> count_text(950), count_text(43_210), count_text(2_700_000)
    ('950', '43.2 k', '2.70 M')
    """
    if count < _KILO:
        return f"{count:.0f}"
    for unit in ("k", "M", "G"):
        count /= _KILO
        if count < _KILO or unit == "G":
            return f"{number(count)} {unit}"
    raise AssertionError  # pragma: no cover - the loop ends at G


def share_text(part: float, whole: float) -> str:
    """A share in percent.

    >>> share_text(1, 3), share_text(1, 5000), share_text(0, 0)
    ('33.3 %', '< 0.1 %', '0 %')
    """
    if whole <= 0 or part <= 0:
        return "0 %"
    percent = 100 * part / whole
    least = 0.1
    return f"< {least} %" if percent < least else f"{percent:.1f} %"


def bound_of(requirement: RequirementSection) -> float | None:
    """The figure that a requirement holds the measured one against."""
    bounds = (requirement.at_least, requirement.at_most, requirement.drop_at_most)
    return next((bound for bound in bounds if bound is not None), None)


def requirement_title(result: RequirementResult) -> str:
    """What was required, without the bound: the metric and the slice."""
    title = metric_title(result.requirement.metric)
    return f"{title}, {plain(result.slice)}" if result.slice else title


def bound_text(result: RequirementResult) -> str:
    """The bound in words, with the unit of what was measured."""
    words = plain(result.bound)
    unit = result.measured.unit if result.measured else ""
    return f"{words} {plain(unit)}" if unit not in _UNITLESS and words[-1:].isdigit() else words
