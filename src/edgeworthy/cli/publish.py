"""``edgeworthy publish``: offer a release to devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.options import JsonOption, PassphraseOption
from edgeworthy.cli.output import console, print_json
from edgeworthy.cli.session import passphrase_source
from edgeworthy.cli.trust import KeysOption, RepositoryArgument, print_outcome


def publish(
    release: Annotated[Path, typer.Argument(help="The release: an OCI image layout.")],
    repository: RepositoryArgument,
    signer: Annotated[
        list[Path],
        typer.Option(
            "--signer", "-s", help="Public key that the release is proven with; repeat it."
        ),
    ],
    keys: KeysOption = Path("trust-keys"),
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Assign it: rings/NAME or devices/NAME; may be repeated."),
    ] = None,
    rollback: Annotated[
        str, typer.Option("--rollback", help="Offer an older version again, and say why.")
    ] = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove a release, copy what is new of it, and offer it under the next release counter.

    Example: edgeworthy publish dist/digits-1.0.0 repository --signer keys/release.pub
    """
    from edgeworthy.workflow.trust import TrustedRepository

    opened = TrustedRepository(repository, keys, passphrase_source(passphrase_file))
    published, outcome = opened.publish(release, signer, to or [], rollback)
    if as_json:
        print_json(
            {
                "product": published.product,
                "version": published.version,
                "release_counter": published.release_counter,
                "manifest": published.manifest,
                "versions": dict(outcome.versions),
                "missing": dict(outcome.missing),
            }
        )
        return
    console().print(
        f"{published.product} {published.version} is publication {published.release_counter}: "
        f"{published.manifest}",
        soft_wrap=True,
    )
    print_outcome(outcome)
