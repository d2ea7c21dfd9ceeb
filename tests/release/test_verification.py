from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, Signer, verify_release
from release.builders import (
    FLOAT_MODEL,
    GOLDEN,
    NOW,
    REPORT,
    SMALL_MODEL,
    contents_of,
)
from release.forger import Forgery, entry_for


def test_a_release_is_what_was_signed(pristine: Path, keys: list[Key]) -> None:
    verified = verify_release(pristine, keys, now=NOW)
    contents = contents_of()
    assert verified.manifest == contents.manifest
    assert verified.decision == contents.evidence[0].document
    assert {each.variant for each in verified.measurements} == {"float32", "int8"}
    assert {each.variant for each in verified.evaluations} == {"float32", "int8"}
    assert verified.key_ids == (keys[0].keyid,)
    assert verified.expired == ()
    found = {each.title: (each.path.read_bytes(), each.size_bytes) for each in verified.blobs[1:]}
    assert found == {
        "float32.onnx": (FLOAT_MODEL, len(FLOAT_MODEL)),
        "int8.onnx": (SMALL_MODEL, len(SMALL_MODEL)),
        "golden.npz": (GOLDEN, len(GOLDEN)),
        "report.html": (REPORT, len(REPORT)),
    }
    assert all(each.digest == digest_bytes(each.path.read_bytes()) for each in verified.blobs)


def test_the_release_is_named_by_its_image_manifest(pristine: Path, keys: list[Key]) -> None:
    verified = verify_release(pristine, keys)
    assert verified.digest == digest_bytes(Forgery.of(pristine).image)
    assert verified.index_digest == digest_bytes(Forgery.of(pristine).index())


def test_expired_evidence_is_reported_and_not_refused(pristine: Path, keys: list[Key]) -> None:
    late = datetime(2026, 8, 1, tzinfo=UTC)
    verified = verify_release(pristine, keys, now=late)
    assert len(verified.expired) == 4
    assert "The measurement of int8 on gateway expired at 2026-08-01T00:00:00Z." in verified.expired


def test_without_a_clock_nothing_has_expired(pristine: Path, keys: list[Key]) -> None:
    assert verify_release(pristine, keys).expired == ()


def test_one_of_several_accepted_keys_is_enough(
    pristine: Path, keys: list[Key], stranger: Signer
) -> None:
    verified = verify_release(pristine, [stranger.public_key, *keys])
    assert verified.key_ids == (keys[0].keyid,)


@pytest.mark.parametrize("accepted", ["stranger", "none"])
def test_another_key_is_refused(
    pristine: Path, keys: list[Key], stranger: Signer, accepted: str
) -> None:
    chosen = [stranger.public_key] if accepted == "stranger" else []
    with pytest.raises(VerificationError, match="signed by a key that is not accepted") as caught:
        verify_release(pristine, chosen)
    assert caught.value.exit_code == 4
    assert keys[0].keyid[:16] in caught.value.found


def test_a_key_that_steals_the_id_is_refused(
    pristine: Path, keys: list[Key], stranger: Signer
) -> None:
    impostor = type(keys[0]).from_dict(keys[0].keyid, stranger.public_key.to_dict())
    with pytest.raises(VerificationError, match="the signature does not hold"):
        verify_release(pristine, [impostor])


@pytest.mark.parametrize(
    ("where", "make"),
    [
        ("README.md", lambda path: path.write_text("hello")),
        (".hidden", lambda path: path.write_text("hello")),
        ("blobs/sha512", lambda path: path.mkdir()),
        ("blobs/sha256/README.md", lambda path: path.write_text("hello")),
        ("blobs/sha256/" + "A" * 64, lambda path: path.write_text("hello")),
        ("more", lambda path: path.mkdir()),
    ],
)
def test_a_file_that_does_not_belong_is_named(
    release: Path, keys: list[Key], where: str, make: object
) -> None:
    assert callable(make)
    make(release / where)
    with pytest.raises(
        VerificationError, match=r"does not belong.*`edgeworthy release` wrote"
    ) as caught:
        verify_release(release, keys)
    assert caught.value.where == str(release / where)
    assert "`edgeworthy release` wrote" in caught.value.next_step


@pytest.mark.parametrize("name", ["oci-layout", "index.json", "blobs"])
def test_a_missing_part_of_the_layout_is_named(release: Path, keys: list[Key], name: str) -> None:
    (release / name).rename(release.parent / "elsewhere")
    with pytest.raises(VerificationError, match=f"{name} is missing"):
        verify_release(release, keys)


def test_a_layout_without_its_blobs(release: Path, keys: list[Key]) -> None:
    (release / "blobs" / "sha256").rename(release.parent / "elsewhere")
    with pytest.raises(VerificationError, match="sha256 is missing"):
        verify_release(release, keys)


@pytest.mark.parametrize("name", ["oci-layout", "index.json", "blobs", "blobs/sha256"])
def test_a_link_is_refused_wherever_it_points(release: Path, keys: list[Key], name: str) -> None:
    (release / name).rename(release.parent / "elsewhere")
    (release / name).symlink_to(release.parent / "elsewhere")
    with pytest.raises(VerificationError, match="a symbolic link"):
        verify_release(release, keys)


def test_a_link_in_place_of_a_blob_is_refused(release: Path, keys: list[Key]) -> None:
    path = next((release / "blobs" / "sha256").iterdir())
    path.rename(release.parent / "elsewhere")
    path.symlink_to(release.parent / "elsewhere")
    with pytest.raises(VerificationError, match="a symbolic link") as caught:
        verify_release(release, keys)
    assert caught.value.where == str(path)


def test_a_pipe_in_place_of_a_blob_does_not_hang(release: Path, keys: list[Key]) -> None:
    path = next((release / "blobs" / "sha256").iterdir())
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(VerificationError, match="not what it should be"):
        verify_release(release, keys)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_no_folder_at_all(tmp_path: Path, keys: list[Key], kind: str) -> None:
    if kind == "file":
        (tmp_path / "release").write_text("not a folder")
    with pytest.raises(VerificationError, match="not a release"):
        verify_release(tmp_path / "release", keys)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"imageLayoutVersion":"2.0.0"}', "another version of the layout"),
        (b'{"imageLayoutVersion":1}', "not a valid record"),
        (b'{"imageLayoutVersion":"1.0.0","more":1}', "not a valid record"),
        (b'{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}', "occurs twice"),
        (b"[]", "not a JSON object"),
        (b"", "not acceptable JSON"),
        (b"\xff\xfe", "not acceptable JSON"),
        (b"[" * 100_000, "not acceptable JSON"),
        (b" " * (5 << 20), "larger than it may be"),
    ],
)
def test_a_hostile_layout_file(release: Path, keys: list[Key], data: bytes, problem: str) -> None:
    (release / "oci-layout").write_bytes(data)
    with pytest.raises(VerificationError, match=problem):
        verify_release(release, keys)


def entry_of(release: Path) -> dict[str, object]:
    entry: dict[str, object] = json.loads((release / "index.json").read_bytes())["manifests"][0]
    return entry


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"digest": "sha256:../../../etc/passwd"}, "malformed digest"),
        ({"digest": "sha512:" + "0" * 64}, "malformed digest"),
        ({"digest": "sha256:" + "0" * 64}, "a blob is missing"),
        ({"size": -1}, "wrong size"),
        ({"size": 10**30}, "larger than it may be"),
        ({"size": 1.5}, "not a valid record"),
        ({"size": "1"}, "not a valid record"),
        ({"mediaType": "application/vnd.oci.image.manifest.v1+json"}, "not the index of a release"),
        ({"annotations": {"org.opencontainers.image.ref.name": "9.9"}}, "the tag is not"),
        ({"annotations": {"more": "1.2.0"}}, "the tag is not"),
        ({"annotations": {}}, "the tag is not"),
        ({"urls": ["https://example.org"]}, "not a valid record"),
    ],
)
def test_a_hostile_entry(
    release: Path, keys: list[Key], changes: dict[str, object], problem: str
) -> None:
    entry = {"schemaVersion": 2, "manifests": [{**entry_of(release), **changes}]}
    (release / "index.json").write_bytes(json.dumps(entry).encode())
    with pytest.raises(VerificationError, match=problem):
        verify_release(release, keys)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"schemaVersion": 2, "manifests": []}, "a release is one image index"),
        ({"schemaVersion": 1, "manifests": []}, "not an OCI image index"),
        ({"mediaType": "text/plain", "manifests": []}, "not an OCI image index"),
        ({"schemaVersion": 2}, "not a valid record"),
    ],
)
def test_an_entry_that_is_no_index(
    release: Path, keys: list[Key], entry: dict[str, object], problem: str
) -> None:
    (release / "index.json").write_bytes(json.dumps(entry).encode())
    with pytest.raises(VerificationError, match=problem):
        verify_release(release, keys)


def test_a_release_without_a_tag_is_as_good(release: Path, keys: list[Key]) -> None:
    (release / "index.json").write_bytes(entry_for(Forgery.of(release).index()))
    assert verify_release(release, keys).manifest.version == "1.2.0"


def test_a_release_whose_evidence_was_left_behind(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    forgery.envelopes = []
    forgery.write(release)
    with pytest.raises(VerificationError, match="without a signed statement") as caught:
        verify_release(release, keys)
    assert "skopeo copy --all" in caught.value.next_step


def test_an_unreadable_blob_is_an_error_of_ours(
    release: Path, keys: list[Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # root may read everything, so the mode is no test
    with pytest.raises(VerificationError, match="cannot be read: Permission denied"):
        verify_release(release, keys)


def test_the_manifest_of_something_else(release: Path, keys: list[Key]) -> None:
    forgery = Forgery.of(release)
    image = json.loads(forgery.image)
    forgery.image = canonical_json({**image, "artifactType": "application/vnd.other.v1+json"})
    forgery.write(release)
    with pytest.raises(VerificationError, match="not the image manifest of a release"):
        verify_release(release, keys)
