"""How to check the release, which the report itself cannot prove."""

from __future__ import annotations

import shlex

from edgeworthy.reports.blocks import Block, Cell, Command, Facts, Note, Section
from edgeworthy.reports.formatting import plain, plural
from edgeworthy.reports.index import BuildIndex


def verification_section(index: BuildIndex) -> Section:
    """The command that checks the release, or why there is none."""
    record = index.record
    if record.release_digest is None:
        return Section(
            key="verify",
            title="How to verify",
            lead="",
            blocks=(Note(_why_no_release(index)),),
        )
    folder = shlex.quote(plain(record.release_path) or "RELEASE")
    count = len(record.decision.evidence) if record.decision else 0
    blocks: list[Block] = [
        Command(f"edgeworthy verify {folder} --key PUBLIC_KEY"),
        Note(
            "Put the publisher's public key in place of PUBLIC_KEY; take it from the publisher, "
            "not from the release. The command checks every blob, every signature, and that each "
            f"of the {plural(count, 'piece')} of evidence speaks of a blob of this release."
        ),
        Facts(terms=("Release",), items=(Cell(plain(record.release_digest), tone="code"),)),
    ]
    return Section(
        key="verify",
        title="How to verify",
        lead="This page is not signed; the release is. Its digest is the one below.",
        blocks=tuple(blocks),
    )


def _why_no_release(index: BuildIndex) -> str:
    if index.record.decision is None:
        return "Nothing was released: the project names no targets."
    if index.record.project.release is None:
        return "Nothing was released: the project file has no [release] section."
    return "Nothing was released: not every requirement is met. There is nothing to verify."
