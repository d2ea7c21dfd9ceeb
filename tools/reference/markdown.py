"""Markdown, in the few forms that the pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Stands at the top of each page, so that nobody edits it by hand.
GENERATED_MARK = "<!-- Written by tools/generate_reference.py from the code; `make docs` again. -->"


def document(title: str, parts: Iterable[str]) -> str:
    """A page: its title, then blocks with an empty line between them."""
    blocks = [GENERATED_MARK, f"# {title}", *(part.strip("\n") for part in parts)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table; empty when there are no rows.

    >>> print(table(["a", "b"], [["1", "2|3"]]))
    | a | b |
    |---|---|
    | 1 | 2\|3 |
    """
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_row(header), "|" + "---|" * len(header), *lines])


def code_block(text: str, language: str) -> str:
    """A fenced block."""
    return f"```{language}\n{text.strip()}\n```"


def code(text: str) -> str:
    """Text as code inside a line."""
    return f"`{text}`"


def alternatives(names: Sequence[str]) -> str:
    """Names as a choice between them.

    >>> alternatives(["npz", "csv", "parquet"])
    '`npz`, `csv` or `parquet`'
    """
    quoted = [code(name) for name in names]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


def _row(cells: Sequence[str]) -> str:
    escaped = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
