"""What became of an artefact's speed over minutes."""

from __future__ import annotations

from edgeworthy.documents.sustained import SustainedRun, SustainedWindow
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Drawing,
    Drawings,
    Facts,
    Heading,
    Note,
    Section,
)
from edgeworthy.reports.charts.series import Stretch, TimeSeries, series_chart
from edgeworthy.reports.formatting import digest_short, estimate_text, number
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import FAIL, MUTED, SERIES, Token
from edgeworthy.reports.wording import plain, plural, sentence

_PERCENT = 100


_LEAD = (
    "One artefact without a pause. A window's throughput counts all of its time; the shaded "
    "stretch is where the throughput was down."
)


def sustained_section(run: SustainedRun) -> Section:
    """Findings of one run, then each figure over time."""
    blocks = _blocks(run, key="sustained")
    return Section(key="sustained", title="Sustained run", lead=_LEAD, blocks=tuple(blocks))


def sustained_runs_section(index: BuildIndex) -> Section | None:
    """The runs of a build, target by target."""
    blocks: list[Block] = []
    for position, run in enumerate(index.record.sustained):
        blocks.append(Heading(plain(run.target), note=plain(run.variant)))
        blocks += _blocks(run, key=f"sustained-{position}")
    if not blocks:
        return None
    return Section(key="sustained", title="Sustained run", lead=_LEAD, blocks=tuple(blocks))


def _blocks(run: SustainedRun, *, key: str) -> list[Block]:
    blocks: list[Block] = [_facts(run)]
    if run.partial:
        blocks.append(Note("Stopped before its time; this is what was measured.", tone="caution"))
    if run.windows:
        blocks.append(Drawings(_drawings(run, key=key)))
    if run.disturbances:
        said = " ".join(plain(each) for each in run.disturbances)
        blocks.append(Note(f"The machine was not quiet. {said}", tone="caution"))
    return blocks


def _facts(run: SustainedRun) -> Facts:
    pairs = [
        ("Artefact", Cell(digest_short(run.artifact), hint=run.artifact)),
        ("Ran with", Cell(plain(f"{run.runtime}, {plural(run.threads, 'thread')}"))),
        ("Retention", Cell(_retention(run))),
        ("Throttling", Cell(_throttling(run))),
        ("Steady state", Cell(_steady(run))),
        ("Energy", Cell(_energy(run))),
    ]
    return Facts(terms=tuple(term for term, _ in pairs), items=tuple(cell for _, cell in pairs))


def _retention(run: SustainedRun) -> str:
    if run.retention is None:
        return sentence(run.retention_refusal)
    return f"{estimate_text(run.retention)} of the first throughput at the end"


def _throttling(run: SustainedRun) -> str:
    found = run.throttling
    if found is None:
        return "none that lasted"
    if found.kind == "others":
        until = "to the end" if found.end_s is None else f"to {number(found.end_s)} s"
        return (
            f"none; others took {number(_PERCENT * found.depth_ratio)} % from "
            f"{number(found.onset_s)} s {until}: {plain(found.cause)}"
        )
    until = "to the end" if found.end_s is None else f"to {number(found.end_s)} s"
    cause = plain(found.cause) or "no sensor tells why"
    return (
        f"from {number(found.onset_s)} s {until}: {number(_PERCENT * found.depth_ratio)} % lost, "
        f"{number(found.before_per_s)} to {number(found.during_per_s)} queries per second; {cause}"
    )


def _steady(run: SustainedRun) -> str:
    found = run.steady
    if found is None:
        return "not reached, or too few windows to tell"
    return (
        f"from {number(found.from_s)} s: {number(found.throughput_per_s)} queries per second, "
        f"p50 {number(found.p50_ms)} ms"
    )


def _energy(run: SustainedRun) -> str:
    found = run.energy
    if found is None:
        return f"not measured: {plain(run.energy_refusal) or 'stopped too early'}"
    above = estimate_text(found.above_idle_per_inference_mj)
    return (
        f"{estimate_text(found.per_inference_mj)} per inference, {above} above idle; "
        f"{found.method} from {plain(found.source)}"
    )


def _drawings(run: SustainedRun, *, key: str) -> tuple[Drawing, ...]:
    down = run.throttling
    shaded = None
    if down is not None:
        last = run.windows[-1]
        end_s = last.start_s if down.end_s is None else down.end_s
        # What others took is no fault of the device.
        shaded = Stretch(down.onset_s, end_s, MUTED if down.kind == "others" else FAIL)
    powers = tuple(
        None if each.energy_joules is None else each.energy_joules / each.duration_s
        for each in run.windows
    )
    figures: tuple[tuple[str, str, tuple[float | None, ...], Token, bool], ...] = (
        (
            "Throughput",
            "queries per second",
            tuple(each.throughput_per_s for each in run.windows),
            SERIES[0],
            True,
        ),
        ("Median latency", "ms", tuple(each.p50_ms for each in run.windows), SERIES[1], True),
        ("Temperature", "C", tuple(each.temperature_c for each in run.windows), SERIES[5], False),
        ("Clock", "MHz", tuple(each.frequency_mhz for each in run.windows), SERIES[2], True),
        ("Power", "W", powers, SERIES[3], True),
    )
    drawn = [
        _drawing(run.windows, shaded, figure, key=f"{key}-{position}")
        for position, figure in enumerate(figures)
    ]
    return tuple(each for each in drawn if each is not None)


def _drawing(
    windows: tuple[SustainedWindow, ...],
    shaded: Stretch | None,
    figure: tuple[str, str, tuple[float | None, ...], Token, bool],
    *,
    key: str,
) -> Drawing | None:
    name, unit, values, color, zero = figure
    known = [
        (each.start_s, value)
        for each, value in zip(windows, values, strict=True)
        if value is not None
    ]
    if not known:
        return None
    times, heights = zip(*known, strict=True)
    series = TimeSeries(times_s=times, figures=heights, color=color, zero=zero)
    caption = (
        f"{unit}: first {number(heights[0])}, last {number(heights[-1])}, lowest "
        f"{number(min(heights))}, highest {number(max(heights))}; "
        f"n = {plural(len(known), 'window')}."
    )
    chart = series_chart([series], shaded=shaded)
    svg = draw(chart, key=key, title=f"{name} over time", description=caption)
    return Drawing(title=name, caption=caption, narrow=svg)
