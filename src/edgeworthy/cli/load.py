"""A measurement under load as a table and sentences."""

from __future__ import annotations

from rich.text import Text

from edgeworthy.cli.output import console, figure, interval, note, table
from edgeworthy.documents.load import LoadMeasurement


def print_load(measured: LoadMeasurement) -> None:
    """What the load showed."""
    out = console()
    out.print(Text(load_sentence(measured), style="bold"))
    out.print(
        f"{measured.scenario}: {measured.runtime}, {measured.threads} thread(s), "
        f"{measured.query_count} queries of {measured.samples_per_query} sample(s)"
    )
    made = table("", "figure", "value")
    if measured.throughput_hz is not None:
        made.add_row("samples per second", interval(measured.throughput_hz))
    for each in measured.percentiles:
        shown = interval(each.latency_ms) if each.latency_ms else each.refusal
        made.add_row(f"p{each.percent:g} ms", shown)
    if measured.checked_count:
        made.add_row("answers checked", f"{measured.checked_count}, all right")
    if made.row_count:
        out.print(made)
    if measured.partial:
        out.print(note("Stopped early: fewer starts stand behind each figure."))
    for sentence in measured.disturbances:
        out.print(note(sentence))


def load_sentence(measured: LoadMeasurement) -> str:
    """The result in one sentence."""
    if measured.scenario == "Server":
        bound = f"{measured.bound_percent:g} % of queries within {measured.latency_bound_ms:g} ms"
        if measured.rate_hz is None:
            return f"No rate held {bound}."
        return f"Holds {figure(measured.rate_hz)} queries per second with {bound}."
    if measured.throughput_hz is None:
        return "Too few starts for a throughput with an interval."
    return f"Answers {figure(measured.throughput_hz.value)} samples per second."
