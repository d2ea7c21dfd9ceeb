"""How records are written and read.

Rules:

1. Records are frozen and compare by value.
2. Canonical JSON: keys sorted, no white space, UTF-8; the same record gives the same bytes.
3. A document states its ``kind`` and ``schema_version``; a reader refuses another kind and a
   newer major version, and ignores fields that a newer minor version added.
4. No NaN and no infinity: what was not measured is absent, not a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import msgspec

from edgeworthy.errors import FormatVersionError, InputError

#: ``sha256:`` and 64 hexadecimal digits.
DIGEST_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")

DocumentT = TypeVar("DocumentT", bound="Document")


#: Who draws documents in notebooks; the workflow names the reports room, which stands above us.
_HTML_RENDERERS: list[Callable[[Document], str | None]] = []


def draw_in_notebooks_with(renderer: Callable[[Document], str | None]) -> None:
    """Say how notebooks are to show documents."""
    _HTML_RENDERERS[:] = [renderer]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen value that crosses a room."""


class Document(Record, frozen=True, kw_only=True):
    """A record that is stored or sent on its own.

    Subclasses set ``KIND`` and may raise ``SCHEMA_VERSION`` (major.minor).
    """

    KIND: ClassVar[str] = ""
    SCHEMA_VERSION: ClassVar[str] = "1.0"

    def _repr_html_(self) -> str | None:
        """How a notebook shows the document, once a renderer is known."""
        return _HTML_RENDERERS[-1](self) if _HTML_RENDERERS else None

    @classmethod
    def predicate_type(cls) -> str:
        """The in-toto predicate type of this kind of document."""
        return f"urn:edgeworthy:{cls.KIND}:v{cls.SCHEMA_VERSION.split('.', 1)[0]}"


class _Header(msgspec.Struct, frozen=True):
    kind: str
    schema_version: str


def canonical_json(value: object) -> bytes:
    """Canonical JSON of any record or of plain values.

    >>> canonical_json({"b": 1, "a": (1, 2)})
    b'{"a":[1,2],"b":1}'
    """
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def encode_document(document: Document) -> bytes:
    """Canonical JSON of a document, with its ``kind`` and ``schema_version`` beside its fields."""
    return canonical_json(document_fields(document))


def document_fields(document: Document) -> dict[str, Any]:
    """The JSON object of a document, for programs that print or nest it."""
    header = {"kind": document.KIND, "schema_version": document.SCHEMA_VERSION}
    # A whole number in a float field equals its float, so it must give the same bytes (rule 2),
    # now and after it has been read back.
    as_declared = msgspec.convert(msgspec.to_builtins(document), type=type(document))
    fields: dict[str, Any] = msgspec.to_builtins(as_declared)
    return {**header, **fields}


def decode_document(data: bytes, document_type: type[DocumentT], *, where: str) -> DocumentT:
    """Read a document of a known kind.

    Args:
        data: JSON text.
        document_type: The kind that must stand there.
        where: What the bytes came from, for the error message.

    Raises:
        FormatVersionError: A newer major version wrote it.
        InputError: It is not JSON, of another kind, or a field is missing or of the wrong type.
    """
    try:
        header = msgspec.json.decode(data, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a document of ours: {error}", where=where) from error
    _check_header(header, document_type, where)
    try:
        return msgspec.json.decode(data, type=document_type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a valid {document_type.KIND}: {error}", where=where) from error


def _check_header(header: _Header, document_type: type[Document], where: str) -> None:
    if header.kind != document_type.KIND:
        raise InputError(
            "another kind of document",
            expected=f"`{document_type.KIND}`",
            found=f"`{header.kind}`",
            where=where,
        )
    ours = int(document_type.SCHEMA_VERSION.split(".", 1)[0])
    major = header.schema_version.split(".", 1)[0]
    if not major.isdecimal():
        raise InputError("malformed schema_version", found=header.schema_version, where=where)
    if int(major) > ours:
        raise FormatVersionError(
            f"a newer version of `{header.kind}`",
            expected=f"{ours}.x",
            found=header.schema_version,
            where=where,
            next_step="Install a newer Edgeworthy to read it",
        )
