"""A build as a comment on a pull request: GitHub Flavored Markdown.

Rules:

1. Short: the verdict, the requirements, the variants; the rest is folded away.
2. Text from outside is escaped: it opens no tag, no link, no mention and no table cell.
3. The tables are those of the HTML report, without the drawings.

Source: GitHub Flavored Markdown Spec, https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.gate import Verdict
from edgeworthy.reports.blocks import Cell, Command, Facts, Note, Section, Table
from edgeworthy.reports.formatting import digest_short
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.sections.flips import flips_text
from edgeworthy.reports.sections.headline import headline
from edgeworthy.reports.sections.model import operators_section
from edgeworthy.reports.sections.requirements import gathered_table
from edgeworthy.reports.sections.tradeoff import figures_table
from edgeworthy.reports.sections.variants import variants_section
from edgeworthy.reports.sections.verification import verification_section
from edgeworthy.reports.verdicts import verdict_word, worst_first
from edgeworthy.reports.wording import date_text, plain, sentence

_SPECIAL = re.compile(r"[\\`*_<>|~&$]|\](?=[(\[:])")
# GitHub looks for these in the rendered text, where a character reference is no hindrance.
_LINKED = re.compile(r"(?i)(?<=[@#])|(?<=http)(?=s?://)|(?<=www)(?=\.)|(?<=gh)(?=-\d)")
_NO_ROOM = "\N{ZERO WIDTH SPACE}"
_MOST_ROWS = 20
_SIGNS = {
    Verdict.PASS: "\N{WHITE HEAVY CHECK MARK}",
    Verdict.FAIL: "\N{CROSS MARK}",
    Verdict.INCONCLUSIVE: "\N{WHITE QUESTION MARK ORNAMENT}",
}
_SIGN_OF_WORD = {verdict_word(verdict): sign for verdict, sign in _SIGNS.items()}


def render_markdown(record: BuildRecord) -> str:
    """The report of a build, short enough for a pull request.

    Args:
        record: All that the build found out.

    Returns:
        GitHub Flavored Markdown; the same for the same record.
    """
    return "\n".join(_lines(BuildIndex(record))).rstrip() + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> escaped("a|b <i> @me")
    'a&#124;b &#60;i&#62; @&#8203;me'
    """
    shown = _LINKED.sub(_NO_ROOM, plain(text))
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", shown).replace(_NO_ROOM, "&#8203;")


def _lines(index: BuildIndex) -> Iterator[str]:
    record, top = index.record, headline(index)
    project = record.project.project
    sign = f"{_SIGNS[record.decision.verdict]} " if record.decision else ""
    yield f"### {sign}{escaped(f'{project.name} {project.version}')}: {top.word.lower()}"
    yield ""
    yield escaped(top.summary)
    for card in top.cards:
        yield ""
        verb = "ships" if card.chosen else "comes closest with"
        yield (
            f"**{escaped(card.name)}** {verb} **{escaped(card.variant or 'no variant')}** "
            f"({digest_short(card.artifact)}). {escaped(card.reason)}"
        )
    yield from _requirements(index)
    yield from _variants(index)
    yield from _details(index)
    yield ""
    yield escaped(f"Edgeworthy {record.tool_version}, {date_text(record.created_at)}.")


def _requirements(index: BuildIndex) -> Iterator[str]:
    decided = index.record.decision.targets if index.record.decision else ()
    for target in decided:
        results = worst_first(index.results(target.target, target.variant))
        if results:
            yield from ("", f"**Requirements on {escaped(target.target)}**", "")
            yield from _table(gathered_table(results, caption=""), left_out="Against the bound")


def _variants(index: BuildIndex) -> Iterator[str]:
    for target in index.targets:
        table = figures_table(index, target)
        if table.rows:
            yield from ("", f"**Variants on {escaped(target)}**", "")
            yield from _table(table)


def _details(index: BuildIndex) -> Iterator[str]:
    for subject in index.subjects:
        flips = subject.evaluation.flips
        if flips is not None:
            where = f"{subject.evaluation.variant} on {', '.join(subject.targets)}"
            yield from _folded(f"Changed predictions: {where}", [escaped(flips_text(flips))])
    for section in (
        operators_section(index),
        variants_section(index),
        verification_section(index),
    ):
        yield from _folded(section.title, _section(section))


def _section(section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Table):
            yield from ("", *_table(block), "")
        elif isinstance(block, Note):
            yield from ("", escaped(sentence(block.text)), "")
        elif isinstance(block, Command):
            # Four spaces make a code block that no backtick in a path can close.
            yield from ("", f"    {plain(block.text)}", "")
        elif isinstance(block, Facts):
            pairs = zip(block.terms, block.items, strict=True)
            yield from (f"- {escaped(term)}: {escaped(item.text)}" for term, item in pairs)


def _folded(summary: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    yield from ("", f"<details><summary>{escaped(summary)}</summary>", "")
    yield from lines
    yield from ("", "</details>")


def _table(table: Table, *, left_out: str = "") -> Iterator[str]:
    kept = [n for n, column in enumerate(table.columns) if column != left_out]
    yield f"| {' | '.join(escaped(table.columns[n]) for n in kept)} |"
    yield f"|{'---|' * len(kept)}"
    for row in table.rows[:_MOST_ROWS]:
        cells = " | ".join(_cell(row.cells[n], strong=row.emphasis and not n) for n in kept)
        yield f"| {cells} |"
    if len(table.rows) > _MOST_ROWS:
        yield from ("", f"and {len(table.rows) - _MOST_ROWS} more in the full report.")


def _cell(cell: Cell, *, strong: bool) -> str:
    text = escaped(cell.text)
    if strong and text:
        text = f"**{text}**"
    if cell.tone in {verdict.value for verdict in Verdict}:
        text = f"{_SIGN_OF_WORD[cell.text]} {text}"
    return f"{text}<br><sub>{escaped(cell.note)}</sub>" if cell.note else text
