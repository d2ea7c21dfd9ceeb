"""``docs/reference/project-file.md``: every table and key of ``edgeworthy.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import inspect as kinds

from edgeworthy.documents import project as tables
from edgeworthy.documents.project import ProjectFile
from reference.docstrings import docstring_of
from reference.markdown import code, code_block, document, table
from reference.records import OR_NULL, RecordField, fields_of, records_in

_INTRODUCTION = """\
A project is a folder with a file `edgeworthy.toml`; all paths in it are relative to that folder.
The file is read strictly: an unknown key, a missing key or a wrong type is an error that names the
line, the key and, for a misspelt key, the nearest valid one."""

_EXAMPLE_INTRODUCTION = """\
A whole file that uses every table. The templates of `edgeworthy init` are shorter and have a
comment on each part."""

_EXAMPLE = Path(__file__).with_name("example.toml")
_HEADER = re.compile(r"^\[+([^\]]+)\]+$")


@dataclass(frozen=True)
class Table:
    """A table of the project file.

    Attributes:
        name: As in a header, for example ``data.NAME``.
        repeated: Whether it is an array of tables.
        record: What it is decoded to.
    """

    name: str
    repeated: bool
    record: type[msgspec.Struct]

    @property
    def title(self) -> str:
        """Its header."""
        return f"[[{self.name}]]" if self.repeated else f"[{self.name}]"

    @property
    def anchor(self) -> str:
        """The anchor of its heading."""
        return self.name.replace(".", "").lower()


def project_page() -> str:
    """The page."""
    every = list(tables_of(ProjectFile, ""))
    overview = table(
        ["table", "what it is"],
        [[f"[`{each.title}`](#{each.anchor})", _summary(each)] for each in every],
    )
    top = [each for each in fields_of(ProjectFile, _link) if not list(records_in(each.kind))]
    parts = [_INTRODUCTION, overview, "## Keys above the first table", _keys(top)]
    for each in every:
        parts += [f"## `{each.title}`", _summary(each), *_body(each)]
    parts += ["## Example", _EXAMPLE_INTRODUCTION, code_block(_example(), "toml")]
    return document("The project file", parts)


def is_table(record: type) -> bool:
    """Whether a record is a table of the project file."""
    return record.__module__ == tables.__name__


def tables_of(record: type[msgspec.Struct], prefix: str) -> Iterator[Table]:
    """The tables below a table, each before those inside it."""
    for each in fields_of(record, _link):
        for inner in records_in(each.kind):
            named = isinstance(each.kind, kinds.DictType)
            name = f"{prefix}{each.name}.NAME" if named else f"{prefix}{each.name}"
            yield Table(name, isinstance(each.kind, kinds.VarTupleType), inner)
            yield from tables_of(inner, f"{name}.")


def _summary(each: Table) -> str:
    _, _, text = docstring_of(each.record).summary.partition(": ")
    return text[:1].upper() + text[1:]


def _body(each: Table) -> Iterator[str]:
    yield docstring_of(each.record).description
    yield _keys([one for one in fields_of(each.record, _link) if not list(records_in(one.kind))])
    yield code_block(_example_of(each), "toml")


def _keys(fields: list[RecordField]) -> str:
    return table(
        ["key", "type", "default", "what it is"],
        [
            [
                code(each.name),
                each.type_text.removesuffix(OR_NULL),
                each.default_text,
                each.description,
            ]
            for each in fields
        ],
    )


def _link(record: type) -> str:
    return code(record.__name__)


def _example() -> str:
    return _EXAMPLE.read_text(encoding="utf-8")


def _example_of(wanted: Table) -> str:
    """The first part of the example under a header of that form."""
    pattern = re.compile(re.escape(wanted.name).replace("NAME", r"[\w-]+"))
    taken: list[str] = []
    taking = False
    for line in _example().splitlines():
        header = _HEADER.match(line)
        if header:
            if taken:
                break
            taking = bool(pattern.fullmatch(header[1]))
        if taking:
            taken.append(line)
    if not taken:
        raise ValueError(f"the example has no {wanted.title}")
    return "\n".join(taken)
