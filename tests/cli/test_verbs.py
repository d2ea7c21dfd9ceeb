from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from bands import PASSPHRASE, ProjectFolder
from edgeworthy.version import __version__

Command = Callable[..., tuple[int, str, str]]

VERBS = ("inspect", "measure", "evaluate", "gate", "release", "report", "build")


def passphrase(verb: str, project: ProjectFolder) -> list[str | Path]:
    if verb in {"release", "report", "build"}:
        return ["--passphrase-file", project.passphrase_file]
    return []


def test_the_version(command: Command) -> None:
    assert command("--version") == (0, f"edgeworthy {__version__}\n", "")


def test_without_a_verb_the_help_is_shown(command: Command) -> None:
    code, out, _ = command()
    assert code == 2
    assert "build" in out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_prints_for_people(verb: str, built: ProjectFolder, command: Command) -> None:
    code, out, err = command(verb, "--project", built.path, *passphrase(verb, built))
    assert (code, err) == (0, "")
    expected = {
        "inspect": r"multiply-adds per sample",
        "measure": r"Latency on host",
        "evaluate": r"accuracy +1\.00 \[0\.9",
        "gate": r"pass +accuracy at least 0\.9: 1\.00 \[0\.974, 1\.00\], n=120 \([0-9a-f]{12}\)",
        "release": r"Release sha256:[0-9a-f]{64}",
        "report": r"report\.html",
        "build": r"Report in ",
    }
    assert re.search(expected[verb], out)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_prints_for_programs(verb: str, built: ProjectFolder, command: Command) -> None:
    code, out, err = command(verb, "--project", built.path, "--json", *passphrase(verb, built))
    assert (code, err) == (0, "")
    printed = json.loads(out)
    kinds = {
        "inspect": "model-inspection",
        "measure": "measurement",
        "evaluate": "evaluation",
        "gate": "gate-decision",
        "report": "build-record",
        "build": "build-record",
    }
    if verb == "release":
        assert printed["digest"].startswith("sha256:")
    else:
        first = printed[0] if isinstance(printed, list) else printed
        assert first["kind"] == kinds[verb]
        assert first["schema_version"].partition(".")[0] == "1"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "inspect"])
def test_every_step_explains_itself(verb: str, built: ProjectFolder, command: Command) -> None:
    _, out, _ = command(verb, "--project", built.path, "--explain", *passphrase(verb, built))
    assert re.search(r"optimize/float32 +reused", out)


def test_a_search_prints_for_people_and_for_programs(
    built: ProjectFolder, command: Command
) -> None:
    arguments = ("optimize", "--project", built.path, "--trials", "1")
    code, out, err = command(*arguments, "--explain")
    assert (code, err) == (0, "")
    assert re.search(r"chosen float32: no version may take the place of float", out)
    assert re.search(r"optimize/float32 +reused", out), "a build's work is not done again"
    assert "Estimates by emulation" in out
    assert (built.path / "dist" / "optimized" / "float32.toml").is_file()
    code, out, err = command(*arguments, "--json")
    assert (code, err) == (0, "")
    search, *predictions = json.loads(out)
    assert (search["kind"], search["basis"], search["metric"]) == ("search", "labels", "accuracy")
    assert {each["kind"] for each in predictions} == {"prediction"}


@pytest.mark.parametrize("verb", [*VERBS, "verify", "init", "keys create"])
def test_every_verb_has_help_with_an_example(verb: str, command: Command) -> None:
    code, out, _ = command(*verb.split(), "--help")
    assert code == 0
    assert f"Example: edgeworthy {verb}" in " ".join(out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_wider_than_a_narrow_terminal(
    verb: str, built: ProjectFolder, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = command(verb, "--project", built.path, *passphrase(verb, built))
    long = [line for line in out.splitlines() if len(line) > 60 and "sha256:" not in line]
    assert [line for line in long if str(built.path)[:20] not in line] == []


def test_a_model_file_can_be_inspected_without_a_project(
    project: ProjectFolder, command: Command
) -> None:
    code, out, _ = command("inspect", project.path / "model.onnx", "--json")
    assert code == 0
    assert json.loads(out)["parameter_count"] == 48 + 2 + 36


def test_a_refusal_is_exit_code_3_with_a_line_per_requirement(
    built: ProjectFolder, command: Command
) -> None:
    built.edit("at_most = 64.0", "at_most = 0.5")
    code, out, err = command("gate", "--project", built.path)
    assert code == 3
    assert re.search(r"fail +size_kib at most 0\.5", out)
    assert re.search(r"pass +accuracy at least 0\.9", out)
    assert err.startswith("error EW500: the gate refused: 1 requirement(s) failed")
    assert command("build", "--project", built.path)[0] == 3
    assert command("release", "--project", built.path)[0] == 3


def test_what_cannot_be_settled_says_how_many_samples_would(
    built: ProjectFolder, command: Command
) -> None:
    built.edit("at_least = 0.9", "at_least = 0.98")
    code, out, _ = command("gate", "--project", built.path)
    assert code == 3
    assert re.search(r"inconclusive +accuracy at least 0\.98", out)
    assert re.search(r"\d+ more samples", " ".join(out.split()))


def test_the_decision_for_ci_systems(built: ProjectFolder, command: Command) -> None:
    built.edit("at_most = 64.0", "at_most = 0.5")
    junit, sarif = built.path / "gate.xml", built.path / "gate.sarif"
    code, _, _ = command("gate", "-p", built.path, "--junit", junit, "--sarif", sarif)
    assert code == 3
    assert ET.parse(junit).getroot().find(".//failure") is not None  # noqa: S314 - our own file
    assert json.loads(sarif.read_text())["version"] == "2.1.0"


def test_the_report_as_markdown(built: ProjectFolder, command: Command) -> None:
    arguments = ("--format", "markdown", "--passphrase-file", built.passphrase_file)
    code, out, _ = command("report", "-p", built.path, *arguments)
    assert code == 0
    assert "| " in out


def test_from_a_template_to_a_verified_release(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "digits"
    assert command("init", "digits", folder)[0] == 0
    secret = folder / "keys" / "secret"
    key = folder / "keys" / "release"
    assert command("keys", "create", key, "--generate-passphrase", secret)[0] == 0
    assert secret.stat().st_mode & 0o777 == 0o600
    text = (folder / "edgeworthy.toml").read_text()
    quick = text + "\n[measure]\nquery_count = 30\nbudget_s = 0.02\n"
    (folder / "edgeworthy.toml").write_text(quick)
    code, _, err = command("build", "-p", folder, "--passphrase-file", secret)
    assert (code, err) == (0, "")
    release = folder / "dist" / "digits-1.0.0"
    code, out, _ = command("verify", release, "--key", f"{key}.pub")
    assert code == 0
    assert out.startswith("verified digits 1.0.0")
    code, out, _ = command("verify", release, "--key", f"{key}.pub", "--json")
    assert json.loads(out)["verdict"] == "pass"


def test_a_changed_release_is_exit_code_4(built: ProjectFolder, command: Command) -> None:
    release = built.path / "dist" / "bands-1.0.0"
    blob = max((release / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    code, out, err = command("verify", release, "--key", built.path / "keys" / "release.pub")
    assert (code, out) == (4, "")
    assert blob.name[:12] in err


def test_a_release_that_is_not_there_is_exit_code_4(built: ProjectFolder, command: Command) -> None:
    key = built.path / "keys" / "release.pub"
    assert command("verify", built.path / "nowhere", "--key", key)[0] == 4
    assert command("verify", built.path / "dist" / "bands-1.0.0", "--key", "nowhere.pub")[0] == 4


def test_a_passphrase_comes_from_one_place(tmp_path: Path, command: Command) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(PASSPHRASE)
    key = tmp_path / "key"
    both = ("--passphrase-file", secret, "--generate-passphrase", tmp_path / "new")
    assert command("keys", "create", key, *both)[0] == 2
    assert command("keys", "create", key)[0] == 2  # there is no terminal to ask at
    assert command("keys", "create", key, "--generate-passphrase", secret)[0] == 2
    assert command("keys", "create", key, "--passphrase-file", tmp_path / "nowhere")[0] == 4
    assert command("keys", "create", key, "--passphrase-file", secret)[0] == 0
    assert command("keys", "create", key, "--passphrase-file", secret)[0] == 4  # never overwritten
    empty = tmp_path / "empty"
    empty.write_bytes(b"\n")
    assert command("keys", "create", tmp_path / "k", "--passphrase-file", empty)[0] == 4


def test_a_variant_of_a_project_is_measured_as_a_file_is(
    built: ProjectFolder, command: Command
) -> None:
    of = ("measure", "-p", built.path, "--variant", "float32")
    code, out, _ = command(*of, "--sweep", "batch", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["kind"], found["variant"]) == ("sweep", "float32")
    code, _, err = command(*of, "--samples", "x.npz")
    assert code == 2
    assert "--variant takes the model and the samples of the project" in err
    code, _, err = command("measure", "-p", built.path, "--sweep", "batch")
    assert code == 2
    assert "--variant" in err
