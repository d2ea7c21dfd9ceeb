"""Where a device stands, told from what it keeps and, where an agent runs, from what it does."""

from __future__ import annotations

from edgeworthy.agent.identity import Identity
from edgeworthy.agent.models import Models
from edgeworthy.agent.signed_time import load_signed_time
from edgeworthy.agent.store import Store
from edgeworthy.documents.agent import AgentState, AgentStatus, WorkerStatus


def status_of(
    store: Store,
    state: AgentState,
    identity: Identity,
    *,
    models: Models | None = None,
    trouble: str = "",
    next_look_seconds: float | None = None,
) -> AgentStatus:
    """Where a device stands.

    Args:
        store: What it keeps.
        state: Where it stands.
        identity: What it is.
        models: Its workers; absent when no agent runs.
        trouble: What the disk refused.
        next_look_seconds: Until the next look.
    """
    settings = store.settings()
    floor = load_signed_time(store.signed_time_file).floor
    candidate = state.candidate
    version = ""
    if candidate is not None:
        named = candidate.slot or candidate.release
        version = named.version if named else ""
    return AgentStatus(
        device=settings.device,
        ring=settings.ring,
        product=settings.product,
        policy=settings.policy,
        repositories=settings.repositories,
        instruction_set=identity.host.instruction_set,
        running=models is not None,
        phase=state.phase,
        current=state.current,
        previous=state.previous,
        candidate=version,
        worker=_worker(models) if models else None,
        trouble=trouble or state.trouble,
        refused=state.refused,
        signed_time=floor.isoformat(timespec="seconds") if floor else "",
        history_count=state.sequence,
        next_look_seconds=next_look_seconds,
    )


def _worker(models: Models) -> WorkerStatus | None:
    worker = models.serving
    if worker is None:
        return None
    beat = worker.heartbeat
    return WorkerStatus(
        process_id=worker.process.pid,
        addresses=models.addresses,
        uptime_seconds=beat.uptime_seconds if beat else 0.0,
        request_count=beat.request_count if beat else 0,
        failure_count=beat.failure_count if beat else 0,
        resident_bytes=beat.resident_bytes if beat else 0,
    )
