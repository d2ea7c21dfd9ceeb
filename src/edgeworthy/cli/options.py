"""Options that several verbs share, so that each is explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ProjectOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--project", "-p", help="Folder with edgeworthy.toml, or the file itself.", metavar="PATH"
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of tables.")
]
ExplainOption: TypeAlias = Annotated[
    bool, typer.Option("--explain", help="Say why each step ran or not.")
]
PassphraseOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File with the passphrase of the signing key; otherwise the terminal is asked.",
        metavar="FILE",
    ),
]
JunitOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--junit", help="Also write the decision as JUnit XML.", metavar="FILE"),
]
SarifOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--sarif", help="Also write the decision as SARIF 2.1.0.", metavar="FILE"),
]
