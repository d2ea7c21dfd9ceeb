"""The temperature that travels with a variant, and releases from before it did."""

from __future__ import annotations

import json

import pytest

from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.documents.release import ReleaseManifest
from edgeworthy.errors import InputError
from release.builders import FLOAT_MODEL, manifest_of, released


def written(**changes: object) -> bytes:
    fields = json.loads(encode_document(manifest_of(released("float32", FLOAT_MODEL, "server"))))
    fields["variants"][0].update(changes)
    return json.dumps(fields).encode()


def test_a_temperature_is_read_as_it_was_written() -> None:
    manifest = decode_document(written(temperature=1.7), ReleaseManifest, where="release.json")
    assert manifest.variants[0].temperature == 1.7


def test_a_release_of_version_1_0_changes_no_confidence() -> None:
    fields = json.loads(written())
    del fields["variants"][0]["temperature"]
    fields["schema_version"] = "1.0"
    data = json.dumps(fields).encode()
    assert decode_document(data, ReleaseManifest, where="x").variants[0].temperature == 1.0


@pytest.mark.parametrize("temperature", [0, -1.0, 1e9, "hot", None])
def test_what_is_no_temperature_is_refused(temperature: object) -> None:
    with pytest.raises(InputError, match=r"variants\[0\]\.temperature"):
        decode_document(written(temperature=temperature), ReleaseManifest, where="x")
