"""Every bit that an attacker can change, with and without making the digests fit."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, Signer, verify_release, write_release
from edgeworthy.release.oci import build_entry, build_index, describe
from release.builders import contents_of, with_evidence
from release.forger import (
    Forgery,
    blob,
    changed_at,
    leaves,
    payload_of,
    refused,
    signed,
    with_payload,
)

KIND_COUNT = 6  # the seal, one decision, two measurements and two evaluations


def blob_names(pristine: Path) -> list[str]:
    return sorted(path.name for path in (pristine / "blobs" / "sha256").iterdir())


def flip(data: bytes, position: int, bit: int = 1) -> bytes:
    return data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :]


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    "flip the first bit": lambda data: flip(data, 0),
    "flip a bit in the middle": lambda data: flip(data, len(data) // 2, 0x20),
    "flip the last bit": lambda data: flip(data, len(data) - 1, 0x80),
    "cut the last byte": lambda data: data[:-1],
    "cut everything": lambda _: b"",
    "add a byte": lambda data: data + b"\n",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_blob_changed_in_turn_is_named(release: Path, keys: list[Key], attack: str) -> None:
    names = blob_names(release)
    assert len(names) == 21
    for name in names:
        path = release / "blobs" / "sha256" / name
        data = path.read_bytes()
        path.write_bytes(ATTACKS[attack](data))
        assert name in refused(release, keys)
        path.write_bytes(data)
    verify_release(release, keys)


def test_every_blob_removed_in_turn_is_named(release: Path, keys: list[Key]) -> None:
    titles = {each.digest: each.title for each in verify_release(release, keys).blobs}
    for name in blob_names(release):
        path = release / "blobs" / "sha256" / name
        data = path.read_bytes()
        path.unlink()
        message = refused(release, keys)
        assert titles.get(f"sha256:{name}", name) in message
        assert "missing" in message
        path.write_bytes(data)


def test_every_blob_under_the_name_of_another_is_named(release: Path, keys: list[Key]) -> None:
    names = blob_names(release)
    folder = release / "blobs" / "sha256"
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes((folder / other).read_bytes())
        assert name in refused(release, keys)
        (folder / name).write_bytes(data)


def test_an_extra_blob_is_named(release: Path, keys: list[Key]) -> None:
    extra = b"a model that nobody signed"
    Forgery.of(release).write(release, extra=extra)
    assert digest_bytes(extra) in refused(release, keys)


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_every_byte_of_the_outer_files_counts(release: Path, keys: list[Key], name: str) -> None:
    path = release / name
    data = path.read_bytes()
    for position in range(len(data)):
        for bit in (0x01, 0x20, 0x80):
            path.write_bytes(flip(data, position, bit))
            assert str(release) in refused(release, keys)
    path.write_bytes(data)
    verify_release(release, keys)


def test_every_byte_of_the_index_counts_when_the_digest_is_made_to_fit(
    release: Path, keys: list[Key]
) -> None:
    forgery = Forgery.of(release)
    index = forgery.index()
    for position in range(0, len(index), 5):
        forgery.write(release, index=flip(index, position))
        refused(release, keys)
    forgery.write(release)
    verify_release(release, keys)


@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_every_byte_of_a_carrier_counts_when_the_digests_are_made_to_fit(
    release: Path, keys: list[Key], which: int
) -> None:
    forgery = Forgery.of(release)
    pristine = [forgery.image, *forgery.carriers()]
    for position in range(which, len(pristine[1 + which]), 11):
        manifests = list(pristine)
        manifests[1 + which] = flip(manifests[1 + which], position)
        write_manifests(forgery, manifests, release)
        refused(release, keys)


def write_manifests(forgery: Forgery, manifests: list[bytes], release: Path) -> None:
    media_type = "application/vnd.oci.image.manifest.v1+json"
    index = build_index([describe(each, media_type) for each in manifests])
    for data in (*manifests, index):
        name = digest_bytes(data).removeprefix("sha256:")
        (release / "blobs" / "sha256" / name).write_bytes(data)
    (release / "index.json").write_bytes(build_entry(index, forgery.version))


def test_every_byte_of_the_image_manifest_counts_when_the_digests_are_made_to_fit(
    release: Path, keys: list[Key]
) -> None:
    forgery = Forgery.of(release)
    image = forgery.image
    for position in range(0, len(image), 7):
        forgery.image = flip(image, position)
        forgery.write(release)
        refused(release, keys)


def test_every_content_counts_when_the_digests_are_made_to_fit(
    release: Path, keys: list[Key]
) -> None:
    pristine = Forgery.of(release)
    for content in pristine.contents:
        forgery = copy.deepcopy(pristine)
        forgery.relink(flip(content, len(content) // 2), content)
        forgery.write(release)
        message = refused(release, keys)
        assert "not in this release" in message or "another release" in message


@pytest.mark.parametrize("signer_name", ["old signature", "stranger", "stranger with our key id"])
@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_every_field_of_every_statement_counts(
    release: Path, keys: list[Key], stranger: Signer, which: int, signer_name: str
) -> None:
    pristine = Forgery.of(release)
    envelope = pristine.envelopes[which]
    payload = payload_of(envelope)
    places = list(leaves(payload))
    assert len(places) > 15
    stride = 1 if signer_name == "old signature" else 7
    for path in places[::stride]:
        changed = changed_at(payload, path)
        forgery = copy.deepcopy(pristine)
        forgery.envelopes[which] = forge(envelope, changed, signer_name, stranger)
        forgery.write(release)
        refused(release, keys)


def forge(envelope: bytes, payload: object, signer_name: str, stranger: Signer) -> bytes:
    if signer_name == "old signature":
        return with_payload(envelope, payload)
    resigned = signed(canonical_json(payload), stranger)
    if signer_name == "stranger":
        return resigned
    fields = json.loads(resigned)
    fields["signatures"][0]["keyid"] = json.loads(envelope)["signatures"][0]["keyid"]
    return canonical_json(fields)


@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_every_field_of_every_envelope_counts(release: Path, keys: list[Key], which: int) -> None:
    pristine = Forgery.of(release)
    fields = json.loads(pristine.envelopes[which])
    for path in leaves(fields):
        if path == ("payload",):
            continue  # each of its fields is changed above
        forgery = copy.deepcopy(pristine)
        forgery.envelopes[which] = canonical_json(changed_at(fields, path))
        forgery.write(release)
        refused(release, keys)


@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_every_statement_removed_in_turn_is_noticed(
    release: Path, keys: list[Key], which: int
) -> None:
    forgery = Forgery.of(release)
    removed = forgery.envelopes.pop(which)
    forgery.write(release)
    message = refused(release, keys)
    if which == 0:
        assert "the first statement of a release is its seal" in message
    else:
        assert digest_bytes(removed) in message
        assert "is missing" in message


@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_an_unsigned_statement_is_refused(release: Path, keys: list[Key], which: int) -> None:
    forgery = Forgery.of(release)
    fields = json.loads(forgery.envelopes[which])
    forgery.envelopes[which] = canonical_json({**fields, "signatures": []})
    forgery.write(release)
    message = refused(release, keys)
    assert "wrong number of signatures" in message or "the seal names is missing" in message


def test_a_second_signature_is_refused(release: Path, keys: list[Key], stranger: Signer) -> None:
    forgery = Forgery.of(release)
    fields = json.loads(forgery.envelopes[0])
    more = json.loads(signed(canonical_json(payload_of(forgery.envelopes[0])), stranger))
    fields["signatures"] += more["signatures"]
    forgery.envelopes[0] = canonical_json(fields)
    forgery.write(release)
    assert "wrong number of signatures" in refused(release, keys)


def test_statements_in_another_order_are_noticed(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    forgery.envelopes[2:4] = reversed(forgery.envelopes[2:4])
    forgery.write(release)
    assert "in its order" in refused(release, keys)


def test_a_statement_twice_is_noticed(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    forgery.envelopes.append(forgery.envelopes[-1])
    forgery.write(release)
    refused(release, keys)


def test_evidence_swapped_between_two_variants_is_noticed(release: Path, keys: list[Key]) -> None:
    """Subjects exchanged: each measurement then speaks of the other artefact."""
    pristine = Forgery.of(release)
    measured = [
        index
        for index, each in enumerate(pristine.envelopes)
        if payload_of(each)["predicateType"] == "urn:edgeworthy:measurement:v1"
    ]
    payloads = [payload_of(pristine.envelopes[index]) for index in measured]
    payloads[0]["subject"], payloads[1]["subject"] = payloads[1]["subject"], payloads[0]["subject"]
    for index, payload in zip(measured, payloads, strict=True):
        pristine.envelopes[index] = with_payload(pristine.envelopes[index], payload)
    pristine.write(release)
    refused(release, keys)


def test_evidence_swapped_by_the_signer_himself_is_noticed(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    decision, first, second, *others = contents.evidence
    swapped = (
        type(first)(document=first.document, subjects=second.subjects),
        type(first)(document=second.document, subjects=first.subjects),
    )
    with pytest.raises(VerificationError, match="one artefact and its document of another"):
        write_release(
            tmp_path / "release", with_evidence(contents, decision, *swapped, *others), signer
        )


@pytest.mark.parametrize("which", range(KIND_COUNT))
def test_evidence_of_another_release_by_the_same_signer_is_noticed(
    release: Path, tmp_path: Path, keys: list[Key], signer: Signer, which: int
) -> None:
    write_release(tmp_path / "other", contents_of(version="1.3.0", seed=1), signer)
    forgery, other = Forgery.of(release), Forgery.of(tmp_path / "other")
    forgery.envelopes[which] = other.envelopes[which]
    forgery.write(release)
    refused(release, keys)


def test_the_models_of_another_release_by_the_same_signer_are_noticed(
    release: Path, tmp_path: Path, keys: list[Key], signer: Signer
) -> None:
    write_release(tmp_path / "other", contents_of(version="1.3.0"), signer)
    forgery, other = Forgery.of(release), Forgery.of(tmp_path / "other")
    forgery.image, forgery.contents = other.image, other.contents
    forgery.version = "1.3.0"
    forgery.write(release)
    assert "not in this release" in refused(release, keys)


def test_a_digest_that_is_a_path_is_not_followed(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    name = digest_bytes(forgery.contents[2])
    forgery.image = forgery.image.replace(name.encode(), b"sha256:" + b"../" * 21 + b"x")
    forgery.write(release)
    refused(release, keys)


def test_the_forger_can_write_a_release_that_holds(release: Path, keys: list[Key]) -> None:
    """Otherwise the tests above would prove nothing."""
    forgery = Forgery.of(release)
    forgery.write(release)
    assert verify_release(release, keys).digest == digest_bytes(forgery.image)
    assert blob(release, digest_bytes(forgery.image)) == forgery.image


def test_a_changed_carrier_is_named(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    manifests = [forgery.image, *forgery.carriers()]
    carrier = json.loads(manifests[3])
    manifests[3] = canonical_json({**carrier, "artifactType": "application/vnd.other.v1+json"})
    write_manifests(forgery, manifests, release)
    message = refused(release, keys)
    assert "the manifest that carries a statement was changed" in message
    assert digest_bytes(manifests[3]) in message


def test_a_carrier_of_two_statements(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    manifests = [forgery.image, *forgery.carriers()]
    carrier = json.loads(manifests[2])
    carrier["layers"] *= 2
    manifests[2] = canonical_json(carrier)
    write_manifests(forgery, manifests, release)
    assert "not the carrier of a signed statement" in refused(release, keys)


def test_a_release_manifest_that_is_not_the_first_layer(
    release: Path, keys: list[Key], signer: Signer
) -> None:
    forgery = Forgery.of(release)
    image = json.loads(forgery.image)
    image["layers"] = image["layers"][1:] + image["layers"][:1]
    forgery.image = canonical_json(image)
    payload = payload_of(forgery.envelopes[0])
    payload["predicate"]["manifest"] = digest_bytes(forgery.image)
    for subject in payload["subject"]:
        if subject["name"] == "image-manifest":
            subject["digest"] = {"sha256": digest_bytes(forgery.image)[7:]}
    forgery.envelopes[0] = signed(canonical_json(payload), signer)
    forgery.write(release)
    assert "the first layer is not the release manifest" in refused(release, keys)
