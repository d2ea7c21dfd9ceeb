"""``edgeworthy scan``: is this model file safe to read?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.options import JsonOption
from edgeworthy.cli.output import console, print_json
from edgeworthy.documents.model_scan import ModelScan

_COLORS = {"clean": "green", "finding": "red", "unscanned": "yellow"}


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
    verdict = "[red]found something[/red]" if found.finding_count else "[green]clean[/green]"
    out.print(f"{path}: {verdict} ({found.model_format}, {found.artifact[7:19]})", highlight=False)
    for check in found.checks:
        color = _COLORS[check.outcome]
        out.print(f"  [{color}]{check.outcome:9}[/{color}] {check.name}", highlight=False)
        for text in check.findings:
            out.print(f"            {text}", highlight=False, markup=False)
