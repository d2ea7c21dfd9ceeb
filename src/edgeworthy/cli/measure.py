"""``edgeworthy measure``: how fast and how large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.comparison import print_comparison
from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import console, figure, interval, print_json, print_outcomes, table
from edgeworthy.cli.session import opened_project, shown_progress
from edgeworthy.cli.sustained import measure_sustained, refuse_partial
from edgeworthy.documents.measurement import Measurement
from edgeworthy.errors import Interrupted, UsageError

_SHOWN_CONFIDENCE = 0.95


def measure(
    model: Annotated[
        Path | None,
        typer.Argument(help="An ONNX file; left out, the project's model and variants."),
    ] = None,
    project: ProjectOption = Path(),
    against: Annotated[
        Path | None,
        typer.Option("--vs", help="Compare with this ONNX file, in turns.", metavar="FILE"),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(
            help="npz file with an array per input; left out, random inputs.", metavar="FILE"
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads inside one inference.", min=1)] = 1,
    starts: Annotated[
        int | None, typer.Option(help="Starts of each model; more see smaller differences.", min=1)
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds of timed rounds per model, at most.", min=0.001)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random order.")] = 0,
    sustained: Annotated[
        str | None,
        typer.Option(
            help="Run without pause for so long, such as 10m, and look for throttling.",
            metavar="DURATION",
        ),
    ] = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Measure latency, memory, load time and size: of a project, or of bare model files.

    Example: edgeworthy measure int8.onnx --vs float.onnx
    """
    if sustained is not None and (model is None or against is not None):
        raise UsageError(
            "--sustained runs one model file",
            next_step="Write `edgeworthy measure MODEL.onnx --sustained 10m`",
        )
    if model is None:
        if against is not None:
            raise UsageError(
                "--vs compares model files",
                next_step="Write `edgeworthy measure A.onnx --vs B.onnx`",
            )
        _measure_project(project, as_json=as_json, explain=explain)
        return
    from edgeworthy.workflow.bare_models import BareOptions, compare_files, measure_file

    options = BareOptions(
        threads=threads, samples=samples, budget_s=budget, starts=starts, seed=seed
    )
    if sustained is not None:
        refuse_partial(measure_sustained(model, options, sustained, as_json=as_json))
        return
    with shown_progress() as progress:
        if against is None:
            measured = measure_file(model, options, progress=progress)
        else:
            compared = compare_files(model, against, options, progress=progress)
    if against is None:
        print_json(measured) if as_json else print_measurements([measured])
    else:
        print_json(compared) if as_json else print_comparison(compared)
    if (measured if against is None else compared).partial:
        raise Interrupted("stopped by Ctrl-C; what was measured is above, marked as partial")


def _measure_project(project: Path, *, as_json: bool, explain: bool) -> None:
    with opened_project(project) as opened:
        measurements = opened.measure()
    if as_json:
        print_json(measurements)
        return
    print_measurements(measurements)
    if explain:
        print_outcomes(opened.outcomes)


def print_measurements(measurements: Sequence[Measurement]) -> None:
    """One block of lines per target, one line per artefact."""
    out = console()
    for target in dict.fromkeys(each.target for each in measurements):
        rows = [each for each in measurements if each.target == target]
        first = rows[0]
        title = f"Latency on {target}: {first.runtime}, {first.threads} thread(s), SingleStream"
        made = table(title, "variant", "p50 ms", "p99 ms", "MiB", "KiB", "against original")
        for each in rows:
            made.add_row(
                each.variant,
                _percentile(each, 50),
                _percentile(each, 99),
                figure(each.peak_memory_mib.value),
                figure(each.size_kib.value),
                _comparison(each),
            )
        out.print(made)
        for sentence in first.disturbances:
            out.print(f"[yellow]note[/yellow] {sentence}")
        for reason in dict.fromkeys(p.refusal for each in rows for p in each.percentiles):
            if reason:
                out.print(f"[yellow]note[/yellow] {reason}")


def _percentile(measurement: Measurement, percent: float) -> str:
    for each in measurement.percentiles:
        latency = each.latency_ms
        if each.percent == percent and latency and latency.confidence == _SHOWN_CONFIDENCE:
            return interval(latency)
    return "refused"


def _comparison(measurement: Measurement) -> str:
    paired = measurement.against_original
    if paired is None:
        return ""
    return f"{paired.verdict}, x {interval(paired.ratio)}"
