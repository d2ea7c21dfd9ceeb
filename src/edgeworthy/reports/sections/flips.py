"""Predictions that changed against the original, with the worst of them as pictures."""

from __future__ import annotations

from markupsafe import Markup

from edgeworthy.documents.evaluation import FlippedSample, Flips
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Details,
    Note,
    Row,
    SampleCard,
    SampleCards,
    Section,
    Table,
)
from edgeworthy.reports.formatting import number
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.pictures import picture
from edgeworthy.reports.sections.subjects import class_name, heading_of
from edgeworthy.reports.wording import plain, plural

# With the corruptions, and in the table of slices.
_TOLD_ELSEWHERE = frozenset({"corruption-loss", "weak-slice", "hurt-slice"})
_MOST_SAMPLES = 12
_MOST_ROWS = 12


def flips_section(index: BuildIndex) -> Section | None:
    """How many predictions changed, and the worst of them."""
    blocks: list[Block] = []
    for subject in index.subjects:
        flips = subject.evaluation.flips
        if flips is None:
            continue
        blocks += [heading_of(subject), Note(flips_text(flips))]
        blocks += [
            Note(plain(each.sentence))
            for each in subject.evaluation.findings
            if each.kind not in _TOLD_ELSEWHERE
        ]
        if flips.samples:
            cards = tuple(_card(index, sample) for sample in flips.samples[:_MOST_SAMPLES])
            blocks.append(SampleCards(cards))
        if flips.changed_count and flips.slices:
            blocks.append(_slice_table(subject.evaluation.variant, flips))
        if flips.pairs:
            table = _pair_table(index, subject.evaluation.variant, flips)
            blocks.append(Details("Which classes were exchanged", (table,)))
    if not blocks:
        return None
    return Section(
        key="flips",
        title="Changed predictions",
        lead="Samples that the original and the variant put in different classes. Equal accuracy "
        "can hide many of them.",
        blocks=tuple(blocks),
    )


def _slice_table(variant: str, flips: Flips) -> Table:
    rows = tuple(
        Row(
            (
                Cell(plain(each.slice), note=plural(each.sample_count, "sample")),
                Cell(f"{each.negative_count:,}", tone="number"),
                Cell(f"{each.positive_count:,}", tone="number"),
                Cell(f"at most {each.negative_flip_limit:.1%}", tone="number"),
                Cell(number(each.adjusted_p_value), tone="number"),
            )
        )
        for each in flips.slices[:_MOST_ROWS]
    )
    return Table(
        caption=f"Where {plain(variant)} lost most: all limits hold together with 95 % "
        "confidence; p is McNemar's, corrected for the number of slices (Holm)",
        columns=("Slice", "Lost", "Gained", "Share that may be lost", "p"),
        rows=rows,
    )


def _pair_table(index: BuildIndex, variant: str, flips: Flips) -> Table:
    rows = tuple(
        Row(
            (
                Cell(class_name(index, pair.before)),
                Cell(class_name(index, pair.after)),
                Cell(f"{pair.changed_count:,}", tone="number"),
                Cell(f"{pair.negative_count:,}", tone="number"),
                Cell(f"{pair.positive_count:,}", tone="number"),
            )
        )
        for pair in flips.pairs[:_MOST_ROWS]
    )
    return Table(
        caption=f"Classes that {plain(variant)} gives instead of the original's",
        columns=("The original says", "The variant says", "Samples", "Lost", "Gained"),
        rows=rows,
    )


def flips_text(flips: Flips) -> str:
    """How many predictions changed, in words."""
    if not flips.changed_count:
        return "No prediction changed."
    return (
        f"{plural(flips.changed_count, 'prediction')} changed: {flips.negative_count} from right "
        f"to wrong, {flips.positive_count} from wrong to right. Exact McNemar test that both are "
        f"equally likely: p = {number(flips.mcnemar_p_value)}."
    )


def _card(index: BuildIndex, sample: FlippedSample) -> SampleCard:
    name = class_name(index, sample.label)
    kind = "other"
    if sample.before == sample.label:
        kind = "worse"
    elif sample.after == sample.label:
        kind = "better"
    raw = next((p for p in index.record.pictures if p.index == sample.index), None)
    description = f"Sample {sample.index}, {name}"
    return SampleCard(
        title=f"#{sample.index}: {name}",
        picture=picture(raw, description=description) if raw else Markup(),
        before=f"{class_name(index, sample.before)} ({sample.confidence_before:.0%})",
        after=f"{class_name(index, sample.after)} ({sample.confidence_after:.0%})",
        kind=kind,
    )
