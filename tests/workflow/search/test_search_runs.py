"""Searches of a small real model, from the first trial to what lies on the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bands import band_model, band_samples
from edgeworthy.cli.search import print_search
from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.record import decode_document
from edgeworthy.documents.search import Search
from edgeworthy.documents.variant import QuantizationRecipe, Recipe
from edgeworthy.files import digest_file
from edgeworthy.optimization import recipes_for
from edgeworthy.optimization.recipes import cascade_recipe
from edgeworthy.workflow.recipe_files import recipe_toml
from edgeworthy.workflow.search.plan import SearchLimits
from edgeworthy.workflow.search.session import SearchOptions, SearchResult, search_file
from edgeworthy.workflow.search.sources import BareSource

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file and two files of samples, one of them without labels."""
    folder = tmp_path_factory.mktemp("bare")
    band_model(folder / "bands.onnx")
    band_samples(folder / "samples.npz", count=120, seed=2)
    with np.load(folder / "samples.npz") as arrays:
        pictures = (arrays["pictures"] - 0.5) / 0.5
        np.savez(folder / "labelled.npz", picture=pictures, labels=arrays["bands"])
        np.savez(folder / "bare.npz", picture=pictures)
    return folder


def search_of(folder: Path) -> Search:
    path = folder / "search.json"
    return decode_document(path.read_bytes(), Search, where=str(path))


@pytest.fixture(scope="module")
def found(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search without labels, in which a recipe of the user's cannot be made."""
    broken = Recipe(
        name="broken",
        precision="int8-static",
        quantization=QuantizationRecipe(
            activation_type="uint8",
            weight_type="int8",
            per_channel=True,
            reduced_range=False,
            float_nodes=("nowhere",),
        ),
    )
    options = SearchOptions(
        limits=SearchLimits(trial_count=3, measure_s=0.1),
        recipes=(broken,),
        out=tmp_path_factory.mktemp("found"),
        prefer="size",
        workers=2,
    )
    source = BareSource(model=str(bare / "bands.onnx"), data=str(bare / "bare.npz"))
    return search_file(source, options)


def test_without_labels_the_metric_is_agreement_and_it_says_so(
    found: SearchResult, capsys: pytest.CaptureFixture[str]
) -> None:
    search = search_of(found.folder)
    assert search == found.search
    assert (search.basis, search.metric) == ("agreement-classes", "agreement_with_float")
    assert search.sample_count == 60
    original, float32, int8, _ = search.trials
    assert original.metric is not None
    assert original.metric.value == 1.0
    assert float32.loss is not None
    assert float32.loss.value == 0.0
    assert int8.harm is not None
    assert search.self_check is not None
    assert search.ended == "all of 3 trials were used"
    assert "agreement and no accuracy" in found.page.read_text()
    print_search(found)
    assert "the metric is agreement" in " ".join(capsys.readouterr().out.split())


def test_a_trial_that_fails_is_reported_and_passed_over(found: SearchResult) -> None:
    trials = {each.name: each for each in found.search.trials}
    assert "nowhere" in trials["broken"].failure
    assert trials["broken"].metric is None
    assert not trials["broken"].on_front
    assert trials["int8-u8s8-r7" if "int8-u8s8-r7" in trials else "int8-u8s8"].metric is not None
    assert "nowhere" in found.page.read_text()


def test_the_recipe_gives_the_same_bytes_again_somewhere_else(
    bare: Path, found: SearchResult, tmp_path: Path, command: Command
) -> None:
    assert found.recipe is not None
    out = tmp_path / "again"
    arguments = ["optimize", bare / "bands.onnx", "--data", bare / "bare.npz", "--out", out]
    code, printed, _ = command(*arguments, "--recipe", found.recipe)
    assert code == 0
    assert "bit for bit" in printed
    assert digest_file(out / found.artifact.name) == digest_file(found.artifact)
    assert (out / found.recipe.name).read_bytes() == found.recipe.read_bytes()


def test_a_cascade_is_judged_timed_and_made_again_from_its_recipe(
    bare: Path, tmp_path: Path, command: Command
) -> None:
    host = host_fingerprint(runtime_versions=()).instruction_set
    recipe = cascade_recipe(recipes_for([host])[1])
    options = SearchOptions(
        limits=SearchLimits(trial_count=3, measure_s=0.1), recipes=(recipe,), out=tmp_path / "found"
    )
    source = BareSource(model=str(bare / "bands.onnx"), data=str(bare / "bare.npz"))
    search = search_file(source, options).search
    (trial,) = (each for each in search.trials if each.name == recipe.name)
    assert trial.loss is not None
    assert trial.loss.value == 0.0
    assert trial.ratio is not None
    files = {each.name: each.size_bytes for each in search.trials}
    assert files[recipe.name] > files["float32"]
    written = tmp_path / "cascade.toml"
    written.write_text(recipe_toml(recipe))
    out = tmp_path / "again"
    arguments = ["optimize", bare / "bands.onnx", "--data", bare / "bare.npz", "--out", out]
    code, _, error = command(*arguments, "--recipe", written)
    assert code == 0, error
    assert digest_file(out / f"{recipe.name}.onnx") == trial.artifact


def start(arguments: list[str | Path]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "edgeworthy", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_a_killed_search_goes_on_where_it_was(bare: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    arguments: list[str | Path] = ["optimize", bare / "bands.onnx", "--data", bare / "labelled.npz"]
    arguments += ["--out", out, "--trials", "1", "--json"]
    steps = out / ".edgeworthy" / "steps"
    with start(arguments) as process:
        while not list(steps.glob("optimize--*/*.json")):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (out / "search.json").exists()
    finished = {path: path.stat().st_mtime_ns for path in steps.rglob("*.json")}
    made = {path.name: path.stat().st_mtime_ns for path in (out / ".edgeworthy/objects").rglob("*")}
    assert finished
    code, printed, _ = command(*arguments)
    assert code == 0
    search = json.loads(printed)
    assert [each["name"] for each in search["trials"]][:2] == ["original", "float32"]
    assert search["spent_s"] > 0
    for path, written in finished.items():
        assert path.stat().st_mtime_ns == written, f"{path} was done again"
    left = {path.name: path.stat().st_mtime_ns for path in (out / ".edgeworthy/objects").rglob("*")}
    assert {name: left[name] for name in made if len(name) == 62} == {
        name: at for name, at in made.items() if len(name) == 62
    }
    # A third one does nothing at all and says the same.
    _, again, _ = command(*arguments)
    repeated = json.loads(again)
    assert repeated["trials"] == search["trials"]
    assert (repeated["chosen"], repeated["spent_s"]) == (search["chosen"], search["spent_s"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bands.onnx"], "a bare model needs samples"),
        (["--vectors"], "belong to a bare model"),
        (["bands.onnx", "--data", "bare.npz", "--labels", "truth"], "the labels `truth`"),
        (["bands.onnx", "--data", "bare.npz", "--budget", "soon"], "not a duration"),
        (["bands.onnx", "--data", "none.npz"], "no such file"),
        (["bands.onnx", "--data", "bare.npz", "--runtime", "onnx"], "no runtime is called"),
    ],
)
def test_what_cannot_be_searched_is_said(
    bare: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(bare)
    code, _, err = command("optimize", *arguments)
    assert code in {1, 2}
    assert words in err
