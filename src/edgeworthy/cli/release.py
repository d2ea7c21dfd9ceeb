"""``edgeworthy release``: sign what passed."""

from __future__ import annotations

from pathlib import Path

from edgeworthy.cli.gate import print_decision, refuse_unless_passed
from edgeworthy.cli.options import ExplainOption, JsonOption, PassphraseOption, ProjectOption
from edgeworthy.cli.output import console, print_json, print_outcomes
from edgeworthy.cli.session import opened_project


def release(
    project: ProjectOption = Path(),
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Sign the variants that passed, with their evidence, as an OCI image layout.

    Example: edgeworthy release --passphrase-file keys/passphrase
    """
    with opened_project(project, passphrase_file=passphrase_file) as opened:
        decision = opened.gate()
        released = opened.release()
    if released is None:
        print_decision(decision)
        refuse_unless_passed(decision)
        return
    if as_json:
        print_json({"digest": released.digest, "path": str(released.path)})
        return
    console().print(f"Release {released.digest}\nin {released.path}", soft_wrap=True)
    if explain:
        print_outcomes(opened.outcomes)
