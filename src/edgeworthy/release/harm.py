"""Do no harm: whether a version may take the place of float.

Rules:

1. *Not inferior*: the whole interval of the paired loss lies within the margin. A loss that merely
   was not seen is not enough; with too few samples nothing is shown, and float stays.
2. *Better*, as the target prefers. ``latency``: faster, or as fast within 3 % and smaller.
   ``size``: smaller. ``accuracy``: smaller or faster, and the choice then looks at the metric.
3. Faster means that the whole interval of the ratio, from turns, lies below 1, and below what the
   original against itself showed in the same turns.
4. What cannot be told is told as such: no figure is no proof.
5. Pure: figures in, a check with its sentence out.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import HarmCheck
from edgeworthy.release.requirements import format_figure
from edgeworthy.statistics import samples_to_settle

#: How much slower still counts as equally fast.
EQUALLY_FAST_RATIO = 1.03
#: Largest loss that counts as none when nobody says otherwise: two points of a metric that is a
#: share, two per cent of any other.
USUAL_MARGIN = 0.02
_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class HarmTerms:
    """What a version is held against.

    Attributes:
        metric: Name of the metric.
        margin: Largest loss that still counts as none, in the metric's unit.
        prefer: What the target asks for: ``latency``, ``size`` or ``accuracy``.
        float_size_bytes: Size of the float file that it would replace.
        self_check: The original against itself in the same turns; None when it was not taken.
    """

    metric: str
    margin: float
    prefer: str
    float_size_bytes: int
    self_check: Estimate | None = None


def usual_margin(unit: str, original: float) -> float:
    """The margin when nobody says otherwise.

    Args:
        unit: Of the metric.
        original: The original's value.

    >>> usual_margin("ratio", 0.9), usual_margin("label", 5.0)
    (0.02, 0.1)
    """
    return USUAL_MARGIN if unit == "ratio" else USUAL_MARGIN * abs(original)


def check_harm(
    loss: Estimate | None, ratio: Estimate | None, size_bytes: int, terms: HarmTerms
) -> HarmCheck:
    """Say whether a version may take the place of float.

    Args:
        loss: How much worse than the original on the same samples; positive is worse.
        ratio: Latency over the original's, taken in turns; None where it was not measured.
        size_bytes: Of the version's file.
        terms: What it is held against.
    """
    not_inferior = loss is not None and loss.high <= terms.margin
    faster, equal = _speed(ratio, terms.self_check)
    smaller = size_bytes < terms.float_size_bytes
    if terms.prefer == "size":
        better = smaller
    elif terms.prefer == "latency":
        better = faster or (equal and smaller)
    else:
        better = faster or smaller
    words = [_loss_words(loss, terms), _speed_words(ratio, terms.self_check, faster=faster)]
    words += [_size_words(size_bytes, terms)]
    return HarmCheck(
        harmless=not_inferior and better,
        not_inferior=not_inferior,
        better=better,
        sentence=", ".join(words),
    )


def _speed(ratio: Estimate | None, self_check: Estimate | None) -> tuple[bool, bool]:
    """Whether it is faster, and whether it is at least as fast."""
    if ratio is None:
        return False, False
    floor = 1.0 if self_check is None else min(1.0, self_check.low) if _tells(self_check) else 1.0
    return ratio.high < floor, ratio.high <= EQUALLY_FAST_RATIO


def _tells(self_check: Estimate) -> bool:
    """Whether the machine told equal things apart."""
    return not self_check.low <= 1.0 <= self_check.high


def _loss_words(loss: Estimate | None, terms: HarmTerms) -> str:
    margin = format_figure(terms.margin)
    if loss is None:
        return f"its loss of {terms.metric} is not known"
    interval = (
        f"{format_figure(loss.value)} [{format_figure(loss.low)}, {format_figure(loss.high)}]"
    )
    if loss.high <= terms.margin:
        return f"its loss of {terms.metric}, {interval}, lies within {margin}"
    if loss.low > terms.margin:
        return f"its loss of {terms.metric}, {interval}, is above {margin}"
    needed = samples_to_settle(loss, terms.margin)
    more = f"; {needed:,} more samples would settle it" if needed else ""
    return (
        f"its loss of {terms.metric}, {interval}, is not shown to lie within {margin} "
        f"(n={loss.n}{more})"
    )


def _speed_words(ratio: Estimate | None, self_check: Estimate | None, *, faster: bool) -> str:
    if ratio is None:
        return "its latency was not measured"
    interval = (
        f"{format_figure(ratio.value)} [{format_figure(ratio.low)}, {format_figure(ratio.high)}]"
    )
    if faster:
        return f"it is faster, x {interval}"
    if ratio.low > 1.0:
        return f"it is slower, x {interval}"
    doubt = (
        " (the original against itself differed as well)"
        if (self_check is not None and _tells(self_check) and ratio.high < 1.0)
        else ""
    )
    if ratio.high <= EQUALLY_FAST_RATIO and not doubt:
        return f"it is as fast, x {interval}"
    percent = format_figure(round(_PERCENT * (ratio.high - 1.0)))
    slower = f" and may be {percent} % slower" if ratio.high > EQUALLY_FAST_RATIO else ""
    return f"it is not shown to be faster{slower}, x {interval}{doubt}"


def _size_words(size_bytes: int, terms: HarmTerms) -> str:
    share = _PERCENT * size_bytes / terms.float_size_bytes if terms.float_size_bytes else 0.0
    return f"and its file has {format_figure(round(share, 1))} % of the size"
