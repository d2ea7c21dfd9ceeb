"""``edgeworthy verify``: is this release, byte for byte, what was signed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeworthy.cli.options import JsonOption
from edgeworthy.cli.output import console, marked, note, print_json

if TYPE_CHECKING:
    from edgeworthy.release import VerifiedRelease


def verify(
    folder: Annotated[Path, typer.Argument(help="The release: an OCI image layout.")],
    key: Annotated[
        list[Path],
        typer.Option("--key", "-k", help="Public key; repeat it to accept several.", metavar="PUB"),
    ],
    some_models: Annotated[
        bool,
        typer.Option("--some-models", help="Models may be missing, as on a device that holds one."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove every blob, every signature and every statement of a release; exit code 4 if one fails.

    Example: edgeworthy verify dist/digits-1.0.0 --key keys/release.pub
    """
    from edgeworthy.workflow.verification import verify_folder

    verified = verify_folder(folder, key, some_models=some_models)
    if as_json:
        print_json(_summary(verified))
        return
    out = console()
    out.print(marked("verified", "green", f"{verified.manifest.name} {verified.manifest.version}"))
    out.print(f"{verified.digest}", soft_wrap=True)
    out.print(
        f"{len(verified.blobs)} files, {len(verified.statements)} signed statements, "
        f"variants: {', '.join(each.name for each in verified.manifest.variants)}"
    )
    here = {each.digest for each in verified.blobs}
    absent = [each.name for each in verified.manifest.variants if each.artifact not in here]
    if absent:
        out.print(note(f"not here: {', '.join(absent)}; named and signed all the same"))
    for sentence in verified.expired:
        out.print(note(sentence))


def _summary(verified: VerifiedRelease) -> dict[str, object]:
    return {
        "digest": verified.digest,
        "name": verified.manifest.name,
        "version": verified.manifest.version,
        "verdict": str(verified.decision.verdict),
        "keys": verified.key_ids,
        "files": {each.title: each.digest for each in verified.blobs},
        "statements": [each.predicate_type for each in verified.statements],
        "expired": verified.expired,
    }
