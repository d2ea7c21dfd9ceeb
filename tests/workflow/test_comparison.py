"""Two models compared on the project's samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from bands import ProjectFolder, band_model
from edgeworthy.documents.model_comparison import ModelComparison
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import ModelFileError, UsageError, VerificationError

Command = Callable[..., tuple[int, str, str]]


def blind_model(path: Path) -> None:
    """The same model, but it takes the bottom band for the middle one."""
    band_model(path)
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "weights":
            weights = numpy_helper.to_array(tensor).copy()
            weights[:, 1] += weights[:, 2]
            weights[:, 2] = 0.0
            tensor.CopyFrom(numpy_helper.from_array(weights, "weights"))
    onnx.save(model, path)


@pytest.fixture
def blind(built: ProjectFolder) -> Path:
    path = built.path / "blind.onnx"
    blind_model(path)
    return path


def test_two_files_are_compared(built: ProjectFolder, blind: Path) -> None:
    made = built.load().compare(built.path / "model.onnx", blind)
    assert (made.old.variant, made.new.variant) == ("model.onnx", "blind.onnx")
    assert made.new.original == made.old.artifact
    assert made.old.flips is None
    assert made.new.flips is not None
    assert made.new.flips.negative_count == 39
    assert [(each.before, each.after) for each in made.new.flips.pairs] == [(1, 2)]
    assert "negative-flips" in {each.kind for each in made.new.findings}
    assert [each.slice for each in made.new.found_slices if each.kind == "hurt"] == ["class=middle"]
    assert decode_document(encode_document(made), ModelComparison, where="test") == made


def test_a_release_is_compared_with_a_file(built: ProjectFolder, blind: Path) -> None:
    release = built.path / "dist" / "bands-1.0.0"
    made = built.load().compare(release, blind)
    assert made.old.variant.startswith("bands 1.0.0 ")
    assert made.new.original == made.old.artifact
    again = built.load().compare(release, release)
    assert again.new.flips is not None
    assert again.new.flips.changed_count == 0


def test_it_is_done_once(built: ProjectFolder, blind: Path) -> None:
    built.load().compare(built.path / "model.onnx", blind)
    project = built.load()
    project.compare(built.path / "model.onnx", blind)
    assert not any(each.ran for each in project.outcomes)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("absent.onnx", UsageError, "there is nothing to compare"),
        ("edgeworthy.toml", ModelFileError, "edgeworthy.toml"),
        ("keys", VerificationError, "keys"),
    ],
)
def test_what_is_no_model_is_refused(
    name: str, error: type[Exception], words: str, built: ProjectFolder
) -> None:
    with pytest.raises(error) as caught:
        built.load().compare(built.path / "model.onnx", built.path / name)
    assert words in str(caught.value)


def test_a_release_for_other_targets_is_refused(built: ProjectFolder) -> None:
    built.edit("[targets.host]", "[targets.other]")
    with pytest.raises(UsageError) as caught:
        built.load().compare(built.path / "dist" / "bands-1.0.0", built.path / "model.onnx")
    assert "a variant for `other`" in str(caught.value)
    assert "variants for `host`" in str(caught.value)


def test_other_labels_are_refused(built: ProjectFolder) -> None:
    built.edit('"top", "middle", "bottom"', '"top", "middle", "bottom", "none"')
    built.edit("at_least = 0.9", "at_least = 0.8")
    with np.load(built.path / "evaluation.npz") as archive:
        arrays = dict(archive)
    arrays["bands"][:3] = 3
    np.savez(built.path / "evaluation.npz", **arrays)
    with pytest.raises(UsageError) as caught:
        built.load().compare(built.path / "dist" / "bands-1.0.0", built.path / "model.onnx")
    assert "do not answer the same question" in str(caught.value)


def test_the_command_prints_for_people_and_programs(
    built: ProjectFolder, blind: Path, command: Command
) -> None:
    arguments = ("evaluate", "-p", built.path, "--compare", built.path / "model.onnx", blind)
    code, out, err = command(*arguments)
    assert (code, err) == (0, "")
    assert "39 right answers lost, 0 gained, 39 changed" in out
    assert "Class pairs" in out
    assert "note" in out
    code, out, _ = command(*arguments, "--json")
    assert code == 0
    assert json.loads(out)["kind"] == "model-comparison"


def test_a_release_whose_variant_is_gone_is_refused(built: ProjectFolder, blind: Path) -> None:
    release = built.path / "dist" / "bands-1.0.0"
    made = built.load().compare(release, blind)
    digest = made.old.artifact.removeprefix("sha256:")
    path = release / "blobs" / "sha256" / digest
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(VerificationError):
        built.load().compare(release, blind)
