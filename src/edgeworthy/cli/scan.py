"""``edgeworthy scan``: is this model file safe to read?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from edgeworthy.cli.options import JsonOption
from edgeworthy.cli.output import console, print_json
from edgeworthy.documents.model_scan import ModelScan

_COLORS = {"clean": "green", "finding": "red", "unscanned": "yellow"}
_INDENT = 12


def scan(
    models: Annotated[list[Path], typer.Argument(help="Model files, of any format.")],
    as_json: JsonOption = False,
) -> None:
    """Scan model files without running anything in them; exit code 1 when something was found.

    Example: edgeworthy scan model.tflite
    """
    from edgeworthy.graph.scan import scan_model

    scans = tuple(scan_model(path) for path in models)
    if as_json:
        print_json(scans)
    else:
        for path, each in zip(models, scans, strict=True):
            print_scan(path, each)
    if any(each.finding_count for each in scans):
        raise typer.Exit(1)


def print_scan(path: Path, found: ModelScan) -> None:
    """One line per check, then what was found."""
    out = console()
    verdict = ("found something", "red") if found.finding_count else ("clean", "green")
    kind = f" ({found.model_format}, {found.artifact[7:19]})"
    out.print(Text.assemble(f"{path}: ", verdict, kind))
    for check in found.checks:
        outcome = (f"{check.outcome:9}", _COLORS[check.outcome])
        out.print(Text.assemble("  ", outcome, f" {check.name}"))
        for text in check.findings:
            out.print(Padding(Text(text), (0, 0, 0, _INDENT)))
