"""``edgeworthy demo``: what there is, shown with real parts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgeworthy.cli.output import console, marked

if TYPE_CHECKING:
    from edgeworthy.workflow.demonstration import Kind

app = typer.Typer(help="Show what there is, with real parts.", no_args_is_help=True)
_STYLES = {"scene": "bold", "command": "dim", "line": "", "good": "green", "bad": "red"}
_MARKS = {"command": "$", "line": " ", "good": "✓", "bad": "✗"}


@app.callback()
def demo() -> None:
    """Show what there is, with real parts."""


@app.command()
def device() -> None:
    """Live through a device's updates in a minute: take, prove, swap, roll back, refuse.

    Three real builds of the digits template, a trust repository behind HTTP, and a real agent.

    All of it lies in a temporary folder, which is removed at the end.

    Example: edgeworthy demo device
    """
    from edgeworthy.workflow.demonstration import DeviceDemonstration

    out = console()
    started = time.monotonic()

    def tell(kind: Kind, text: str) -> None:
        if kind == "scene":
            passed = time.monotonic() - started
            out.print()
            out.print(marked(f"{passed:4.0f} s", "dim", ""), marked(text, "bold", ""))
            return
        out.print(marked(f"      {_MARKS[kind]}", _STYLES[kind], text), soft_wrap=True)

    with tempfile.TemporaryDirectory(prefix="edgeworthy-demo-") as folder:
        DeviceDemonstration(Path(folder), tell).run()
    out.print()
    out.print(
        marked("done", "green", f"in {time.monotonic() - started:.0f} s; nothing was left behind")
    )
