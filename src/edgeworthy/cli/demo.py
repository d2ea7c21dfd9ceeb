"""``edgeworthy demo``: what there is, shown with real parts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from edgeworthy.cli.output import console, marked, print_hanging

if TYPE_CHECKING:
    from edgeworthy.workflow.demonstration import Kind

app = typer.Typer(help="Show what there is, with real parts.", no_args_is_help=True)
_STYLES = {"command": "dim", "line": "", "good": "green", "bad": "red"}
_WIDEST = 104
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
            out.print()
            passed = f"{time.monotonic() - started:4.0f} s"
            print_hanging(out, Text(passed, "dim"), Text(text, "bold"))
        else:
            mark = Text(f"      {_MARKS[kind]}", _STYLES[kind])
            print_hanging(out, mark, Text(text))

    with tempfile.TemporaryDirectory(prefix="edgeworthy-demo-") as folder:
        columns = min(out.width, _WIDEST) - len("      $ ")
        DeviceDemonstration(Path(folder), tell, columns=columns).run()
    out.print()
    out.print(
        marked("done", "green", f"in {time.monotonic() - started:.0f} s; nothing was left behind")
    )
