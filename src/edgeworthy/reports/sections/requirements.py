"""Every requirement against every variant, the chosen ones first."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.gate import RequirementResult, TargetDecision, Verdict
from edgeworthy.reports.blocks import Block, Cell, Details, Heading, Note, Row, Section, Table
from edgeworthy.reports.formatting import (
    bound_of,
    bound_text,
    digest_short,
    estimate_text,
    requirement_title,
    sample_text,
)
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.marks import interval_mark
from edgeworthy.reports.verdicts import verdict_word, worst_first
from edgeworthy.reports.wording import metric_title, plain, plural, sentence

#: More slices of one requirement than this are gathered in a row when all of them are met.
_MOST_SLICES = 3


def requirements_section(index: BuildIndex) -> Section | None:
    """Every requirement, the chosen variants first, the others folded away."""
    decision = index.record.decision
    if decision is None:
        return None
    blocks: list[Block] = []
    for decided in decision.targets:
        blocks += _target_blocks(index, decided)
    return Section(
        key="requirements",
        title="Requirements",
        lead="Each bound against the whole interval of the measured figure: met when all of the "
        "interval is on the allowed side, failed when none of it is, not settled in between.",
        blocks=tuple(blocks),
    )


def _target_blocks(index: BuildIndex, decided: TargetDecision) -> list[Block]:
    results = worst_first(index.results(decided.target, decided.variant))
    title = plain(f"{decided.target}: {decided.variant}")
    blocks: list[Block] = [Heading(title, note=f"artefact {digest_short(decided.artifact)}")]
    if not results:
        blocks.append(Note("No requirement was held against this variant."))
    else:
        gathered = gathered_table(results, caption=f"Requirements on {title}")
        blocks.append(gathered)
        if len(gathered.rows) < len(results):
            every = requirement_table(results, caption=f"All results on {title}")
            blocks.append(Details(f"All {len(results)} results, slice by slice", (every,)))
    return blocks + _others(index, decided)


def gathered_table(results: Sequence[RequirementResult], *, caption: str) -> Table:
    """One row per requirement where all of its slices are met, else one per result."""
    families: dict[int, list[RequirementResult]] = {}
    for result in results:
        families.setdefault(result.requirement_index, []).append(result)
    rows = []
    for family in families.values():
        met = all(result.verdict is Verdict.PASS for result in family)
        if met and len(family) > _MOST_SLICES:
            closest = min(family, key=_margin)
            title = f"{metric_title(closest.requirement.metric)}, {closest.requirement.slice}"
            note = f"met on all {len(family)} slices; the closest is {closest.slice}"
            rows.append(_row(closest, title=plain(title), note=plain(note)))
        else:
            rows += [_row(result) for result in family]
    return _table(rows, caption=caption)


def _margin(result: RequirementResult) -> float:
    bound = bound_of(result.requirement)
    if bound is None or result.measured is None:
        return float("-inf")
    if result.requirement.at_least is not None:
        return result.measured.low - bound
    return bound - result.measured.high


def _others(index: BuildIndex, decided: TargetDecision) -> list[Block]:
    results = index.record.decision.results if index.record.decision else ()
    names = dict.fromkeys(
        r.variant for r in results if r.target == decided.target and r.variant != decided.variant
    )
    if not names:
        return []
    tables: list[Block] = []
    for name in names:
        rows = worst_first(index.results(decided.target, name))
        passed = sum(row.verdict is Verdict.PASS for row in rows)
        tables.append(Heading(plain(name), note=f"{passed} of {len(rows)} met"))
        tables.append(requirement_table(rows, caption=f"Requirements of {name}"))
    return [Details(f"The other variants: {plain(', '.join(names))}", tuple(tables))]


def requirement_table(results: Sequence[RequirementResult], *, caption: str) -> Table:
    """One row per result."""
    return _table([_row(result) for result in results], caption=caption)


def _table(rows: Sequence[Row], *, caption: str) -> Table:
    columns = ("Requirement", "Bound", "Measured", "Against the bound", "Verdict")
    return Table(caption=plain(caption), columns=columns, rows=tuple(rows))


def _row(result: RequirementResult, *, title: str = "", note: str = "") -> Row:
    tone = result.verdict.value
    bound = bound_of(result.requirement)
    if result.measured is None:
        measured = Cell("not measured", note=f"artefact {digest_short(result.artifact)}")
        mark = Cell("")
    else:
        measured = Cell(
            estimate_text(result.measured, bound=bound),
            note=f"{sample_text(result.measured)}; {digest_short(result.artifact)}",
            hint=result.artifact,
        )
        mark = Cell("", mark=interval_mark(result.measured, result.requirement, tone=tone))
    if result.verdict is not Verdict.PASS:
        note = _reason(result)
    return Row(
        (
            Cell(title or requirement_title(result), note=note),
            Cell(bound_text(result)),
            measured,
            mark,
            Cell(verdict_word(result.verdict), tone=tone),
        )
    )


def _reason(result: RequirementResult) -> str:
    reason = sentence(result.reason)
    if result.samples_needed is None or str(result.samples_needed) in result.reason:
        return reason
    return f"{reason} About {plural(result.samples_needed, 'more sample')} would settle it."
