"""What the holder of the key could sign by mistake: nonsense, and statements of strangers."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeworthy.documents.record import canonical_json
from edgeworthy.documents.statement import Statement
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, Signer, verify_release
from edgeworthy.release.statements import decode_predicate
from release.forger import Forgery, leaves, payload_of, put_at, refused, signed

KIND_COUNT = 6  # the seal, one decision, two measurements and two evaluations


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
ANY_BYTES = st.binary(max_size=64) | ANY_JSON.map(lambda value: json.dumps(value).encode())
SOME_FIXTURES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SOME_FIXTURES
@given(data=ANY_BYTES, name=st.sampled_from(["index.json", "oci-layout"]))
def test_any_bytes_as_an_outer_file(release: Path, keys: list[Key], data: bytes, name: str) -> None:
    pristine = (release / name).read_bytes()
    (release / name).write_bytes(data)
    refused(release, keys)
    (release / name).write_bytes(pristine)


@SOME_FIXTURES
@given(data=ANY_BYTES, which=st.integers(1, KIND_COUNT - 1))
def test_any_bytes_as_a_statement_of_the_signer_himself(
    pristine: Path, release: Path, keys: list[Key], signer: Signer, data: bytes, which: int
) -> None:
    """The envelope is in order, the seal names it, the signatures hold; it is nonsense."""
    forgery = Forgery.of(pristine)
    forgery.envelopes[which] = signed(data, signer)
    forgery.reseal(signer)
    forgery.write(release)
    refused(release, keys)


@pytest.mark.parametrize("which", range(1, KIND_COUNT))
def test_nonsense_anywhere_in_a_statement_of_the_signer_himself_is_no_crash(
    release: Path, keys: list[Key], signer: Signer, which: int
) -> None:
    pristine = Forgery.of(release)
    payload = payload_of(pristine.envelopes[which])
    nonsense: list[object] = [None, -1, 10**400, "", "\x00", [], {}, [[[]]], True, "9" * 5000]
    for turn, path in enumerate(leaves(payload)):
        forgery = copy.deepcopy(pristine)
        changed = put_at(payload, path, nonsense[turn % len(nonsense)])
        forgery.envelopes[which] = signed(json.dumps(changed).encode(), signer)
        forgery.reseal(signer)
        forgery.write(release)
        with contextlib.suppress(VerificationError):
            verify_release(release, keys)


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_deep_nesting_signed_by_the_signer_himself_is_no_crash(
    release: Path, keys: list[Key], signer: Signer, depth: int
) -> None:
    forgery = Forgery.of(release)
    payload = canonical_json(payload_of(forgery.envelopes[-1]))
    deep = b'"predicate":{"more":' + b"[" * depth + b"]" * depth + b","
    assert b'"predicate":{' in payload
    forgery.envelopes[-1] = signed(payload.replace(b'"predicate":{', deep, 1), signer)
    forgery.reseal(signer)
    forgery.write(release)
    refused(release, keys)


def test_evidence_of_a_stranger_is_refused_even_when_the_seal_names_it(
    release: Path, keys: list[Key], signer: Signer, stranger: Signer
) -> None:
    for which in range(1, KIND_COUNT):
        forgery = Forgery.of(release)
        payload = canonical_json(payload_of(forgery.envelopes[which]))
        forgery.envelopes[which] = signed(payload, stranger)
        forgery.reseal(signer)
        forgery.write(release)
        message = refused(release, keys)
        assert "signed by a key that is not accepted" in message
        assert digest_bytes(forgery.envelopes[which])[7:] in message
        forgery.envelopes[which] = signed(payload, signer)
        forgery.reseal(signer)
        forgery.write(release)
        verify_release(release, keys)


def test_a_predicate_too_deep_to_write_is_no_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    statement = Statement(subject=(), predicate_type="x", predicate={"deep": deep})
    with pytest.raises(VerificationError, match="nested too deeply"):
        decode_predicate(statement, where="here")


def test_a_version_of_thousands_of_digits_is_no_crash(
    release: Path, keys: list[Key], signer: Signer
) -> None:
    forgery = Forgery.of(release)
    payload = payload_of(forgery.envelopes[2])
    payload["predicate"]["schema_version"] = "9" * 5000
    forgery.envelopes[2] = signed(canonical_json(payload), signer)
    forgery.reseal(signer)
    forgery.write(release)
    assert "not a valid document" in refused(release, keys)


def test_a_seal_of_another_release_by_the_same_signer(
    release: Path, keys: list[Key], signer: Signer
) -> None:
    forgery = Forgery.of(release)
    payload = payload_of(forgery.envelopes[0])
    payload["predicate"]["manifest"] = digest_bytes(b"another release")
    forgery.envelopes[0] = signed(canonical_json(payload), signer)
    forgery.write(release)
    assert "the seal is that of another release" in refused(release, keys)


def test_a_seal_that_leaves_out_a_blob(release: Path, keys: list[Key], signer: Signer) -> None:
    forgery = Forgery.of(release)
    payload = payload_of(forgery.envelopes[0])
    del payload["subject"][0]
    forgery.envelopes[0] = signed(canonical_json(payload), signer)
    forgery.write(release)
    assert "the seal is that of another release" in refused(release, keys)


def test_evidence_that_the_seal_does_not_name(
    release: Path, keys: list[Key], signer: Signer
) -> None:
    forgery = Forgery.of(release)
    payload = payload_of(forgery.envelopes[2])
    payload["predicate"]["seed"] += 1
    forgery.envelopes.append(signed(canonical_json(payload), signer))
    forgery.write(release)
    message = refused(release, keys)
    assert "a statement that the seal does not name" in message
    assert digest_bytes(forgery.envelopes[-1])[7:] in message


def test_a_release_of_nothing(release: Path, keys: list[Key], signer: Signer) -> None:
    forgery = Forgery.of(release)
    forgery.image = canonical_json({**json.loads(forgery.image), "layers": []})
    forgery.contents = forgery.contents[:1]
    payload = payload_of(forgery.envelopes[0])
    payload["predicate"]["manifest"] = digest_bytes(forgery.image)
    payload["subject"] = [
        {"name": "image-manifest", "digest": {"sha256": digest_bytes(forgery.image)[7:]}}
    ]
    forgery.envelopes = [signed(canonical_json(payload), signer)]
    forgery.reseal(signer)
    forgery.write(release)
    assert "a release without layers" in refused(release, keys)
