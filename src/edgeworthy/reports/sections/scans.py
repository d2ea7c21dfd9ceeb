"""Whether the files are safe to read."""

from __future__ import annotations

from edgeworthy.documents.model_scan import ModelScan, ScanCheck
from edgeworthy.reports.blocks import Block, Cell, Note, Row, Section, Table
from edgeworthy.reports.formatting import digest_short
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import plain, plural

_OUTCOMES = {"clean": "clean", "finding": "found", "unscanned": "not scanned"}


def scans_section(index: BuildIndex) -> Section | None:
    """One row per file; nothing where no file was scanned."""
    scans = index.record.scans
    if not scans:
        return None
    found = sum(scan.finding_count for scan in scans)
    blocks: list[Block] = [_table(index)]
    blocks += [
        Note(f"{_names(index, scan)}: {plain(text)}", tone="fail")
        for scan in scans
        for check in scan.checks
        if check.outcome != "clean"
        for text in check.findings
    ]
    return Section(
        key="scans",
        title="Model files",
        lead=f"{plural(len(scans), 'file')} scanned, {plural(found, 'finding')}. Nothing in them "
        "was run; what could not be looked at counts as a finding.",
        blocks=tuple(blocks),
    )


def _table(index: BuildIndex) -> Table:
    scans = index.record.scans
    checks = [check.name for check in scans[0].checks]
    rows = tuple(
        Row(
            (
                Cell(_names(index, scan), note=digest_short(scan.artifact)),
                Cell(scan.model_format),
                *(_cell(scan, name) for name in checks),
            )
        )
        for scan in scans
    )
    columns = ("File", "Format", *(name.replace("-", " ").capitalize() for name in checks))
    return Table(caption="Scans of model files", columns=columns, rows=rows)


def _cell(scan: ModelScan, name: str) -> Cell:
    found: ScanCheck | None = next((each for each in scan.checks if each.name == name), None)
    if found is None:
        return Cell("none", tone="absent")
    return Cell(_OUTCOMES[found.outcome], tone="pass" if found.outcome == "clean" else "fail")


def _names(index: BuildIndex, scan: ModelScan) -> str:
    names = [each.name for each in index.record.variants if each.artifact == scan.artifact]
    if scan.artifact == index.record.inspection.artifact:
        names.insert(0, "original")
    return plain(", ".join(names)) or digest_short(scan.artifact)
