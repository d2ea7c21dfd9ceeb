"""Measurements as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgeworthy.cli.output import console, figure, interval, note, table
from edgeworthy.documents.measurement import PIPELINE_STAGES, Measurement, Percentile, StageTime

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN_CONFIDENCE = 0.95


def print_measurements(measurements: Sequence[Measurement], *, pipelines: bool = True) -> None:
    """One block of lines per target, one line per artefact.

    Args:
        measurements: Of any targets.
        pipelines: Whether to show the whole way of a sample as well.
    """
    out = console()
    for target in dict.fromkeys(each.target for each in measurements):
        rows = [each for each in measurements if each.target == target]
        first = rows[0]
        title = f"Latency on {target}: {first.runtime}, {first.threads} thread(s), SingleStream"
        out.print(_latencies(rows, title))
        if pipelines and any(each.pipeline for each in rows):
            out.print(_pipelines(rows, target))
        if len(rows) == 1:
            out.print(_facts(first))
        elif checked := _checked(rows):
            out.print(f"{checked} timed answers equal those of an untimed run of the same file.")
        for sentence in first.disturbances:
            out.print(note(sentence))
        for reason in dict.fromkeys(p.refusal for each in rows for p in each.percentiles):
            if reason:
                out.print(note(reason))


def _latencies(rows: Sequence[Measurement], title: str) -> Table:
    compared = any(each.against_original for each in rows)
    columns = ("variant", "p50 ms", "p99 ms", "MiB", "KiB")
    made = table(title, *columns, *(("against original",) if compared else ()))
    for each in rows:
        cells = [
            each.variant,
            _percentile(each.percentiles, 50),
            _percentile(each.percentiles, 99),
            figure(each.peak_memory_mib.value),
            figure(each.size_kib.value),
        ]
        made.add_row(*cells, *((_comparison(each),) if compared else ()))
    return made


def _pipelines(rows: Sequence[Measurement], target: str) -> Table:
    """Stage by stage, one line per artefact."""
    title = f"From bytes to answer on {target}, p50 ms (share of the time)"
    made = table(title, "variant", *PIPELINE_STAGES, "whole way", "cold start ms")
    for each in rows:
        pipeline = each.pipeline
        if pipeline is None:
            continue
        made.add_row(
            each.variant,
            *(_stage(stage) for stage in pipeline.stages),
            _percentile(pipeline.percentiles, 50),
            interval(pipeline.cold_start_ms),
        )
    return made


def _stage(stage: StageTime) -> str:
    share = f"({100 * stage.share_ratio:.0f} %)"
    return f"{interval(stage.p50_ms)} {share}" if stage.p50_ms else f"refused {share}"


def _checked(rows: Sequence[Measurement]) -> int:
    pipelines = [each.pipeline.checked_count for each in rows if each.pipeline]
    return sum(each.checked_count for each in rows) + sum(pipelines)


def _facts(measurement: Measurement) -> Table:
    """What a table of several artefacts has no room for."""
    made = table("", "figure", "value")
    made.add_row("p90 ms", _percentile(measurement.percentiles, 90))
    made.add_row("load ms", interval(measurement.load_time_ms))
    made.add_row("first inference ms", figure(measurement.first_inference_ms))
    first = measurement.time_to_first_inference_ms
    made.add_row("time to first inference ms (load, first)", interval(first))
    made.add_row("cold start ms (import, load, first)", interval(measurement.cold_start_ms))
    made.add_row("peak memory MiB", interval(measurement.peak_memory_mib))
    made.add_row("steady memory MiB", interval(measurement.steady_memory_mib))
    arena = measurement.arena_mib
    made.add_row("arena MiB", "not told by the engine" if arena is None else interval(arena))
    made.add_row("memory before loading MiB", figure(measurement.runtime_memory_mib))
    made.add_row("processors", ", ".join(map(str, measurement.affinity)) or "-")
    if measurement.checked_count:
        made.add_row("answers checked", f"{measurement.checked_count}, all right")
    return made


def _percentile(percentiles: Sequence[Percentile], percent: float) -> str:
    for each in percentiles:
        latency = each.latency_ms
        if each.percent == percent and latency and latency.confidence == _SHOWN_CONFIDENCE:
            return interval(latency)
    return "refused"


def _comparison(measurement: Measurement) -> str:
    paired = measurement.against_original
    if paired is None:
        return ""
    return f"{paired.verdict}, x {interval(paired.ratio)}"
