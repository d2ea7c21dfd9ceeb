"""A project opened for one command: progress on a terminal, the passphrase when it is needed."""

from __future__ import annotations

import contextlib
import getpass
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from edgeworthy.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from edgeworthy.workflow.project import Project
    from edgeworthy.workflow.steps import Progress as ProgressListener


@contextlib.contextmanager
def opened_project(path: Path, *, passphrase_file: Path | None = None) -> Iterator[Project]:
    """The project at ``path``, with progress shown while the block runs."""
    from edgeworthy.workflow.project import Project

    project = Project.load(path)
    folder = project.folder
    declared = project.file.release.passphrase_file if project.file.release else ""
    file = passphrase_file or (folder / declared if declared else None)
    with shown_progress() as progress:
        yield project.attended(progress=progress, passphrase=passphrase_source(file))


@contextlib.contextmanager
def shown_progress() -> Iterator[ProgressListener]:
    """A bar on standard error when that is a terminal, else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _message, _ratio: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Starting", total=None)

        def show(message: str, done_ratio: float | None) -> None:
            total = None if done_ratio is None else 1.0
            bar.update(task, description=message, total=total, completed=done_ratio or 0.0)

        yield show


def refuse_partial(*, partial: bool) -> None:
    """Leave with the code of Ctrl-C when it ended a measurement early.

    Raises:
        Interrupted: It did; what was measured stands above.
    """
    if partial:
        raise Interrupted("stopped by Ctrl-C; what was measured is above, marked as partial")


def ask_passphrase(prompt: str) -> bytes:
    """A passphrase from the terminal.

    Raises:
        UsageError: There is no terminal to ask at.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "a passphrase is needed and there is no terminal to ask at",
            next_step="Give it in a file with --passphrase-file",
        )
    return getpass.getpass(prompt).encode()


def passphrase_source(file: Path | None) -> Callable[[], bytes]:
    """Where the passphrase of private keys comes from, when it is needed."""
    if file is not None:
        from edgeworthy.workflow.keys import read_passphrase

        return lambda: read_passphrase(file)
    return lambda: ask_passphrase("Passphrase of the signing key: ")
