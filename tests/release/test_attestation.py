from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edgeworthy.documents.record import canonical_json, document_fields
from edgeworthy.documents.statement import PAYLOAD_TYPE
from edgeworthy.errors import SigningKeyError, VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, Signer, attest
from edgeworthy.release.attestation import open_envelope
from edgeworthy.release.signers import CryptoSigner
from release.builders import measurement_of
from release.forger import signed

MODEL = digest_bytes(b"model")
DOCUMENT = measurement_of(MODEL, "int8")


def opened_error(data: bytes, keys: list[Key]) -> str:
    with pytest.raises(VerificationError) as caught:
        open_envelope(data, keys, where="here")
    assert caught.value.where == "here"
    return str(caught.value)


def test_a_statement_says_of_what_and_says_it_whole(signer: Signer, keys: list[Key]) -> None:
    opened = open_envelope(attest(DOCUMENT, {"int8.onnx": MODEL}, signer), keys, where="here")
    assert opened.key_id == keys[0].keyid
    assert opened.statement.predicate_type == "urn:edgeworthy:measurement:v1"
    assert opened.statement.predicate == json.loads(canonical_json(document_fields(DOCUMENT)))
    (subject,) = opened.statement.subject
    assert (subject.name, subject.digest) == ("int8.onnx", {"sha256": MODEL[7:]})


def test_the_form_is_that_of_the_standards(signer: Signer) -> None:
    """Read with nothing but the text of DSSE and in-toto, and checked with nothing but ed25519."""
    envelope = json.loads(attest(DOCUMENT, {"int8.onnx": MODEL}, signer))
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    payload = base64.standard_b64decode(envelope["payload"])
    statement = json.loads(payload)
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    signature = base64.standard_b64decode(envelope["signatures"][0]["sig"])
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    raw = bytes.fromhex(signer.public_key.keyval["public"])
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)


def test_the_same_statement_gives_the_same_bytes(signer: Signer) -> None:
    first = attest(DOCUMENT, {"b": MODEL, "a": digest_bytes(b"")}, signer)
    assert first == attest(DOCUMENT, {"a": digest_bytes(b""), "b": MODEL}, signer)
    assert first == canonical_json(json.loads(first))


def test_a_key_of_a_hardware_token_is_of_another_kind(keys: list[Key]) -> None:
    token = CryptoSigner.generate_ecdsa()
    envelope = attest(DOCUMENT, {"int8.onnx": MODEL}, token)
    assert open_envelope(envelope, [token.public_key, *keys], where="here").key_id
    assert "not accepted" in opened_error(envelope, keys)


def test_a_key_that_does_not_sign_is_an_error_of_ours() -> None:
    class Broken(CryptoSigner):
        def sign(self, payload: bytes) -> Any:  # noqa: ANN401, ARG002 - never returns
            raise RuntimeError("the token was pulled out")

    broken = Broken(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(SigningKeyError, match="the token was pulled out"):
        attest(DOCUMENT, {"int8.onnx": MODEL}, broken)


def fields_of(signer: Signer) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(attest(DOCUMENT, {"int8.onnx": MODEL}, signer))
    return fields


def test_bytes_that_are_not_canonical(signer: Signer, keys: list[Key]) -> None:
    data = json.dumps(fields_of(signer), indent=1).encode()
    assert "not canonical JSON" in opened_error(data, keys)


def test_base64_that_is_not_canonical(signer: Signer, keys: list[Key]) -> None:
    """The last character of a payload with padding can hide bits that decoding drops."""
    payload = b'{"a":1}'
    envelope = json.loads(signed(payload, signer))
    assert envelope["payload"].endswith("fQ==")
    envelope["payload"] = envelope["payload"][:-3] + "R=="
    assert "base64 in the envelope is not canonical" in opened_error(canonical_json(envelope), keys)


@pytest.mark.parametrize("text", ["!!!!", "AAA", "ü", "AA==AA==", "-_-_"])
def test_base64_that_is_none(signer: Signer, keys: list[Key], text: str) -> None:
    data = canonical_json({**fields_of(signer), "payload": text})
    assert "base64" in opened_error(data, keys)


def test_a_signature_that_is_no_signature(signer: Signer, keys: list[Key]) -> None:
    for sig in ("", "AAAA", base64.b64encode(bytes(64)).decode()):
        fields = fields_of(signer)
        fields["signatures"][0]["sig"] = sig
        assert "the signature does not hold" in opened_error(canonical_json(fields), keys)


def test_a_signature_in_hexadecimal_is_refused(signer: Signer, keys: list[Key]) -> None:
    fields = fields_of(signer)
    raw = base64.b64decode(fields["signatures"][0]["sig"])
    fields["signatures"][0]["sig"] = raw.hex()
    opened_error(canonical_json(fields), keys)


def test_another_payload_type_even_when_signed(signer: Signer, keys: list[Key]) -> None:
    data = signed(canonical_json({"_type": "x"}), signer, "text/plain")
    assert "wrong payload type" in opened_error(data, keys)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"_type":"x","subject":[],"predicateType":"x","predicate":{}}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":1,"predicateType":"x"}',
        b'{"_type":"https://in-toto.io/Statement/v1","_type":"https://in-toto.io/Statement/v1"}',
        PAYLOAD_TYPE.encode(),
    ],
)
def test_a_payload_that_is_no_statement_even_when_signed(
    signer: Signer, keys: list[Key], payload: bytes
) -> None:
    opened_error(signed(payload, signer), keys)


@pytest.mark.parametrize("change", [{"more": 1}, {"signatures": None}, {"payload": 1}])
def test_an_envelope_of_another_shape(
    signer: Signer, keys: list[Key], change: dict[str, object]
) -> None:
    data = canonical_json({**fields_of(signer), **change})
    assert "not a valid record" in opened_error(data, keys)
