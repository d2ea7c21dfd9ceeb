"""Links and anchors lead somewhere, and so do the pages that error messages name."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from documentation.pages import Page, pages_of, without_code

INDEX = "docs/index.md"

_TARGET = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")
_NAMED = re.compile(r"\bdocs/[\w./-]+?\.(?:md|svg)\b")


def broken_links(root: Path) -> list[str]:
    """Relative links whose file or anchor does not exist."""
    pages = {page.path.resolve(): page for page in pages_of(root)}
    failures = []
    for page in pages.values():
        for number, line in page.prose:
            for target in _TARGET.findall(without_code(line)):
                problem = _problem(page, unquote(target), pages)
                if problem:
                    failures.append(f"{page.name}:{number}: {problem}")
    return failures


def unlisted_pages(root: Path) -> list[str]:
    """Pages in ``docs`` that the map of the documentation does not lead to."""
    pages = pages_of(root)
    index = next((page for page in pages if page.name == INDEX), None)
    if index is None:
        return [f"{INDEX} is missing"]
    listed = {
        (index.path.parent / target.partition("#")[0]).resolve()
        for _, line in index.prose
        for target in _TARGET.findall(without_code(line))
    }
    return [
        f"{page.name}: {INDEX} does not lead to it"
        for page in pages
        if page.name.startswith("docs/") and page is not index and page.path.resolve() not in listed
    ]


def missing_pages(root: Path) -> list[str]:
    """Pages that the code names, in messages and comments, and that do not exist."""
    failures = []
    for path in sorted((root / "src").rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            failures += [
                f"{path.relative_to(root).as_posix()}:{number}: {name} does not exist"
                for name in _NAMED.findall(line)
                if not (root / name).is_file()
            ]
    return failures


def _problem(page: Page, target: str, pages: dict[Path, Page]) -> str:
    if _ELSEWHERE.match(target):
        return ""
    name, _, anchor = target.partition("#")
    path = (page.path.parent / name).resolve() if name else page.path.resolve()
    if not path.exists():
        return f"the link to {target} leads nowhere"
    if anchor and path in pages and anchor not in pages[path].anchors:
        return f"there is no heading for {target}"
    return ""
