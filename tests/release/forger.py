"""An attacker who can rewrite a release at will, every digest included, but holds no key of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope

from edgeworthy.documents.record import canonical_json
from edgeworthy.documents.statement import PAYLOAD_TYPE
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, Signer, verify_release
from edgeworthy.release.oci import (
    EMPTY_CONFIG,
    INDEX_MEDIA_TYPE,
    LAYOUT,
    MANIFEST_MEDIA_TYPE,
    build_entry,
    build_evidence_manifest,
    build_index,
    describe,
)

JsonPath = tuple[str | int, ...]


@dataclass
class Forgery:
    """A release taken apart: change any part and write it with all digests made to fit.

    Attributes:
        image: The image manifest.
        contents: Configuration and layers.
        envelopes: The seal first.
    """

    image: bytes
    contents: list[bytes]
    envelopes: list[bytes]
    version: str = "1.2.0"

    @classmethod
    def of(cls, folder: Path) -> Forgery:
        entry = json.loads((folder / "index.json").read_bytes())
        index = json.loads(blob(folder, entry["manifests"][0]["digest"]))
        release, *carriers = (blob(folder, each["digest"]) for each in index["manifests"])
        manifest = json.loads(release)
        contents = [manifest["config"], *manifest["layers"]]
        return cls(
            image=release,
            contents=[blob(folder, each["digest"]) for each in contents],
            envelopes=[
                blob(folder, json.loads(carrier)["layers"][0]["digest"]) for carrier in carriers
            ],
        )

    def carriers(self) -> list[bytes]:
        release = describe(self.image, MANIFEST_MEDIA_TYPE)
        return [
            build_evidence_manifest(each, predicate_type_of(each), release)
            for each in self.envelopes
        ]

    def index(self) -> bytes:
        manifests = (self.image, *self.carriers())
        return build_index([describe(each, MANIFEST_MEDIA_TYPE) for each in manifests])

    def write(self, folder: Path, *, index: bytes | None = None, extra: bytes = b"{}") -> None:
        """Write into ``folder`` and leave no other blob there."""
        index = index or self.index()
        blobs = (self.image, *self.contents, *self.envelopes, *self.carriers(), index)
        fill(folder, [*blobs, EMPTY_CONFIG, extra])
        (folder / "index.json").write_bytes(build_entry(index, self.version))
        (folder / "oci-layout").write_bytes(LAYOUT)

    def reseal(self, signer: Signer) -> None:
        """Name whatever evidence there is now: only the holder of a key can."""
        payload = payload_of(self.envelopes[0])
        evidence = [
            {
                "predicate_type": predicate_type_of(each),
                "envelope": digest_bytes(each),
                "size_bytes": len(each),
            }
            for each in self.envelopes[1:]
        ]
        payload["predicate"]["evidence"] = evidence
        self.envelopes[0] = signed(canonical_json(payload), signer)

    def relink(self, changed: bytes, instead_of: bytes) -> None:
        """Name ``changed`` wherever ``instead_of`` was named in the image manifest."""
        was, now = digest_bytes(instead_of), digest_bytes(changed)
        sizes = (f'"size":{len(instead_of)}', f'"size":{len(changed)}')
        text = self.image.decode().replace(was, now)
        self.image = text.replace(*sizes).encode()
        self.contents = [changed if each == instead_of else each for each in self.contents]


def refused(folder: Path, keys: list[Key]) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_release(folder, keys)
    return str(caught.value)


def fill(folder: Path, blobs: list[bytes]) -> None:
    wanted = {digest_bytes(each).removeprefix("sha256:"): each for each in blobs}
    target = folder / "blobs" / "sha256"
    target.mkdir(parents=True, exist_ok=True)
    for path in target.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        if not (target / name).exists():
            (target / name).write_bytes(data)


def blob(folder: Path, digest: str) -> bytes:
    return (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()


def payload_of(envelope: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return payload


def predicate_type_of(envelope: bytes) -> str:
    """What a statement says that it is; nonsense says nothing."""
    try:
        return str(payload_of(envelope)["predicateType"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def with_payload(envelope: bytes, payload: object) -> bytes:
    """The same signature over another statement."""
    fields = json.loads(envelope)
    fields["payload"] = base64.b64encode(canonical_json(payload)).decode()
    return canonical_json(fields)


def signed(payload: bytes, signer: Signer, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Any bytes at all, signed."""
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return canonical_json(envelope.to_dict())


def leaves(value: object, path: JsonPath = ()) -> Iterator[JsonPath]:
    """Every place in some JSON that holds no further places, empty lists and objects included."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def changed_at(value: Any, path: JsonPath) -> Any:  # noqa: ANN401 - any JSON
    """A copy with another value of the same type at one place."""
    place = value
    for step in path:
        place = place[step]
    return put_at(value, path, other_than(place))


def put_at(value: Any, path: JsonPath, item: object) -> Any:  # noqa: ANN401 - any JSON
    """A copy with a given value at one place."""
    copy = json.loads(json.dumps(value))
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = item
    return copy


def other_than(value: object) -> object:
    """Another value of the same type, as an attacker would choose it."""
    changes: dict[type, Callable[[Any], object]] = {
        bool: lambda old: not old,
        int: lambda old: old + 1,
        float: lambda old: old / 2 + 0.25,
        str: lambda old: old[:-1] + ("0" if old[-1:] != "0" else "1"),
        list: lambda _: ["more"],
        dict: lambda _: {"more": 1},
        type(None): lambda _: 0,
    }
    return changes[type(value)](value)


def entry_for(index: bytes) -> bytes:
    """``index.json`` without a tag."""
    return canonical_json(
        {
            "manifests": [
                {
                    "mediaType": INDEX_MEDIA_TYPE,
                    "digest": digest_bytes(index),
                    "size": len(index),
                }
            ],
            "schemaVersion": 2,
        }
    )
