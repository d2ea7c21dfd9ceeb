"""What could take the place of float, whether it may, and what stands in the way."""

from __future__ import annotations

from edgeworthy.documents.gate import TargetDecision
from edgeworthy.documents.harm import CheckedVariant, LayerRemark
from edgeworthy.reports.blocks import Block, Cell, Heading, Note, Row, Section, Table
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import plain, sentence

_LEAD = (
    "A variant takes the place of float only if its loss is shown to lie within the margin, and if "
    "it is faster or smaller as the target asks."
)


def harm_section(index: BuildIndex) -> Section | None:
    """Per target: the checks, and the reasons layer by layer."""
    decision = index.record.decision
    checked = [each for each in decision.targets if each.harm] if decision else []
    if not checked:
        return None
    blocks = [block for target in checked for block in _target(index, target)]
    return Section(key="harm", title="Do no harm", lead=_LEAD, blocks=tuple(blocks))


def _target(index: BuildIndex, target: TargetDecision) -> list[Block]:
    blocks: list[Block] = [
        Heading(plain(target.target)),
        Table(
            caption=f"Whether variants may take the place of float on {plain(target.target)}",
            columns=("Variant", "Verdict", "Why"),
            rows=tuple(_row(target, each) for each in target.harm),
        ),
    ]
    for each in index.record.explanations:
        if each.target == target.target and each.remarks:
            blocks.append(Note(f"What stands in the way of {plain(each.variant)}, layer by layer:"))
            blocks.append(remark_table(each.remarks))
    return blocks


def _row(target: TargetDecision, checked: CheckedVariant) -> Row:
    harmless = checked.check.harmless
    word = "may replace float" if harmless else "may not replace float"
    if checked.variant == target.variant and not harmless:
        word = "ships: float does not meet the requirements"
    return Row(
        cells=(
            Cell(plain(checked.variant)),
            Cell(word, tone="" if harmless else "caution"),
            Cell(sentence(plain(checked.check.sentence))),
        ),
        emphasis=checked.variant == target.variant,
    )


def remark_table(remarks: tuple[LayerRemark, ...]) -> Table:
    """Reasons, one layer a row."""
    return Table(
        caption="Why integers do not help more",
        columns=("Layer", "What", "Why"),
        rows=tuple(
            Row(
                cells=(
                    Cell(plain(each.node) or "the machine", tone="code"),
                    Cell(each.kind.replace("-", " ")),
                    Cell(sentence(plain(each.sentence))),
                )
            )
            for each in remarks
        ),
    )
