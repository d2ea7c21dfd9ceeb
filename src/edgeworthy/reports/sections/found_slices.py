"""Slices that nobody declared, as a table with intervals."""

from __future__ import annotations

from edgeworthy.documents.evaluation import Evaluation, FoundSlice
from edgeworthy.reports.blocks import Block, Cell, Note, Row, Table
from edgeworthy.reports.formatting import estimate_text, number
from edgeworthy.reports.wording import plain

_SMALLEST_TOLD = 0.001
_KINDS = {
    "weak": "{figure}; errs more than the rest",
    "hurt": "{figure} lost against the original; hurt more than the rest",
}


def found_blocks(entry: Evaluation) -> list[Block]:
    """A table of what was found; a sentence when nothing was; nothing where nobody searched."""
    if "slices" not in entry.examined:
        return []
    if not entry.found_slices:
        sentence = "A search over columns, classes and properties of the inputs found no slice "
        return [Note(f"{sentence}in which this file is worse than in the rest.")]
    return [
        Table(
            caption=f"Slices found in {plain(entry.variant)}",
            columns=("Found slice", "Samples", "There", "Elsewhere", "Chance"),
            rows=tuple(_row(each, _figure(entry)) for each in entry.found_slices),
        )
    ]


def _figure(entry: Evaluation) -> str:
    return "accuracy" if entry.task == "classification" else "mean loss"


def _row(found: FoundSlice, figure: str) -> Row:
    p_value = found.adjusted_p_value
    chance = number(p_value, 3) if p_value >= _SMALLEST_TOLD else f"under {_SMALLEST_TOLD:g}"
    return Row(
        (
            Cell(plain(found.slice), note=_KINDS[found.kind].format(figure=figure)),
            Cell(f"{found.sample_count:,}", tone="number"),
            Cell(estimate_text(found.figure), tone="number"),
            Cell(estimate_text(found.rest), tone="number"),
            Cell(chance, tone="number", hint=f"over {found.looked_at:,} slices looked at"),
        )
    )
