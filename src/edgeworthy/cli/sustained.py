"""``edgeworthy measure MODEL --sustained 10m``: what becomes of the speed after some minutes."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from edgeworthy.cli.output import console, figure, interval, note, print_json, table
from edgeworthy.cli.session import refuse_partial
from edgeworthy.documents.sustained import SustainedRun, SustainedWindow
from edgeworthy.errors import UsageError

if TYPE_CHECKING:
    from edgeworthy.measurement.sustained import SustainedProgress
    from edgeworthy.workflow.bare_models import BareOptions

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_BARS = "▁▂▃▄▅▆▇█"
_CHART_COLUMNS = 50


def measure_sustained(
    model: Path, options: BareOptions, duration: str, *, as_json: bool, html: Path | None
) -> None:
    """Run a model for a while, show it live on a terminal, and say what became of it."""
    from edgeworthy.workflow.measured_page import write_measured_page
    from edgeworthy.workflow.sustained import run_sustained

    duration_s = seconds_of(duration, option="--sustained")
    with _shown_live() as listener:
        run = run_sustained(model, options, duration_s=duration_s, listener=listener)
    if html is not None:
        write_measured_page(run, html)
    print_json(run) if as_json else print_sustained(run)
    refuse_partial(partial=run.partial)


def seconds_of(text: str, *, option: str) -> float:
    """A duration as people write it after an option.

    Raises:
        UsageError: It is none.

    >>> [seconds_of(text, option="--budget") for text in ("10m", "90s", "1.5h", "30")]
    [600.0, 90.0, 5400.0, 30.0]
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip().lower())
    if found is None:
        raise UsageError(
            "not a duration",
            expected="a number with s, m or h",
            found=f"`{text}`",
            next_step=f"Write for example `{option} 10m`",
        )
    return float(found[1]) * _SECONDS[found[2]]


def print_sustained(run: SustainedRun) -> None:
    """The run as a chart of one line and a few figures."""
    out = console()
    if not run.windows:
        out.print("Stopped before the first window was full: nothing was measured.")
        return
    rates = [each.throughput_per_s for each in run.windows]
    lasted_s = run.windows[-1].start_s + run.windows[-1].duration_s
    partial = f" of {run.asked_s:.0f} s, stopped early" if run.partial else ""
    made = table(f"{run.variant} for {lasted_s:.0f} s{partial}: {run.runtime}", "", "")
    made.add_row("throughput", chart_line(rates))
    made.add_row("", f"0 to {figure(max(rates))} per second")
    made.add_row("at first", f"{figure(rates[0])} per second")
    made.add_row("at last", f"{figure(rates[-1])} per second")
    made.add_row("retention", interval(run.retention) if run.retention else run.retention_refusal)
    made.add_row("throttling", _throttling(run))
    made.add_row("steady state", _steady(run))
    made.add_row("temperature", _course([each.temperature_c for each in run.windows], "C"))
    made.add_row("clock", _course([each.frequency_mhz for each in run.windows], "MHz"))
    for name, text in _energy(run):
        made.add_row(name, text)
    if run.peak_memory_mib is not None:
        made.add_row("peak memory", f"{figure(run.peak_memory_mib)} MiB")
    out.print(made)
    for sentence in run.disturbances:
        out.print(note(sentence))


def chart_line(figures: Sequence[float], *, columns: int = _CHART_COLUMNS) -> str:
    """Figures as bars of one line, from 0 to the largest.

    >>> chart_line([4.0, 4.0, 2.0, 2.0], columns=4)
    '██▅▅'
    """
    count = min(columns, len(figures))
    edges = [round(index * len(figures) / count) for index in range(count + 1)]
    means = [sum(figures[first:end]) / (end - first) for first, end in itertools.pairwise(edges)]
    top = max(means)
    return "".join(_BARS[min(int(mean / top * len(_BARS)), len(_BARS) - 1)] for mean in means)


def _throttling(run: SustainedRun) -> str:
    found = run.throttling
    if found is None:
        return "none that lasted"
    until = "to the end" if found.end_s is None else f"to {found.end_s:.1f} s"
    if found.kind == "others":
        return (
            f"none; others took {100 * found.depth_ratio:.0f} % from {found.onset_s:.1f} s "
            f"{until}: {found.cause}"
        )
    cause = found.cause or "no sensor tells why"
    return (
        f"from {found.onset_s:.1f} s {until}: {100 * found.depth_ratio:.0f} % lost, "
        f"{figure(found.before_per_s)} to {figure(found.during_per_s)} per second; {cause}"
    )


def _steady(run: SustainedRun) -> str:
    found = run.steady
    if found is None:
        return "not reached, or too few windows to tell"
    return (
        f"from {found.from_s:.1f} s: {figure(found.throughput_per_s)} per second, "
        f"p50 {figure(found.p50_ms)} ms"
    )


def _course(figures: Sequence[float | None], unit: str) -> str:
    known = [each for each in figures if each is not None]
    if not known:
        return "not measured: no sensor"
    return f"{known[0]:.0f} to {known[-1]:.0f} {unit}, at most {max(known):.0f}"


def _energy(run: SustainedRun) -> Iterator[tuple[str, str]]:
    found = run.energy
    if found is None:
        yield "energy", f"not measured: {run.energy_refusal or 'stopped too early'}"
        return
    rate = f" at {found.sample_rate_hz:.0f} Hz" if found.sample_rate_hz else ""
    yield "energy", f"{figure(found.joules)} J, {found.method}{rate}: {found.source}"
    yield "per inference", f"{interval(found.per_inference_mj)} mJ"
    above = interval(found.above_idle_per_inference_mj)
    yield "above idle", f"{above} mJ, idle {figure(found.idle_watts)} W"


@contextlib.contextmanager
def _shown_live() -> Iterator[Callable[[SustainedProgress], None] | None]:
    """A few lines on standard error that follow the run, when that is a terminal."""
    err = Console(stderr=True)
    if not err.is_terminal:
        yield None
        return
    windows: list[SustainedWindow] = []
    with Live(console=err, transient=True, refresh_per_second=4) as live:

        def show(state: SustainedProgress) -> None:
            windows.append(state.window)
            live.update(live_view(windows, state))

        yield show


def live_view(windows: Sequence[SustainedWindow], state: SustainedProgress) -> Table:
    """What is shown while a run goes on."""
    latest = state.window
    rates = [each.throughput_per_s for each in windows]
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_row("time", f"{state.elapsed_s:.0f} of {state.asked_s:.0f} s (Ctrl-C keeps the rest)")
    made.add_row("throughput", f"{chart_line(rates)} {figure(latest.throughput_per_s)} per second")
    made.add_row("latency", f"p50 {figure(latest.p50_ms)} ms, p90 {figure(latest.p90_ms)} ms")
    if latest.temperature_c is not None:
        made.add_row("temperature", f"{latest.temperature_c:.0f} C")
    if latest.frequency_mhz is not None:
        made.add_row("clock", f"{latest.frequency_mhz:.0f} MHz")
    if latest.energy_joules is not None:
        made.add_row("power", f"{figure(latest.energy_joules / latest.duration_s)} W")
    if state.throttled_since_s is not None:
        made.add_row("throttled", f"since about {state.throttled_since_s:.0f} s")
    return made
