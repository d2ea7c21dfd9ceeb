"""What statements are read as: known kinds, kinds from the future, kinds that lie."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.variant import Recipe, Variant
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import (
    Evidence,
    Key,
    ReleaseContents,
    Signer,
    verify_release,
    write_release,
)
from release.builders import (
    FLOAT_MODEL,
    ORIGINAL,
    contents_of,
    with_evidence,
)
from release.forger import Forgery, payload_of, signed


def refused(folder: Path, contents: ReleaseContents, signer: Signer) -> str:
    with pytest.raises(VerificationError) as caught:
        write_release(folder, contents, signer)
    assert not folder.exists(), "a release that does not hold is never written"
    assert not list(folder.parent.iterdir())
    return str(caught.value)


def made(**changes: object) -> Variant:
    variant = Variant(
        name="float32",
        recipe=Recipe(name="float32", precision="float32"),
        original=ORIGINAL,
        artifact=digest_bytes(FLOAT_MODEL),
        size_bytes=len(FLOAT_MODEL),
    )
    return msgspec.structs.replace(variant, **changes)


def test_how_a_variant_was_made_may_travel(tmp_path: Path, signer: Signer, keys: list[Key]) -> None:
    contents = contents_of()
    making = Evidence(document=made(), subjects=(digest_bytes(FLOAT_MODEL),))
    contents = with_evidence(contents, *contents.evidence, making)
    write_release(tmp_path / "release", contents, signer)
    verified = verify_release(tmp_path / "release", keys)
    assert made() in [each.document for each in verified.statements]


def test_how_a_variant_was_made_must_fit_too(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    making = Evidence(document=made(name="int8"), subjects=(digest_bytes(FLOAT_MODEL),))
    contents = with_evidence(contents, *contents.evidence, making)
    assert "not the variant it names" in refused(tmp_path / "release", contents, signer)


def test_a_statement_of_a_kind_from_the_future_is_kept(
    pristine: Path, tmp_path: Path, signer: Signer, keys: list[Key]
) -> None:
    forgery = Forgery.of(pristine)
    payload = payload_of(forgery.envelopes[1])
    payload["predicateType"] = "urn:edgeworthy:robustness:v1"
    payload["predicate"] = {"kind": "robustness", "schema_version": "1.0", "wind": 3}
    forgery.envelopes.append(signed(canonical_json(payload), signer))
    forgery.reseal(signer)
    forgery.write(tmp_path / "release")
    (unknown,) = [
        each for each in verify_release(tmp_path / "release", keys).statements if not each.document
    ]
    assert unknown.predicate_type == "urn:edgeworthy:robustness:v1"
    assert json.loads(unknown.predicate)["wind"] == 3


@pytest.mark.parametrize("change", ["twice", "another algorithm", "no algorithm"])
def test_a_statement_whose_subjects_are_odd(
    pristine: Path, tmp_path: Path, signer: Signer, keys: list[Key], change: str
) -> None:
    forgery = Forgery.of(pristine)
    payload = payload_of(forgery.envelopes[1])
    first = payload["subject"][0]
    if change == "twice":
        payload["subject"].append(first)
    elif change == "another algorithm":
        first["digest"]["md5"] = "0" * 32
    else:
        first["digest"] = {}
    forgery.envelopes[1] = signed(canonical_json(payload), signer)
    forgery.reseal(signer)
    forgery.write(tmp_path / "release")
    with pytest.raises(VerificationError, match=r"each once|not in this release"):
        verify_release(tmp_path / "release", keys)


@pytest.mark.parametrize(
    ("predicate_type", "kind"),
    [
        ("urn:edgeworthy:robustness:v1", "measurement"),
        ("urn:edgeworthy:robustness:v1", None),
        ("https://slsa.dev/provenance/v1", "provenance"),
        ("urn:edgeworthy:measurement:v1", "evaluation"),
        ("urn:edgeworthy:measurement:v2", "measurement"),
    ],
)
def test_a_statement_that_is_not_what_it_says(
    pristine: Path,
    tmp_path: Path,
    signer: Signer,
    keys: list[Key],
    predicate_type: str,
    kind: str | None,
) -> None:
    forgery = Forgery.of(pristine)
    payload = payload_of(forgery.envelopes[1])
    payload["predicateType"] = predicate_type
    payload["predicate"] = {"kind": kind, "schema_version": "1.0"}
    forgery.envelopes.append(signed(canonical_json(payload), signer))
    forgery.reseal(signer)
    forgery.write(tmp_path / "release")
    if predicate_type.endswith(":v2"):
        verify_release(tmp_path / "release", keys)
        return
    with pytest.raises(VerificationError, match=r"kind|not a document of ours"):
        verify_release(tmp_path / "release", keys)


def test_a_document_of_a_newer_major_version_says_what_to_do(
    pristine: Path, tmp_path: Path, signer: Signer, keys: list[Key]
) -> None:
    forgery = Forgery.of(pristine)
    payload = payload_of(forgery.envelopes[2])
    payload["predicate"]["schema_version"] = "2.0"
    forgery.envelopes[2] = signed(canonical_json(payload), signer)
    forgery.reseal(signer)
    forgery.write(tmp_path / "release")
    with pytest.raises(VerificationError, match="a newer version of") as caught:
        verify_release(tmp_path / "release", keys)
    assert "newer Edgeworthy" in caught.value.next_step


def test_what_the_gate_lists_is_the_digest_of_the_document(pristine: Path, keys: list[Key]) -> None:
    verified = verify_release(pristine, keys)
    documents = (*verified.measurements, *verified.evaluations)
    listed = sorted(digest_bytes(encode_document(each)) for each in documents)
    assert list(verified.decision.evidence) == listed
    assert any(isinstance(each.document, Measurement) for each in verified.statements)
