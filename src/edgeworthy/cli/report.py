"""``edgeworthy report``: the whole story on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from edgeworthy.cli.options import ExplainOption, JsonOption, PassphraseOption, ProjectOption
from edgeworthy.cli.output import console, print_json, print_outcomes
from edgeworthy.cli.session import opened_project


def report(
    project: ProjectOption = Path(),
    output: Annotated[
        Literal["files", "markdown"],
        typer.Option(
            "--format", help="files: HTML and Markdown beside the release; markdown: print it."
        ),
    ] = "files",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Draw the report: one HTML file that needs no network, and Markdown for a pull request.

    Example: edgeworthy report --format markdown
    """
    with opened_project(project, passphrase_file=passphrase_file) as opened:
        made = opened.report()
    if as_json:
        print_json(made.record)
    elif output == "markdown":
        typer.echo(made.markdown)
    else:
        console().print(f"Report in {made.html_path}\nand {made.markdown_path}", soft_wrap=True)
        if explain:
            print_outcomes(opened.outcomes)
