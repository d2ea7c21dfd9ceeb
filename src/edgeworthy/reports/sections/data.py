"""The samples that were used."""

from __future__ import annotations

from edgeworthy.documents.dataset import DatasetSummary
from edgeworthy.reports.blocks import Block, Cell, Details, Note, Row, Section, Table
from edgeworthy.reports.formatting import digest_short, share_text
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.marks import share_mark
from edgeworthy.reports.sections.subjects import class_name
from edgeworthy.reports.wording import plain


def data_section(index: BuildIndex) -> Section:
    """One row per data set, its labels and slices folded below."""
    datasets = index.record.datasets
    if not datasets:
        return Section("data", "Data sets", "", (Note("No data set was used."),))
    blocks: list[Block] = [_table(datasets)]
    blocks += [_counts(index, entry) for entry in datasets if entry.label_counts or entry.slices]
    return Section(
        key="data",
        title="Data sets",
        lead="Known by the digest of their samples, labels and slices, not by their file.",
        blocks=tuple(blocks),
    )


def _table(datasets: tuple[DatasetSummary, ...]) -> Table:
    return Table(
        caption="Data sets",
        columns=("Name", "Samples", "Digest", "Format", "License", "Origin"),
        rows=tuple(
            Row(
                (
                    Cell(plain(entry.reference.name)),
                    Cell(f"{entry.reference.sample_count:,}", tone="number"),
                    Cell(
                        digest_short(entry.reference.digest),
                        tone="code",
                        hint=entry.reference.digest,
                    ),
                    Cell(plain(entry.data_format)),
                    Cell(plain(entry.license) or "not declared"),
                    Cell(plain(entry.origin) or "not declared"),
                )
            )
            for entry in datasets
        ),
    )


def _counts(index: BuildIndex, entry: DatasetSummary) -> Details:
    groups = [
        (f"label = {class_name(index, position)}", count)
        for position, count in enumerate(entry.label_counts)
    ]
    groups += [(f"{plain(s.column)} = {plain(s.value)}", s.sample_count) for s in entry.slices]
    total = entry.reference.sample_count
    rows = tuple(
        Row(
            (
                Cell(name),
                Cell(f"{count:,}", tone="number"),
                Cell(share_text(count, total), mark=share_mark(count, total)),
            )
        )
        for name, count in groups
    )
    table = Table(
        caption=f"Labels and slices of {plain(entry.reference.name)}",
        columns=("Group", "Samples", "Share"),
        rows=rows,
    )
    return Details(f"Labels and slices of {plain(entry.reference.name)}", (table,))
