"""Evidence: a document, bound to the artefacts that it speaks of, signed.

Rules:

1. A statement is an in-toto Statement v1; its predicate is the JSON object of one document and
   its predicate type is that of the document's kind.
2. An envelope is DSSE with exactly one signature, in canonical JSON: one statement and one key
   give one sequence of bytes (where the key's scheme is deterministic, as ed25519 is).
3. Nothing is read out of an envelope before a signature of an accepted key over all of it holds.

Sources: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as SignatureError

from edgeworthy.documents.record import Document, canonical_json, document_fields
from edgeworthy.documents.statement import PAYLOAD_TYPE, STATEMENT_TYPE, Statement, Subject
from edgeworthy.errors import SigningKeyError, VerificationError
from edgeworthy.release.signers import Key, Signature, Signer
from edgeworthy.release.strict_json import convert_strictly, parse_strictly

#: Largest envelope that is read.
LARGEST_ENVELOPE_BYTES = 64 << 20


class _SignatureFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _EnvelopeFields(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"payload_type": "payloadType"}
):
    payload: str
    payload_type: str
    signatures: tuple[_SignatureFields, ...]


@dataclass(frozen=True, kw_only=True)
class OpenedStatement:
    """What an envelope held, and whose signature vouches for it."""

    statement: Statement
    key_id: str


def attest(document: Document, subjects: Mapping[str, str], signer: Signer) -> bytes:
    """Sign a document about some artefacts.

    Args:
        document: What is said.
        subjects: What it is said of: name to digest (``sha256:...``).
        signer: Whose word it is.

    Returns:
        A DSSE envelope in canonical JSON.

    Raises:
        SigningKeyError: The key refused to sign.
    """
    statement = Statement(
        subject=tuple(
            Subject(name=name, digest={"sha256": digest.removeprefix("sha256:")})
            for name, digest in sorted(subjects.items())
        ),
        predicate_type=document.predicate_type(),
        predicate=document_fields(document),
    )
    envelope = Envelope(canonical_json(statement), PAYLOAD_TYPE, {})
    try:
        envelope.sign(signer)
    except Exception as error:  # each kind of signer has errors of its own, a driver's included
        raise SigningKeyError(f"the key did not sign: {error}") from error
    return canonical_json(envelope.to_dict())


def open_envelope(data: bytes, public_keys: Sequence[Key], *, where: str) -> OpenedStatement:
    """Check the signature of an envelope and read the statement inside.

    Args:
        data: The envelope.
        public_keys: Keys whose word is accepted.
        where: What the bytes came from, for the error message.

    Raises:
        VerificationError: Not a canonical envelope, not signed by an accepted key, or not an
            in-toto statement.
    """
    parsed = parse_strictly(data, where=where, largest_bytes=LARGEST_ENVELOPE_BYTES)
    fields = convert_strictly(parsed, _EnvelopeFields, where=where)
    if canonical_json(fields) != data:
        raise VerificationError("the envelope is not canonical JSON", where=where)
    if len(fields.signatures) != 1:
        raise VerificationError(
            "wrong number of signatures",
            expected="exactly one",
            found=str(len(fields.signatures)),
            where=where,
        )
    if fields.payload_type != PAYLOAD_TYPE:
        raise VerificationError(
            "wrong payload type", expected=PAYLOAD_TYPE, found=fields.payload_type[:80], where=where
        )
    payload = _decode_base64(fields.payload, where=where)
    _check_signature(fields, payload, public_keys, where)
    return OpenedStatement(
        statement=_read_statement(payload, where), key_id=fields.signatures[0].keyid
    )


def _check_signature(
    fields: _EnvelopeFields, payload: bytes, public_keys: Sequence[Key], where: str
) -> None:
    key_id = fields.signatures[0].keyid
    accepted = [key for key in public_keys if key.keyid == key_id]
    if not accepted:
        ours = ", ".join(key.keyid[:16] for key in public_keys) or "none"
        raise VerificationError(
            "signed by a key that is not accepted",
            expected=f"one of the keys {ours}",
            found=key_id[:16],
            where=where,
        )
    signature = Signature(key_id, _decode_base64(fields.signatures[0].sig, where=where).hex())
    envelope = Envelope(payload, fields.payload_type, {key_id: signature})
    try:
        envelope.verify(accepted, threshold=1)
    except SignatureError as error:
        raise VerificationError(
            f"the signature does not hold for key {key_id[:16]}", where=where
        ) from error


def _read_statement(payload: bytes, where: str) -> Statement:
    parsed = parse_strictly(payload, where=where, largest_bytes=LARGEST_ENVELOPE_BYTES)
    statement = convert_strictly(parsed, Statement, where=where)
    if statement.type_ != STATEMENT_TYPE:
        raise VerificationError(
            "another kind of statement",
            expected=STATEMENT_TYPE,
            found=statement.type_[:80],
            where=where,
        )
    return statement


def _decode_base64(text: str, *, where: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise VerificationError("malformed base64 in the envelope", where=where) from error
    if base64.b64encode(data).decode("ascii") != text:
        raise VerificationError("base64 in the envelope is not canonical", where=where)
    return data
