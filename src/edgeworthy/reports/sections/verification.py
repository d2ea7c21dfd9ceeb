"""How to check the release, which the report itself cannot prove."""

from __future__ import annotations

import shlex

from edgeworthy.reports.blocks import Block, Cell, Command, Facts, Note, Section
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import plain, plural


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
        Command(f"edgeworthy verify {folder} --key {_public_key(index)}"),
        Note(
            "Take the public key from the publisher, not from the release. The command checks "
            "every blob, every signature, and that each of the "
            f"{plural(count, 'piece')} of evidence speaks of a blob of this release."
        ),
        Facts(terms=("Release",), items=(Cell(plain(record.release_digest), tone="code"),)),
    ]
    return Section(
        key="verify",
        title="How to verify",
        lead="This page is not signed; the release is. Its digest is the one below.",
        blocks=tuple(blocks),
    )


def _public_key(index: BuildIndex) -> str:
    """Where ``edgeworthy keys create`` puts it; a placeholder for a key that is not a file."""
    section = index.record.project.release
    if section is None or ":" in section.key:
        return "PUBLIC_KEY"
    return shlex.quote(f"{plain(section.key)}.pub")


def _why_no_release(index: BuildIndex) -> str:
    if index.record.decision is None:
        return "Nothing was released: the project names no targets."
    if index.record.project.release is None:
        return "Nothing was released: the project file has no [release] section."
    return "Nothing was released: not every requirement is met. There is nothing to verify."
