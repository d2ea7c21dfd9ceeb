"""What a device says, for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime

import typer
from rich.text import Text

from edgeworthy.cli.output import console, marked, table
from edgeworthy.documents.agent import AgentDiagnosis, AgentStatus, Slot
from edgeworthy.documents.agent_history import HistoryCheckpoint, HistoryEntry

_MARKS = {"fine": "green", "note": "yellow", "problem": "red"}
_EVENTS = {
    "committed": "green",
    "restored": "green",
    "rolled-back": "red",
    "refused": "red",
    "fell-back": "red",
    "lost": "red",
    "crashed": "yellow",
    "degraded": "yellow",
}


def say(*, as_json: bool) -> Callable[[str], None]:
    """Progress of an agent, to standard error: one line each, as a journal wants it."""

    def quiet(_sentence: str) -> None:
        """Programs read the result."""

    def speak(sentence: str) -> None:
        typer.echo(sentence, err=True)
        sys.stderr.flush()

    return quiet if as_json else speak


def print_status(status: AgentStatus) -> None:
    """Where a device stands."""
    out = console()
    out.print(_headline(status), soft_wrap=True)
    if status.trouble:
        out.print(marked("trouble", "red", status.trouble), soft_wrap=True)
    facts = table("Device", "", "")
    facts.add_row("device", f"{status.device}, ring {status.ring}, {status.instruction_set}")
    facts.add_row("follows", f"{status.product} at {', '.join(status.repositories)}")
    facts.add_row("policy", status.policy)
    facts.add_row("current", _slot(status.current))
    facts.add_row("previous", _slot(status.previous))
    if status.candidate:
        facts.add_row("on its way", f"{status.candidate}: {status.phase}")
    if status.worker is not None:
        worker = status.worker
        facts.add_row("serves at", ", ".join(worker.addresses))
        facts.add_row(
            "worker",
            f"{worker.request_count} requests, {worker.failure_count} failures, "
            f"{worker.resident_bytes / 1e6:.0f} MB, up {worker.uptime_seconds:.0f} s",
        )
    if status.refused:
        last = status.refused[-1]
        facts.add_row("not taken", f"publication {last.release_counter}: {last.reason}")
    signed = f"{_when(status.signed_time)} UTC" if status.signed_time else "none seen yet"
    facts.add_row("signed time", signed)
    if status.next_look_seconds is not None:
        facts.add_row("next look", f"in {status.next_look_seconds:.0f} s")
    out.print(facts)


def print_history(checkpoint: HistoryCheckpoint | None, entries: Sequence[HistoryEntry]) -> None:
    """What ran, when and why."""
    out = console()
    if checkpoint is not None:
        missing = checkpoint.damage or "made room for newer ones"
        counts = f"{checkpoint.committed_count} commits, {checkpoint.rolled_back_count} rollbacks"
        sentence = f"{checkpoint.sequence} older entries ({counts}): {missing}"
        out.print(marked("before", "dim", sentence), soft_wrap=True)
    made = table("History", "when, UTC", "what", "why", right=("when, UTC",))
    for entry in entries:
        words = Text.assemble((entry.event, _EVENTS.get(entry.event, "")))
        if entry.version:
            words.append(f" {entry.version}")
        made.add_row(_when(entry.at), words, entry.reason or entry.variant)
    out.print(made)
    out.print("The chain of entries holds.")


def print_diagnosis(diagnosis: AgentDiagnosis) -> None:
    """What is well and what is not."""
    out = console()
    for finding in diagnosis.findings:
        step = f" {finding.next_step}." if finding.next_step else ""
        sentence = f"{finding.subject}: {finding.sentence.rstrip('.')}.{step}"
        out.print(marked(finding.severity, _MARKS[finding.severity], sentence), soft_wrap=True)


def _headline(status: AgentStatus) -> Text:
    current = status.current
    if status.worker is not None and current is not None:
        return marked("serving", "green", f"{current.product} {current.version}")
    if current is None:
        word = "waiting" if status.running else "empty"
        step = "" if status.running else "; `edgeworthy agent run` looks for one and serves it"
        return marked(word, "yellow", f"nothing has proved itself here yet{step}")
    named = f"{current.product} {current.version}"
    if status.running:
        return marked("not serving", "red", f"{named}: its worker is away")
    return marked("ready", "yellow", f"{named}; `edgeworthy agent run` serves it")


def _slot(slot: Slot | None) -> str:
    if slot is None:
        return "-"
    return f"{slot.version}, publication {slot.release_counter}, {slot.variant}"


def _when(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text
