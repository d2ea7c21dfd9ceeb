"""``edgeworthy agent``: a device that follows a repository and serves what it proved to itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgeworthy.cli.agent_options import (
    AddressOption,
    DeviceOption,
    IntervalOption,
    LastOption,
    MemoryOption,
    PolicyOption,
    ProductOption,
    QuotaOption,
    ReasonOption,
    RepositoriesOption,
    RingOption,
    RootOption,
    SocketOption,
    StoreOption,
    UserOption,
)
from edgeworthy.cli.options import JsonOption
from edgeworthy.cli.output import print_json

if TYPE_CHECKING:
    from edgeworthy.agent.asking import Question
    from edgeworthy.agent.running import RunOptions
    from edgeworthy.agent.store import Store
    from edgeworthy.documents.agent import AgentStatus

app = typer.Typer(
    help="Follow a repository on a device: take, prove, serve, go back.", no_args_is_help=True
)

_STORE = Path("/var/lib/edgeworthy")
_MIB = 1 << 20


@app.callback()
def agent() -> None:
    """Follow a repository on a device: take, prove, serve, go back."""


@app.command()
def enroll(
    product: ProductOption,
    policy: PolicyOption,
    root: RootOption,
    repository: RepositoriesOption = None,
    store: StoreOption = _STORE,
    device: DeviceOption = "",
    ring: RingOption = "stable",
    address: AddressOption = "",
    socket: SocketOption = "",
    interval_seconds: IntervalOption = 3600.0,
    quota_mib: QuotaOption = 0,
    memory_limit_mib: MemoryOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Enroll this device: whom it trusts, what it runs, what a release must prove.

    Example: edgeworthy agent enroll --root trusted-root.json --product digits --policy gateways
    """
    from edgeworthy.agent.enrolling import enroll as enroll_device
    from edgeworthy.agent.identity import default_name
    from edgeworthy.cli.agent_output import print_status
    from edgeworthy.documents.agent import AgentSettings

    settings = AgentSettings(
        device=device or default_name(),
        ring=ring,
        product=product,
        policy=policy,
        repositories=tuple(_place(each) for each in repository or []),
        socket=socket,
        address=address,
        interval_seconds=interval_seconds,
        quota_bytes=quota_mib * _MIB,
        memory_limit_mib=memory_limit_mib,
    )
    opened = _opened(store)
    enroll_device(opened, settings, _read(root))
    status_now = _status(opened)
    if as_json:
        print_json(status_now)
    else:
        print_status(status_now)


@app.command()
def run(repository: RepositoriesOption = None, store: StoreOption = _STORE) -> None:
    """Serve, and look for updates on a schedule, until told to stop.

    What goes on is told on standard error, a line each; `agent status --json` is for programs.

    Example: edgeworthy agent run --repository https://updates.example
    """
    opened = _opened(store)
    opened.settings()
    places = [_place(each) for each in repository or []]
    command = [sys.executable, "-m", "edgeworthy.agent", str(opened.folder), *places]
    os.execv(sys.executable, command)  # noqa: S606 - the same Python, without the command line


@app.command()
def once(
    repository: RepositoriesOption = None,
    store: StoreOption = _STORE,
    as_json: JsonOption = False,
) -> None:
    """Look once, take and prove what is offered, and end; asks the agent where one runs.

    Example: edgeworthy agent once --store /var/lib/edgeworthy --json
    """
    from edgeworthy.agent.asking import Question
    from edgeworthy.agent.running import run_once

    opened = _opened(store)
    if _asked(opened, Question(ask="look")) is None:
        state = run_once(opened, _options(repository, as_json=as_json))
        _show(_status(opened), as_json=as_json)
        if state.trouble:
            raise typer.Exit(1)
        return
    _show(_status(opened), as_json=as_json)


@app.command()
def status(store: StoreOption = _STORE, as_json: JsonOption = False) -> None:
    """Say what runs, what it could go back to, and what is wrong.

    Example: edgeworthy agent status --json
    """
    _show(_status(_opened(store)), as_json=as_json)


@app.command()
def history(
    store: StoreOption = _STORE,
    last: LastOption = 40,
    as_json: JsonOption = False,
) -> None:
    """Say what ran here, when and why; exit code 4 when the chain of entries is broken.

    Example: edgeworthy agent history --last 10
    """
    from edgeworthy.agent.history import verified_history
    from edgeworthy.cli.agent_output import print_history

    opened = _opened(store)
    opened.settings()
    content = verified_history(opened.history_file, opened.state())
    entries = content.entries[-last:]
    if as_json:
        known = (content.checkpoint,) if content.checkpoint else ()
        print_json([*known, *entries])
    else:
        print_history(content.checkpoint, entries)


@app.command()
def rollback(
    reason: ReasonOption = "asked for at the device",
    store: StoreOption = _STORE,
    as_json: JsonOption = False,
) -> None:
    """Go back to the previous release, which proves itself first.

    Example: edgeworthy agent rollback --reason "the new one flickers"
    """
    from edgeworthy.agent.asking import Question
    from edgeworthy.agent.running import roll_back_once

    opened = _opened(store)
    if _asked(opened, Question(ask="rollback", reason=reason)) is None:
        roll_back_once(opened, reason, _options(None, as_json=as_json))
    _show(_status(opened), as_json=as_json)


@app.command()
def diagnose(store: StoreOption = _STORE, as_json: JsonOption = False) -> None:
    """Look at everything that the device depends on; exit code 1 when there is a problem.

    Example: edgeworthy agent diagnose
    """
    from edgeworthy.agent.diagnosing import diagnose as diagnose_device
    from edgeworthy.cli.agent_output import print_diagnosis

    opened = _opened(store)
    found = _status(opened)
    diagnosis = diagnose_device(opened, found if found.running else None)
    if as_json:
        print_json(diagnosis)
    else:
        print_diagnosis(diagnosis)
    if not diagnosis.healthy:
        raise typer.Exit(1)


@app.command()
def unit(
    store: StoreOption = _STORE,
    user: UserOption = "",
    memory_limit_mib: MemoryOption = 0,
) -> None:
    """Print a hardened systemd unit that runs the agent without root.

    Example: edgeworthy agent unit > /etc/systemd/system/edgeworthy-agent.service
    """
    from edgeworthy.agent.unit import unit_text
    from edgeworthy.errors import UsageError

    beside = Path(sys.executable).with_name("edgeworthy")
    program = (str(beside),) if beside.is_file() else (sys.executable, "-m", "edgeworthy")
    try:
        text = unit_text(program, store.absolute(), user=user, memory_limit_mib=memory_limit_mib)
    except ValueError as error:
        raise UsageError(str(error), next_step="Name a user with --user") from error
    typer.echo(text, nl=False)


def _opened(folder: Path) -> Store:
    from edgeworthy.agent.store import Store

    return Store(folder.absolute())


def _options(repository: list[str] | None, *, as_json: bool) -> RunOptions:
    from edgeworthy.agent.running import RunOptions
    from edgeworthy.cli.agent_output import say

    places = tuple(_place(each) for each in repository or [])
    return RunOptions(repositories=places, say=say(as_json=as_json))


def _place(text: str) -> str:
    """An address as it is, a folder with its whole path."""
    if text.startswith(("http://", "https://")):
        return text
    return str(Path(text.removeprefix("file://")).absolute())


def _read(path: Path) -> bytes:
    from edgeworthy.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _status(store: Store) -> AgentStatus:
    """What the agent that runs says, or what the store says."""
    from edgeworthy.agent.asking import Question
    from edgeworthy.agent.identity import identify
    from edgeworthy.agent.status import status_of
    from edgeworthy.documents.agent import AgentStatus
    from edgeworthy.documents.record import decode_document

    told = _asked(store, Question(ask="status"))
    if told is not None:
        return decode_document(told.encode(), AgentStatus, where="the agent's answer")
    return status_of(store, store.state(), identify())


def _asked(store: Store, question: Question) -> str | None:
    """What the agent that runs answers; absent when none runs."""
    from edgeworthy.agent.asking import ask
    from edgeworthy.errors import ExecutionError, UsageError

    store.settings()
    answer = ask(store.run, question)
    if answer is None:
        return None
    if answer.error:
        kind = UsageError if answer.exit_code == UsageError.exit_code else ExecutionError
        raise kind(answer.error.rstrip("."))
    return answer.data


def _show(status_now: AgentStatus, *, as_json: bool) -> None:
    from edgeworthy.cli.agent_output import print_status

    if as_json:
        print_json(status_now)
    else:
        print_status(status_now)
