"""Whatever a user can name is named on some page.

Rules:

1. Verbs and templates are shown on a page that a person wrote; everything else may stand on a page
   that was generated.
2. The public names of the package stand in the guide to the Python API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

import edgeworthy
from documentation.pages import Page, pages_of
from edgeworthy.devices import profile_names
from edgeworthy.documents.project import ProjectFile
from edgeworthy.workflow.templates import template_names
from reference.command_line import commands, global_options
from reference.errors_page import error_classes
from reference.formats_page import document_kinds
from reference.metrics_page import metric_names
from reference.project_page import tables_of

PYTHON_GUIDE = "docs/guides/python.md"


@dataclass(frozen=True)
class Wanted:
    """A name that must stand on a page.

    Attributes:
        kind: What it is, for the message.
        name: The name.
        place: ``any``, ``written`` for a page that a person wrote, or the path of one page.
    """

    kind: str
    name: str
    place: str = "any"


def missing_mentions(root: Path) -> list[str]:
    """Names that stand on no page, or not where they should."""
    pages = pages_of(root)
    return [
        f"{_where(wanted)}: the {wanted.kind} `{wanted.name}` is not mentioned"
        for wanted in wanted_names()
        if not any(_holds(page, wanted) for page in pages)
    ]


def wanted_names() -> Iterator[Wanted]:
    """Everything that a user can name."""
    for command in commands():
        yield Wanted("verb", command.title, "written")
        for flag in sorted(command.flags):
            yield Wanted("option", flag)
    for option in global_options():
        yield from (Wanted("option", flag) for flag in option.flags)
    for error in error_classes():
        yield from (Wanted("error code", error.code), Wanted("error", error.__name__))
    for kind in document_kinds():
        yield from (Wanted("document", kind.KIND), Wanted("predicate", kind.predicate_type()))
    yield from (Wanted("template", name, "written") for name in template_names())
    yield from (Wanted("device profile", name) for name in profile_names())
    yield from (Wanted("metric", name) for name in metric_names())
    yield from (Wanted("public name", name, PYTHON_GUIDE) for name in edgeworthy.__all__)
    for table in tables_of(ProjectFile, ""):
        yield Wanted("table", table.title, "docs/reference/project-file.md")
        for field in msgspec.structs.fields(table.record):
            yield Wanted("key", field.name, "docs/reference/project-file.md")


def _holds(page: Page, wanted: Wanted) -> bool:
    if wanted.place == "written" and page.generated:
        return False
    if wanted.place not in {"any", "written"} and page.name != wanted.place:
        return False
    return re.search(rf"(?<![\w-]){re.escape(wanted.name)}(?![\w-])", page.text) is not None


def _where(wanted: Wanted) -> str:
    places = {"any": "docs", "written": "README.md and the guides"}
    return places.get(wanted.place, wanted.place)
