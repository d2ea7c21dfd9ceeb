"""A release as a device holds it: one model of several, and everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeworthy.cli.main import run
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import Key, verify_release
from edgeworthy.release.trust.layout import blob_path
from release.builders import FLOAT_MODEL, GOLDEN, SMALL_MODEL


def without(release: Path, *contents: bytes) -> Path:
    for content in contents:
        (release / blob_path(digest_bytes(content))).unlink()
    return release


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ((), {"float32.onnx", "int8.onnx"}),
        ((FLOAT_MODEL,), {"int8.onnx"}),
        ((FLOAT_MODEL, SMALL_MODEL), set[str]()),
    ],
)
def test_models_may_be_missing_and_stay_signed(
    release: Path, keys: list[Key], gone: tuple[bytes, ...], left: set[str]
) -> None:
    verified = verify_release(without(release, *gone), keys, some_models=True)
    titles = {each.title for each in verified.blobs}
    assert titles == {"release.json", "golden.npz", "report.html", *left}
    assert {each.artifact for each in verified.manifest.variants} == {
        digest_bytes(FLOAT_MODEL),
        digest_bytes(SMALL_MODEL),
    }


def test_nothing_else_may_be_missing(release: Path, keys: list[Key]) -> None:
    without(release, FLOAT_MODEL, GOLDEN)
    with pytest.raises(VerificationError, match="a blob is missing"):
        verify_release(release, keys, some_models=True)


def test_a_model_that_is_there_is_proven(release: Path, keys: list[Key]) -> None:
    path = without(release, FLOAT_MODEL) / blob_path(digest_bytes(SMALL_MODEL))
    path.chmod(0o644)
    path.write_bytes(SMALL_MODEL.swapcase())
    with pytest.raises(VerificationError, match="the content was changed"):
        verify_release(release, keys, some_models=True)


def test_a_model_of_another_release_is_not_taken_for_one_that_is_missing(
    release: Path, keys: list[Key]
) -> None:
    other = b"a model that nobody signed"
    (without(release, FLOAT_MODEL) / blob_path(digest_bytes(other))).write_bytes(other)
    with pytest.raises(VerificationError, match="does not belong to this release"):
        verify_release(release, keys, some_models=True)


def test_the_verb_takes_a_release_as_a_device_holds_it(
    release: Path, keys: list[Key], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "release.json"
    key_file.write_text(json.dumps({"keyid": keys[0].keyid, **keys[0].to_dict()}))
    folder = str(without(release, FLOAT_MODEL))
    assert run(["verify", folder, "--key", str(key_file)]) == 4
    assert "--some-models" in capsys.readouterr().err
    assert run(["verify", folder, "--key", str(key_file), "--some-models"]) == 0
    assert "not here: float32" in capsys.readouterr().out
