"""Where the time of an artefact goes, and how far that is from the limits of the machine."""

from __future__ import annotations

from edgeworthy.documents.operator_profile import OperatorProfile, OperatorTime, Roofline
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Drawing,
    Drawings,
    Facts,
    Heading,
    Note,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.charts.roofline import Roof, RoofPoint, roofline_chart
from edgeworthy.reports.formatting import (
    digest_short,
    estimate_text,
    number,
    sample_text,
    share_text,
)
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.marks import share_mark
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import SERIES
from edgeworthy.reports.wording import plain, plural, shortened

_MOST_OPERATORS = 20
_MOST_POINTS = 8
_LABEL_LETTERS = 18
_PERCENT = 100
_COLORS = {"float": SERIES[0], "int8": SERIES[1], "other": SERIES[2]}


_TITLE = "Where the time goes"
_LEAD = (
    "Operators as the engine runs them, the longest first, against what this machine can do at "
    "most."
)


def operator_times_section(profile: OperatorProfile) -> Section:
    """Bars of time per operator, and the roofline, of one artefact."""
    blocks = _blocks(profile, key="roofline")
    return Section(key="operator-times", title=_TITLE, lead=_LEAD, blocks=tuple(blocks))


def operator_profiles_section(index: BuildIndex) -> Section | None:
    """The same of the chosen variants of a build."""
    blocks: list[Block] = []
    for position, profile in enumerate(index.record.profiles):
        blocks.append(Heading(plain(profile.variant)))
        blocks += _blocks(profile, key=f"roofline-{position}")
    if not blocks:
        return None
    return Section(key="operator-times", title=_TITLE, lead=_LEAD, blocks=tuple(blocks))


def _blocks(profile: OperatorProfile, *, key: str) -> list[Block]:
    blocks: list[Block] = [_facts(profile)]
    blocks += [Note(plain(each).replace("`", "")) for each in profile.remarks]
    if profile.operators:
        blocks.append(_table(profile))
    drawing = _roofline(profile, key=key)
    if drawing is not None:
        blocks.append(Drawings((drawing,)))
    if profile.disturbances:
        said = " ".join(plain(each) for each in profile.disturbances)
        blocks.append(Note(f"The machine was not quiet. {said}", tone="caution"))
    return blocks


def _facts(profile: OperatorProfile) -> Facts:
    limits = profile.roofline
    eight = limits.int8_gmacs_per_s
    pairs = (
        ("Artefact", Cell(digest_short(profile.artifact), hint=profile.artifact)),
        ("Ran with", Cell(plain(f"{profile.runtime}, {plural(profile.threads, 'thread')}"))),
        ("All operators", Cell(f"{number(profile.operators_ms)} ms under the profiler")),
        ("A run without it", Cell(f"{number(profile.latency_ms)} ms")),
        (
            "Arithmetic at most",
            Cell(
                f"{number(limits.float_gmacs_per_s)} GMAC/s in float32, "
                f"{'none' if eight is None else number(eight)} in 8 bits"
            ),
        ),
        (
            "Bandwidth at most",
            Cell(
                f"{number(limits.memory_gb_per_s)} GB/s from memory, "
                f"{number(limits.cache_gb_per_s)} GB/s from the cache"
            ),
        ),
    )
    return Facts(terms=tuple(term for term, _ in pairs), items=tuple(cell for _, cell in pairs))


def _table(profile: OperatorProfile) -> Table:
    return Table(
        caption="Time per operator",
        columns=("Operator", "Nodes", "Time", "Reached", "Limited by", "Share of the time"),
        rows=tuple(_row(each) for each in profile.operators[:_MOST_OPERATORS]),
    )


def _row(each: OperatorTime) -> Row:
    reached = "" if each.gmacs_per_s is None else f"{number(each.gmacs_per_s)} GMAC/s"
    share = "" if each.reached_ratio is None else f"{number(_PERCENT * each.reached_ratio)} %"
    return Row(
        (
            Cell(plain(each.op_type), note="" if each.precision == "other" else each.precision),
            Cell(f"{each.node_count:,}", tone="number"),
            Cell(estimate_text(each.time_ms), hint=sample_text(each.time_ms)),
            Cell(f"{share} of the limit" if share else "not known", note=reached),
            Cell("" if each.limited_by == "none" else each.limited_by),
            Cell(share_text(each.time_share, 1.0), mark=share_mark(each.time_share, 1.0)),
        )
    )


def _roofline(profile: OperatorProfile, *, key: str) -> Drawing | None:
    points = [
        RoofPoint(
            label=shortened(each.op_type, _LABEL_LETTERS),
            macs_per_byte=each.macs_per_byte,
            gmacs_per_s=each.gmacs_per_s,
            color=_COLORS[each.precision],
        )
        for each in profile.operators
        if each.macs_per_byte and each.gmacs_per_s
    ][:_MOST_POINTS]
    if not points:
        return None
    caption = (
        "Height below a roof is what could be won. The slopes are the bandwidth of the cache; "
        f"n = {plural(profile.run_count, 'run')}, artefact {digest_short(profile.artifact)}."
    )
    chart = roofline_chart(_roofs(profile.roofline), points)
    svg = draw(chart, key=key, title="Roofline of this machine", description=caption)
    return Drawing(title="Roofline of this machine", caption=caption, narrow=svg)


def _roofs(limits: Roofline) -> tuple[Roof, ...]:
    known = [("float32", limits.float_gmacs_per_s, _COLORS["float"])]
    if limits.int8_gmacs_per_s is not None:
        known.append(("int8", limits.int8_gmacs_per_s, _COLORS["int8"]))
    return tuple(
        Roof(
            label=label,
            peak_gmacs_per_s=peak,
            bandwidth_gb_per_s=limits.cache_gb_per_s,
            color=color,
        )
        for label, peak, color in known
    )
