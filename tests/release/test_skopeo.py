"""With the real skopeo: what other tools of the OCI world make of a release."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, verify_release
from release.builders import FLOAT_MODEL, SMALL_MODEL
from release.forger import Forgery

pytestmark = pytest.mark.skipif(
    shutil.which("skopeo") is None,
    reason="SKOPEO IS NOT INSTALLED: nothing here was checked (apt-get install skopeo)",
)


def skopeo(*arguments: str, policy: Path) -> str:
    policy_file = policy / "policy.json"
    policy_file.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    return subprocess.run(
        ["skopeo", "--policy", policy_file, *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_inspect_tells_what_it_is(pristine: Path, tmp_path: Path, keys: list[Key]) -> None:
    found: dict[str, Any] = json.loads(skopeo("inspect", f"oci:{pristine}", policy=tmp_path))
    verified = verify_release(pristine, keys)
    assert found["Labels"]["org.opencontainers.image.title"] == "keywords"
    assert found["Labels"]["org.opencontainers.image.version"] == "1.2.0"
    assert found["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert found["Created"] == "2026-05-02T00:00:00Z"
    assert found["Layers"] == [each.digest for each in verified.blobs]
    assert found["Digest"] == verified.index_digest


def test_inspect_finds_it_by_its_version(pristine: Path, tmp_path: Path) -> None:
    assert skopeo("inspect", "--raw", f"oci:{pristine}:1.2.0", policy=tmp_path)


def test_a_copy_with_everything_is_as_good_as_the_release(
    pristine: Path, tmp_path: Path, keys: list[Key]
) -> None:
    target = f"oci:{tmp_path}/copy:1.2.0"
    skopeo("copy", "--all", "--preserve-digests", f"oci:{pristine}", target, policy=tmp_path)
    copied, original = verify_release(tmp_path / "copy", keys), verify_release(pristine, keys)
    assert copied.digest == original.digest
    assert copied.index_digest == original.index_digest
    assert copied.statements == original.statements


def test_a_copy_without_a_tag_is_as_good(pristine: Path, tmp_path: Path, keys: list[Key]) -> None:
    skopeo("copy", "--all", f"oci:{pristine}", f"oci:{tmp_path}/copy", policy=tmp_path)
    verify_release(tmp_path / "copy", keys)


def test_a_plain_copy_takes_the_release_and_leaves_its_evidence(
    pristine: Path, tmp_path: Path, keys: list[Key]
) -> None:
    skopeo("copy", f"oci:{pristine}", f"oci:{tmp_path}/copy:1.2.0", policy=tmp_path)
    entry = json.loads((tmp_path / "copy" / "index.json").read_bytes())
    assert entry["manifests"][0]["digest"] == digest_bytes(Forgery.of(pristine).image)
    with pytest.raises(VerificationError, match="not the index of a release") as caught:
        verify_release(tmp_path / "copy", keys)
    assert "skopeo copy --all" in caught.value.next_step


def test_a_plain_copy_to_a_folder_has_the_models_as_they_are(
    pristine: Path, tmp_path: Path
) -> None:
    skopeo("copy", f"oci:{pristine}", f"dir:{tmp_path}/files", policy=tmp_path)
    for model in (FLOAT_MODEL, SMALL_MODEL):
        path = tmp_path / "files" / digest_bytes(model).removeprefix("sha256:")
        assert path.read_bytes() == model
