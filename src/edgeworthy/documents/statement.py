"""in-toto Statement v1: a document bound to the digest of the artefact that it speaks of.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

from typing import Any

import msgspec

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement speaks of.

    Attributes:
        name: For people.
        digest: ``{"sha256": hexadecimal digits}``.
    """

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto Statement v1: a document bound to the artefacts that it speaks of.

    Attributes:
        type_: ``https://in-toto.io/Statement/v1``.
        subject: The artefacts.
        predicate_type: What kind of document the predicate is.
        predicate: The document's JSON object.
    """

    type_: str = msgspec.field(name="_type", default=STATEMENT_TYPE)
    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]
