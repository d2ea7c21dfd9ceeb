"""A sweep as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.cli.output import console, interval, marked, note, print_json, table
from edgeworthy.cli.session import refuse_partial, shown_progress
from edgeworthy.documents.sweep import Sweep, SweepPoint

if TYPE_CHECKING:
    from edgeworthy.workflow.bare_models import BareOptions


def measure_sweep(model: Path, options: BareOptions, axes: str, *, as_json: bool) -> None:
    """Measure a model at several settings, and print them."""
    from edgeworthy.workflow.bare_models import sweep_file

    names = [each.strip() for each in axes.split(",") if each.strip()]
    with shown_progress() as progress:
        found = sweep_file(model, names, options, progress=progress)
    print_json(found) if as_json else print_sweep(found)
    refuse_partial(partial=found.partial)


def print_sweep(sweep: Sweep) -> None:
    """One line per setting, the knee marked."""
    out = console()
    knee = next(each for each in sweep.points if each.is_knee)
    where = f" on processors {_processors(knee)}" if knee.processors else ""
    knee_at = f"Knee at {knee.threads} thread(s) and batch {knee.batch}{where}:"
    why = "the lowest latency that still has nine tenths of the best throughput."
    out.print(marked(knee_at, "bold", why))
    bound = any(each.processors for each in sweep.points)
    columns = ("threads", "batch", *(("processors",) if bound else ()), "ms", "samples/s", "")
    made = table(f"{sweep.variant}: {sweep.runtime}", *columns)
    for each in sweep.points:
        made.add_row(
            str(each.threads),
            str(each.batch),
            *((_processors(each),) if bound else ()),
            interval(each.latency_ms),
            interval(each.throughput_hz),
            "knee" if each.is_knee else "",
        )
    out.print(made)
    if sweep.partial:
        out.print(note(f"Stopped early: {sweep.start_count} starts stand behind each figure."))
    for sentence in sweep.disturbances:
        out.print(note(sentence))


def _processors(point: SweepPoint) -> str:
    return ",".join(map(str, point.processors)) or "any"
