"""``edgeworthy measure``: how fast and how large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import console, figure, interval, note, print_json, print_outcomes, table
from edgeworthy.cli.session import opened_project
from edgeworthy.documents.measurement import Measurement

_SHOWN_CONFIDENCE = 0.95


def measure(
    project: ProjectOption = Path(), as_json: JsonOption = False, explain: ExplainOption = False
) -> None:
    """Measure latency, memory, load time and size of each variant, taking turns.

    Example: edgeworthy measure --project digits --json
    """
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
            out.print(note(sentence))
        for reason in dict.fromkeys(p.refusal for each in rows for p in each.percentiles):
            if reason:
                out.print(note(reason))


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
