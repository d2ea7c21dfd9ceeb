"""``edgeworthy doctor``: is this machine fit to measure on?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from edgeworthy.cli.options import JsonOption
from edgeworthy.cli.output import console, figure, marked, print_json, table
from edgeworthy.cli.session import shown_progress
from edgeworthy.documents.host_state import HostState, SensorReading

_STYLES = {"fit": "green", "fit with notes": "yellow", "unfit": "red"}
_MARKS = {"problem": "red", "note": "yellow"}
_SHORTEST_S = 0.1
_LONGEST_S = 60.0


def doctor(
    as_json: JsonOption = False,
    probe_s: Annotated[
        float,
        typer.Option(
            "--probe-seconds",
            min=_SHORTEST_S,
            max=_LONGEST_S,
            help="How long to watch how evenly the machine runs.",
        ),
    ] = 2.0,
) -> None:
    """Say whether this machine is fit to measure on and what to change; exit code 1 if unfit.

    Example: edgeworthy doctor --json
    """
    from edgeworthy.devices import host_fingerprint, host_state, probe_stability

    host = host_fingerprint(runtime_versions=())
    with shown_progress() as progress:
        progress(f"Watching for {probe_s:g} s how evenly the machine runs", None)
        stability = probe_stability(duration_s=probe_s)
    state = host_state(host, taken_at=datetime.now(UTC), stability=stability)
    if as_json:
        print_json(state)
    else:
        print_host_state(state)
    if state.verdict == "unfit":
        raise typer.Exit(1)


def print_host_state(state: HostState) -> None:
    """The verdict, what led to it, and what the machine can tell of itself."""
    out = console()
    out.print(marked(state.verdict, _STYLES[state.verdict], "to measure on"))
    for finding in state.findings:
        step = f" {finding.next_step}." if finding.next_step else ""
        out.print(marked(finding.severity, _MARKS[finding.severity], finding.sentence + step))
    out.print()
    out.print(_facts(state))
    for problem in state.sensor_problems:
        out.print(marked("sensor", "yellow", problem))


def _facts(state: HostState) -> object:
    facts = table("Machine", "", "")
    host = state.host
    facts.add_row("processor", f"{host.cpu_model}, {host.core_count} cores, {host.architecture}")
    facts.add_row("8-bit arithmetic", host.instruction_set)
    facts.add_row("flags", " ".join(host.cpu_flags) or "none that matter")
    facts.add_row("governor", ", ".join(state.governors) or "not told")
    facts.add_row("clock", _range(state, "frequency"))
    facts.add_row("temperature", _range(state, "temperature"))
    facts.add_row("energy", _energy(state))
    if state.load_average is not None:
        facts.add_row("load", f"{state.load_average:.2f} over the last minute")
    probe = state.stability
    if probe is not None:
        facts.add_row(
            "steadiness",
            f"{100 * probe.lost_share:.2f} % of {probe.duration_s:.1f} s lost, longest gap "
            f"{figure(probe.longest_gap_ms)} ms, spread {100 * probe.spin_spread_ratio:.1f} %",
        )
    return facts


def _range(state: HostState, quantity: str) -> str:
    found = [
        (each.value, each.unit)
        for each in state.readings
        if each.quantity == quantity and each.value is not None
    ]
    if not found:
        return "not told"
    low, high = min(found), max(found)
    span = f"{low[0]:.0f}" if low == high else f"{low[0]:.0f} to {high[0]:.0f}"
    return f"{span} {high[1]}"


def _energy(state: HostState) -> str:
    sources = [each for each in state.readings if each.quantity in {"energy", "power"}]
    return ", ".join(dict.fromkeys(_source(each) for each in sources)) or "no sensor: not measured"


def _source(reading: SensorReading) -> str:
    return f"{reading.sensor} {reading.channel}"
