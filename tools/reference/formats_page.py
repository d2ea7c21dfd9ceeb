"""``docs/reference/formats.md``: every document, field by field."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import msgspec

from edgeworthy import documents
from edgeworthy.documents.record import Document
from edgeworthy.documents.statement import Statement
from reference.docstrings import docstring_of
from reference.markdown import code, document, table
from reference.project_page import is_table
from reference.records import fields_of, records_in

_INTRODUCTION = """\
A *document* is a record that is stored or sent on its own. It is canonical JSON (keys sorted, no
white space, UTF-8) with two more fields in front: `kind`, and `schema_version` as `major.minor`.
A reader refuses another kind and a newer major version, and ignores fields that a newer minor
version added. There is no NaN and no infinity: what is absent is `null`.

Digests are `sha256:` and 64 hexadecimal digits. Dates are RFC 3339 in UTC. Documents that are
evidence travel as the predicate of a signed in-toto Statement, under their predicate type; the
[release format](release-format.md) says where each lies. With `--json`, the
[command line](cli.md) prints these documents."""


def formats_page() -> str:
    """The page."""
    kinds = document_kinds()
    overview = table(
        ["kind", "version", "predicate type", "what it is"],
        [
            [
                f"[`{each.KIND}`](#{each.KIND})",
                each.SCHEMA_VERSION,
                code(each.predicate_type()),
                docstring_of(each).summary,
            ]
            for each in kinds
        ],
    )
    parts = [_INTRODUCTION, overview]
    for each in kinds:
        parts += [f"## {each.KIND}", *_described(each)]
    parts += ["## Statement", *_described(Statement)]
    parts += ["## Records inside documents"]
    for record in _nested([*kinds, Statement]):
        parts += [f"### {record.__name__}", *_described(record)]
    return document("Formats", parts)


def document_kinds() -> list[type[Document]]:
    """Every kind of document, sorted by its name."""
    for module in pkgutil.iter_modules(documents.__path__):
        importlib.import_module(f"{documents.__name__}.{module.name}")
    return sorted(_subclasses(Document), key=lambda each: each.KIND)


def _subclasses(parent: type[Document]) -> Iterator[type[Document]]:
    for each in parent.__subclasses__():
        if each.__module__.startswith(documents.__name__):
            yield each
        yield from _subclasses(each)


def _nested(roots: list[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    """Records inside the roots that have no section of their own yet, sorted by name."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting = list(roots)
    while waiting:
        current = waiting.pop()
        for field in fields_of(current, _link):
            for record in records_in(field.kind):
                if record not in roots and not is_table(record) and record.__name__ not in found:
                    found[record.__name__] = record
                    waiting.append(record)
    return [found[name] for name in sorted(found)]


def _described(record: type[msgspec.Struct]) -> Iterator[str]:
    described = docstring_of(record)
    yield described.summary
    yield described.description
    yield table(
        ["field", "type", "what it is"],
        [[code(each.name), each.type_text, each.description] for each in fields_of(record, _link)],
    )


def _link(record: type) -> str:
    if is_table(record):
        return f"[a table of the project file](project-file.md) ({code(record.__name__)})"
    anchor = record.KIND if issubclass(record, Document) else record.__name__.lower()
    return f"[{code(record.__name__)}](#{anchor})"
