"""What is well and what is not on a device, for somebody who stands before it.

Each check is one function that gives one finding; none changes anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edgeworthy.agent.current_steps import MOST_UNSETTLED_STARTS
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity, identify
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.signed_time import load_signed_time
from edgeworthy.agent.sources import SourceProblem, source_of
from edgeworthy.agent.store import Store
from edgeworthy.agent.transport import RESERVE_BYTES, Transport, World
from edgeworthy.documents.agent import (
    AgentDiagnosis,
    AgentFinding,
    AgentSettings,
    AgentState,
    AgentStatus,
)
from edgeworthy.errors import EdgeworthyError

_LARGEST_TIMESTAMP_BYTES = 16_384
_CLOCK_TOLERANCE = timedelta(days=1)
_WORKER_GIVES_UP = "The worker's log says more"


@dataclass(frozen=True)
class _Device:
    store: Store
    settings: AgentSettings
    state: AgentState
    identity: Identity
    live: AgentStatus | None


def diagnose(store: Store, live: AgentStatus | None) -> AgentDiagnosis:
    """Look at everything that a device depends on.

    Args:
        store: Its store.
        live: What the agent that runs says of itself; absent when none runs.

    Raises:
        UsageError: The device is not enrolled.
    """
    device = _Device(store, store.settings(), store.state(), identify(), live)
    findings = tuple(check(device) for check in _CHECKS)
    repositories = tuple(_repository(each) for each in device.settings.repositories)
    everything = (*findings, *repositories)
    healthy = all(each.severity != "problem" for each in everything)
    return AgentDiagnosis(device=device.settings.device, healthy=healthy, findings=everything)


def _fine(subject: str, sentence: str) -> AgentFinding:
    return AgentFinding(subject=subject, severity="fine", sentence=sentence)


def _note(subject: str, sentence: str, next_step: str = "") -> AgentFinding:
    return AgentFinding(subject=subject, severity="note", sentence=sentence, next_step=next_step)


def _problem(subject: str, sentence: str, next_step: str) -> AgentFinding:
    return AgentFinding(subject=subject, severity="problem", sentence=sentence, next_step=next_step)


def _processor(device: _Device) -> AgentFinding:
    host = device.identity.host
    sentence = f"{host.instruction_set} on {host.architecture}, {', '.join(host.runtimes)}"
    if not any(each.startswith("onnxruntime") for each in host.runtimes):
        return _problem("device", sentence, "Install onnxruntime")
    return _fine("device", sentence)


def _agent(device: _Device) -> AgentFinding:
    if device.live is None:
        return _note("agent", "no agent runs on this store", "Start `edgeworthy agent run`")
    worker = device.live.worker
    if worker is None and device.state.current is not None:
        return _problem("agent", "the agent runs, and no worker serves", _WORKER_GIVES_UP)
    if worker is None:
        return _note("agent", "the agent runs; there is nothing to serve yet")
    return _fine(
        "agent",
        f"worker {worker.process_id} serves at {', '.join(worker.addresses)}: "
        f"{worker.request_count} requests, {worker.failure_count} failures",
    )


def _releases(device: _Device) -> AgentFinding:
    current, previous = device.state.current, device.state.previous
    if current is None:
        return _note("releases", "no release was committed yet", "See what `agent once` says")
    for slot in (current, previous):
        if slot is not None and (damage := device.store.damage(slot)):
            return _problem("releases", damage, "The next look at the repository fetches it again")
    behind = f", {previous.version} behind it" if previous else ", nothing behind it"
    return _fine("releases", f"{current.version} is whole{behind}")


def _pointers(device: _Device) -> AgentFinding:
    current, previous = device.state.current, device.state.previous
    wanted = (current.entry if current else "", previous.entry if previous else "")
    if device.store.pointers() != wanted:
        return _problem(
            "pointers", "current and previous do not say what the state says", "Restart the agent"
        )
    return _fine("pointers", "current and previous say what the state says")


def _history(device: _Device) -> AgentFinding:
    try:
        content = verified_history(device.store.history_file, device.state)
    except EdgeworthyError as error:
        return _problem("history", str(error), "The agent puts it aside with its next entry")
    if content.checkpoint is not None and content.checkpoint.damage:
        return _note("history", f"it began anew once: {content.checkpoint.damage}")
    return _fine("history", f"the chain of {device.state.sequence} entries holds")


def _starts(device: _Device) -> AgentFinding:
    count = device.state.unsettled_starts
    if count > 1:
        return _note(
            "starts",
            f"{count} starts or crashes in a row without a quiet minute; "
            f"after {MOST_UNSETTLED_STARTS} the device falls back",
            _WORKER_GIVES_UP,
        )
    return _fine("starts", "no crashes in a row")


def _updates(device: _Device) -> AgentFinding:
    trouble = device.live.trouble if device.live else device.state.trouble
    if trouble:
        return _problem("updates", trouble, "See what the repository says of itself")
    if device.state.refused:
        last = device.state.refused[-1]
        return _note("updates", f"publication {last.release_counter} is not taken: {last.reason}")
    return _fine("updates", "the last look found nothing wrong")


def _clock(device: _Device) -> AgentFinding:
    floor = load_signed_time(device.store.signed_time_file).floor
    own = datetime.now(UTC)
    if floor is None:
        return _note("clock", "no signed time was seen yet")
    if own < floor - _CLOCK_TOLERANCE:
        return _note("clock", f"the clock says {own:%F}, before the signed {floor:%F}", "Set it")
    return _fine("clock", f"the last signed time is {floor:%F %T} UTC")


def _disk(device: _Device) -> AgentFinding:
    free = shutil.disk_usage(device.store.folder).free
    if not os.access(device.store.folder, os.W_OK):
        return _problem("disk", "the store cannot be written to", "Mount it read-write")
    size = (
        sum(file.size_bytes for file in device.state.current.files) if device.state.current else 0
    )
    if free < size + RESERVE_BYTES:
        return _problem(
            "disk", f"{free / 1e6:.0f} MB are free, too few for one more release", "Free some space"
        )
    held = device.store.size_bytes()
    return _fine("disk", f"{held / 1e6:.1f} MB of releases, {free / 1e9:.1f} GB free")


def _repository(place: str) -> AgentFinding:
    world = World(lambda: 0.0, lambda _seconds: None, lambda: 0.0)
    source = source_of(place, answer_seconds=10.0)
    transport = Transport([source], Patience(), world)
    try:
        transport.read(
            "metadata/timestamp.json", largest_bytes=_LARGEST_TIMESTAMP_BYTES, source=source
        )
    except SourceProblem as problem:
        return _problem("repository", f"{place}: {problem.reason}", "Check the address and the net")
    return _fine("repository", f"{place} answers")


_CHECKS: tuple[Callable[[_Device], AgentFinding], ...] = (
    _processor,
    _agent,
    _releases,
    _pointers,
    _history,
    _starts,
    _updates,
    _clock,
    _disk,
)
