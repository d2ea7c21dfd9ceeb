"""``edgeworthy trust``: who may vouch for what in a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from edgeworthy.cli.options import JsonOption, PassphraseOption
from edgeworthy.cli.output import console, marked, print_json, table
from edgeworthy.cli.session import passphrase_source

if TYPE_CHECKING:
    from edgeworthy.release.trust import Outcome
    from edgeworthy.workflow.trust import TrustedRepository

app = typer.Typer(help="Say who may vouch for what in a repository.", no_args_is_help=True)

RepositoryArgument: TypeAlias = Annotated[
    Path, typer.Argument(help="The repository: a folder that a web server or a stick can serve.")
]
KeysOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--keys", help="Folder of keys, each file named after its role.", metavar="FOLDER"
    ),
]
ThresholdOption: TypeAlias = Annotated[
    int | None, typer.Option("--threshold", min=1, help="How many of the keys must agree.")
]
_KEYS = Path("trust-keys")


@app.callback()
def trust() -> None:
    """Say who may vouch for what in a repository."""


@app.command()
def init(
    repository: RepositoryArgument,
    keys: KeysOption = _KEYS,
    product: Annotated[
        list[str] | None, typer.Option("--product", help="Name of a project; may be repeated.")
    ] = None,
    create_keys: Annotated[
        bool, typer.Option("--create-keys", help="Make a key for every role that has none.")
    ] = False,
    root_threshold: Annotated[
        int, typer.Option("--root-threshold", min=1, help="How many root keys must agree.")
    ] = 2,
    targets_threshold: Annotated[
        int, typer.Option("--targets-threshold", min=1, help="How many targets keys must agree.")
    ] = 1,
    timestamp_days: Annotated[
        int,
        typer.Option(
            "--timestamp-days",
            min=1,
            help="How long a timestamp counts: how often `trust refresh` must run.",
        ),
    ] = 7,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Begin a repository: root 2 of 3, targets, snapshot, timestamp, director and products.

    Example: edgeworthy trust init repository --create-keys --product digits
    """
    from edgeworthy.release.trust import TrustSettings
    from edgeworthy.release.trust.settings import Lifetimes

    opened = _opened(repository, keys, passphrase_file)
    if create_keys and (made := opened.create_keys(product or [])):
        console().print(
            f"Keys in {keys}: {', '.join(made)}\n"
            "Move the private root and targets keys to places of their own, offline.",
            soft_wrap=True,
        )
    settings = TrustSettings(
        root_threshold=root_threshold,
        targets_threshold=targets_threshold,
        lifetimes=Lifetimes(timestamp=timestamp_days, snapshot=max(30, timestamp_days)),
    )
    print_outcome(opened.init(product or [], settings))


@app.command()
def delegate(
    repository: RepositoryArgument,
    product: Annotated[str, typer.Argument(help="Name of the project.")],
    keys: KeysOption = _KEYS,
    threshold: ThresholdOption = 1,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Let the keys product-NAME.pub vouch for a product.

    Example: edgeworthy trust delegate repository wearable
    """
    opened = _opened(repository, keys, passphrase_file)
    print_outcome(opened.delegate(product, threshold or 1))


@app.command()
def rotate(
    repository: RepositoryArgument,
    role: Annotated[str, typer.Argument(help="root, targets, timestamp, product-NAME and so on.")],
    public: Annotated[
        list[Path],
        typer.Option("--key", "-k", help="Public key from now on; repeat it.", metavar="PUB"),
    ],
    keys: KeysOption = _KEYS,
    threshold: ThresholdOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Give a role other keys, and sign again what it vouches for.

    Example: edgeworthy trust rotate repository timestamp --key trust-keys/timestamp.2.pub
    """
    print_outcome(_opened(repository, keys, passphrase_file).rotate(role, public, threshold))


@app.command()
def revoke(
    repository: RepositoryArgument,
    key: Annotated[str, typer.Argument(help="Public key file, or the beginning of its id.")],
    keys: KeysOption = _KEYS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Take a key away from every role that has it.

    Example: edgeworthy trust revoke repository trust-keys/root.3.pub
    """
    print_outcome(_opened(repository, keys, passphrase_file).revoke(key))


@app.command()
def sign(
    repository: RepositoryArgument,
    keys: KeysOption = _KEYS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Add signatures to a change that waits for them; with enough, it is published.

    Example: edgeworthy trust sign repository --keys my-keys
    """
    print_outcome(_opened(repository, keys, passphrase_file).sign())


@app.command()
def refresh(
    repository: RepositoryArgument,
    keys: KeysOption = _KEYS,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="Also renew this role; may be repeated."),
    ] = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Sign snapshot and timestamp again before they expire; a timer runs this.

    Example: edgeworthy trust refresh repository --passphrase-file online.passphrase
    """
    print_outcome(_opened(repository, keys, passphrase_file).refresh(role or []))


@app.command()
def policy(
    repository: RepositoryArgument,
    file: Annotated[Path, typer.Argument(help="The policy: a TOML file.")],
    signer: Annotated[
        list[Path] | None,
        typer.Option(
            "--signer", help="Public key whose statements count; repeat it.", metavar="PUB"
        ),
    ] = None,
    keys: KeysOption = _KEYS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Publish what a class of devices demands of a release.

    Example: edgeworthy trust policy repository gateways.toml --signer keys/release.pub
    """
    print_outcome(_opened(repository, keys, passphrase_file).policy(file, signer or []))


@app.command()
def assign(
    repository: RepositoryArgument,
    product: Annotated[str, typer.Argument(help="Name of the project.")],
    release_counter: Annotated[int, typer.Argument(min=1, help="Which publication.")],
    to: Annotated[
        list[str],
        typer.Option("--to", help="rings/NAME or devices/NAME; may be repeated."),
    ],
    keys: KeysOption = _KEYS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Assign a published release to rings and devices: the director's word.

    Example: edgeworthy trust assign repository digits 3 --to rings/stable
    """
    opened = _opened(repository, keys, passphrase_file)
    print_outcome(opened.assign(product, release_counter, to))


@app.command()
def withdraw(
    repository: RepositoryArgument,
    product: Annotated[str, typer.Argument(help="Name of the project.")],
    release_counter: Annotated[int, typer.Argument(min=1, help="Which publication.")],
    keys: KeysOption = _KEYS,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Offer a publication no longer, so that not even a stolen director can choose it.

    Example: edgeworthy trust withdraw repository digits 2
    """
    opened = _opened(repository, keys, passphrase_file)
    print_outcome(opened.withdraw(product, release_counter))


@app.command()
def status(
    repository: RepositoryArgument,
    keys: KeysOption = _KEYS,
    as_json: JsonOption = False,
) -> None:
    """Prove a repository from the pinned root, and say what it offers.

    Example: edgeworthy trust status repository
    """
    found = _opened(repository, keys, None).status()
    if as_json:
        print_json(found)
        return
    roles = table("Roles", "role", "version", "expires", "keys", right=("version",))
    for each in found.roles:
        expires = each.expires_at[:10] + (" expired" if each.expired else "")
        agree = f"{each.threshold} of {len(each.keys)}: {', '.join(each.keys)}"
        roles.add_row(each.role, str(each.version), expires, agree)
    console().print(roles)
    offered = table("Publications", "product", "#", "version", "assigned to", right=("#",))
    for publication in found.publications:
        version = publication.version
        if publication.rollback_reason:
            version += f" (rollback: {publication.rollback_reason})"
        offered.add_row(
            publication.product,
            str(publication.release_counter),
            version,
            ", ".join(publication.audiences) or "-",
        )
    console().print(offered)
    if found.policies:
        console().print(f"Device policies: {', '.join(found.policies)}")
    if found.waiting:
        console().print(f"Waiting for signatures: {', '.join(found.waiting)}")


def _opened(repository: Path, keys: Path, passphrase_file: Path | None) -> TrustedRepository:
    from edgeworthy.workflow.trust import TrustedRepository

    return TrustedRepository(repository, keys, passphrase_source(passphrase_file))


def print_outcome(outcome: Outcome) -> None:
    """What became of a change."""
    if outcome.published:
        listed = ", ".join(f"{role} {version}" for role, version in outcome.versions.items())
        console().print(marked("published", "green", listed or "nothing new"), soft_wrap=True)
        return
    listed = ", ".join(f"{role} {count} more" for role, count in outcome.missing.items())
    console().print(
        marked(
            "staged",
            "yellow",
            f"signatures are missing: {listed}\n"
            "Take the folder to the other keys and run `edgeworthy trust sign` there.",
        ),
        soft_wrap=True,
    )
