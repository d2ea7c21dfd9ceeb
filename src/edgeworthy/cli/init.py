"""``edgeworthy init``: a project that works, to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.output import console


def init(
    template: Annotated[str, typer.Argument(help="Name of the template: digits or wearable.")],
    folder: Annotated[Path, typer.Argument(help="Where to; must not exist yet.")],
) -> None:
    """Make a project from a template: model, samples and edgeworthy.toml.

    Example: edgeworthy init digits my-digits
    """
    from edgeworthy.workflow.templates import make_project

    made = make_project(template, folder)
    console().print(
        f"Made {made} from the template {template}.\nNext:\n"
        f"  edgeworthy keys create {folder}/keys/release\n"
        f"  edgeworthy build --project {folder}",
        soft_wrap=True,
    )
