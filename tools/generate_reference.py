"""Writes the reference pages from the code, or says which of them are stale.

Rules:

1. The code is the source: a page is a function of what the package says of itself.
2. Deterministic: the same code gives the same bytes on every machine.
3. ``--check`` writes nothing; the exit code is 1 when a page is missing, stale or left over.

Usage: ``python tools/generate_reference.py [--check] [FOLDER]`` (default: docs/reference).
"""

from __future__ import annotations

import sys
from pathlib import Path

from reference import GENERATED_MARK, PAGES

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


def main(arguments: list[str]) -> int:
    """Write or check the pages; returns the exit code."""
    check = "--check" in arguments
    folders = [Path(each) for each in arguments if each != "--check"]
    folder = folders[0] if folders else DEFAULT_FOLDER
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in PAGES.items():
            (folder / name).write_text(page(), encoding="utf-8")
    failures = stale_pages(folder)
    for failure in failures:
        print(f"error: {failure}; run `make docs`")
    print(f"reference: {len(PAGES)} pages, {len(failures)} stale")
    return 1 if failures else 0


def stale_pages(folder: Path) -> list[str]:
    """Pages in ``folder`` that are not what the code says today, one sentence each."""
    failures = []
    for name, page in PAGES.items():
        path = folder / name
        if not path.is_file():
            failures.append(f"{path} is missing")
        elif path.read_text(encoding="utf-8") != page():
            failures.append(f"{path} is stale")
    left_over = (
        path
        for path in sorted(folder.glob("*.md"))
        if path.name not in PAGES and GENERATED_MARK in path.read_text(encoding="utf-8")
    )
    return [*failures, *(f"{path} is left over from an older generator" for path in left_over)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
