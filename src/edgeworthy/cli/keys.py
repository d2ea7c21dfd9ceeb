"""``edgeworthy keys``: keys that sign releases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.output import console
from edgeworthy.cli.session import ask_passphrase
from edgeworthy.errors import UsageError

app = typer.Typer(help="Make keys that sign releases.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Make keys that sign releases."""


@app.command()
def create(
    path: Annotated[Path, typer.Argument(help="Where the private key goes; PATH.pub beside it.")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file", help="Read the passphrase from this file.", metavar="FILE"
        ),
    ] = None,
    generate_passphrase: Annotated[
        Path | None,
        typer.Option(
            "--generate-passphrase",
            help="Make a random passphrase and write it to this new file.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Make an ed25519 key pair; the private key is encrypted with a passphrase.

    Example: edgeworthy keys create keys/release
    """
    from edgeworthy.workflow.keys import (
        create_signing_key,
        read_passphrase,
        write_random_passphrase,
    )

    if passphrase_file is not None and generate_passphrase is not None:
        raise UsageError(
            "two sources for the passphrase",
            expected="one of --passphrase-file and --generate-passphrase",
        )
    if generate_passphrase is not None:
        passphrase = write_random_passphrase(generate_passphrase)
    elif passphrase_file is not None:
        passphrase = read_passphrase(passphrase_file)
    else:
        passphrase = _ask_twice()
    public_path = create_signing_key(path, passphrase)
    console().print(
        f"Private key {path} (encrypted; keep it and its passphrase apart)\n"
        f"Public key  {public_path} (give it to whoever verifies)",
        soft_wrap=True,
    )


def _ask_twice() -> bytes:
    passphrase = ask_passphrase("New passphrase: ")
    if passphrase != ask_passphrase("The same again: "):
        raise UsageError("the two passphrases differ", next_step="Run the command again")
    if not passphrase:
        raise UsageError("an empty passphrase", next_step="Choose one that is hard to guess")
    return passphrase
