"""Docstrings in Google style, taken apart."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields|Source|Example):(.*)$")
_ENTRY = re.compile(r"^(\w+): (.*)$")
_ROLE = re.compile(r":\w+:`~?([^`]+)`")


@dataclass(frozen=True)
class Docstring:
    """What a docstring says.

    Attributes:
        summary: Its first paragraph, in Markdown.
        description: The paragraphs after that, before the first section.
        attributes: Description by name, from ``Attributes:``.
        example: What follows ``Example:``; empty when there is none.
    """

    summary: str
    description: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    example: str = ""


def docstring_of(thing: object) -> Docstring:
    """The docstring of a class or a function.

    Raises:
        ValueError: It has none.
    """
    text = inspect.cleandoc(thing.__doc__ or "")  # its own, not one that it inherits
    if not text:
        raise ValueError(f"{thing} has no docstring")
    return parse(text)


def parse(text: str) -> Docstring:
    r"""Take a docstring apart.

    >>> parsed = parse("Adds.\n\nAttributes:\n    left: One\n        more line.\n")
    >>> parsed.summary, parsed.attributes
    ('Adds.', {'left': 'One more line.'})
    """
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in text.splitlines():
        header = _SECTION.match(line)
        if header:
            current = header[1]
            sections[current] = [header[2].strip()]
        elif line.startswith(">>>"):
            current = "doctest"
            sections[current] = []
        else:
            sections[current].append(line)
    summary, _, description = "\n".join(sections[""]).strip().partition("\n\n")
    return Docstring(
        summary=markdown_of(summary),
        description=markdown_of(description.strip()),
        attributes=_entries(sections.get("Attributes", [])),
        example=" ".join(" ".join(sections.get("Example", [])).split()),
    )


def markdown_of(text: str) -> str:
    """Quotes and roles of reStructuredText as those of Markdown.

    >>> markdown_of("``a`` and :class:`~edgeworthy.errors.InputError`")
    '`a` and `InputError`'
    """
    without_roles = _ROLE.sub(lambda match: f"`{match[1].rsplit('.', 1)[-1]}`", text)
    return without_roles.replace("``", "`")


def _entries(lines: list[str]) -> dict[str, str]:
    entries: dict[str, list[str]] = {}
    name = ""
    for line in inspect.cleandoc("\n" + "\n".join(lines)).splitlines():
        start = _ENTRY.match(line)
        if start:
            name = start[1]
            entries[name] = [start[2]]
        elif name:
            entries[name].append(line.strip())
    return {key: markdown_of(" ".join(parts).strip()) for key, parts in entries.items()}
