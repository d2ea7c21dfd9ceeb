"""Markdown pages, as far as the checks look into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reference.markdown import GENERATED_MARK

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_CODE_SPAN = re.compile(r"(`+)(.+?)\1")
_FOLDERS = ("docs", "examples", "benchmarks", "src")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        info: What stands behind the fence, for example ``python runnable``.
        text: What is inside.
        line: Number of its first line, from 1.
    """

    info: str
    text: str
    line: int

    @property
    def language(self) -> str:
        """The first word of the info."""
        return self.info.split(" ", 1)[0]


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        path: Where it lies.
        root: The repository's folder.
        text: Its Markdown.
    """

    path: Path
    root: Path
    text: str

    @property
    def name(self) -> str:
        """Its path inside the repository."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def generated(self) -> bool:
        """Whether it was written by the tools."""
        return self.text.startswith(GENERATED_MARK)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its fenced blocks."""
        return tuple(block for block, _ in self._parts if block is not None)

    @cached_property
    def prose(self) -> tuple[tuple[int, str], ...]:
        """Its lines outside fenced blocks, with their numbers."""
        return tuple(numbered for _, numbered in self._parts if numbered is not None)

    @cached_property
    def code_spans(self) -> tuple[tuple[int, str], ...]:
        """Code inside lines, with the numbers of the lines."""
        return tuple(
            (number, span[2].strip())
            for number, line in self.prose
            for span in _CODE_SPAN.finditer(line)
        )

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Anchors of its headings, as code hosts make them."""
        found: dict[str, int] = {}
        for _, line in self.prose:
            heading = _HEADING.match(line)
            if heading:
                slug = _slug(heading[1])
                found[slug] = found.get(slug, -1) + 1
        repeated = (
            f"{slug}-{number}" for slug, last in found.items() for number in range(1, last + 1)
        )
        return frozenset([*found, *repeated])

    @cached_property
    def _parts(self) -> tuple[tuple[Block | None, tuple[int, str] | None], ...]:
        return tuple(_parts(self.text))


def pages_of(root: Path) -> list[Page]:
    """Every Markdown page of a repository, in order."""
    paths = [*root.glob("*.md")]
    for folder in _FOLDERS:
        paths += (root / folder).rglob("*.md")
    return [Page(path, root, path.read_text(encoding="utf-8")) for path in sorted(paths)]


def without_code(line: str) -> str:
    """A line with its code spans blanked out, so that only Markdown is left."""
    return _CODE_SPAN.sub(lambda span: "x" * len(span[0]), line)


def _parts(text: str) -> Iterator[tuple[Block | None, tuple[int, str] | None]]:
    opened: re.Match[str] | None = None
    first, inside = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, first, inside = fence, number + 1, []
        elif opened is None:
            yield None, (number, line)
        elif fence and fence["fence"].startswith(opened["fence"]) and not fence["info"].strip():
            yield Block(opened["info"].strip(), _dedented(inside, opened["indent"]), first), None
            opened = None
        else:
            inside.append(line)


def _dedented(lines: list[str], indent: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in lines) + "\n"


def _slug(heading: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
