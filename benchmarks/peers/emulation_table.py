"""What was foretold and what came, as a table of Markdown, and how it gets onto a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.statistics import clopper_pearson

MARK: Final = "<!-- emulation_actual.py -->"
_CONFIDENCE: Final = 0.95
_SHORT: Final = 12


def table(found: Sequence[dict[str, Any]], host: HostFingerprint) -> Iterator[str]:
    """The rows and what they come to, for the class of the host's CPU."""
    rows = [row for row in found if row["class"] == host.instruction_set]
    sound = [row for row in rows if "n" in row]
    yield f"CPU: {host.cpu_model}, flags {', '.join(f'`{flag}`' for flag in host.cpu_flags)};"
    yield f"class `{host.instruction_set}`."
    yield ""
    yield (
        "| model | file | same largest output (95 % at least) | outputs equal | foretold "
        "| measured | points | digest |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(row) for row in sound)
    yield ""
    yield from _summary(sound)
    for row in rows:
        if "failure" in row:
            yield f"Not emulated: {row['task']}, {row['file']}: {row['failure']}."


def _row(row: dict[str, Any]) -> str:
    n, same = row["n"], row["same"]
    low = clopper_pearson(same, n, confidence=_CONFIDENCE).low
    foretold, measured = row["foretold"] / n, row["measured"] / n
    return (
        f"| {row['task']} | {row['file']} | {same} of {n} ({low:.4f}) "
        f"| {row['equal'] / row['numbers']:.4f} | {foretold:.4f} | {measured:.4f} "
        f"| {(foretold - measured) * 100:+.2f} | {row['digest'][:_SHORT]} |"
    )


def _summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    n, same = sum(row["n"] for row in rows), sum(row["same"] for row in rows)
    equal, numbers = sum(row["equal"] for row in rows), sum(row["numbers"] for row in rows)
    most = max(abs(row["foretold"] - row["measured"]) / row["n"] for row in rows) * 100
    files = len(rows)
    yield (
        f"{files} files, {same:,} of {n:,} the same largest output; {equal:,} of {numbers:,} "
        f"numbers equal bit for bit; metrics differ by at most {most:.2f} points."
    )


def put_on_page(page: Path, lines: Sequence[str]) -> None:
    """Replace what stands behind the mark, up to the next heading or the end.

    Raises:
        ValueError: The page has no such mark.
    """
    before, mark, after = page.read_text().partition(MARK)
    if not mark:
        message = f"{page} has no line `{MARK}`"
        raise ValueError(message)
    kept = after.find("\n## ")
    rest = after[kept:] if kept >= 0 else ""
    page.write_text(before + MARK + "\n\n" + "\n".join(lines).rstrip() + "\n" + rest)
