from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.release import create_key, load_signer, write_release
from release.builders import contents_of

Command = Callable[..., tuple[int, str, str]]
POLICY = """
name = "gateways"
products = ["keywords"]
instruction_sets = ["x86-vnni"]

[[evidence]]
predicate_type = "urn:edgeworthy:measurement:v1"
bounds = [{ metric = "latency_p90_ms", at_most = 20 }]
"""


@pytest.fixture(scope="module")
def desk_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "passphrase").write_text("correct horse\n")
    create_key(folder / "release", b"correct horse")
    signer = load_signer("release", folder=folder, passphrase=lambda: b"correct horse")
    write_release(folder / "keywords-1.2.0", contents_of(), signer)
    return folder


@pytest.fixture
def desk(desk_once: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk_once)
    return desk_once


def test_from_nothing_to_a_repository_with_a_release(desk: Path, command: Command) -> None:
    secret = ("--passphrase-file", "passphrase")
    code, out, err = command(
        "trust", "init", "repository", "--create-keys", "--product", "keywords", *secret
    )
    assert (code, err) == (0, "")
    assert "root.1, root.2, root.3" in out
    assert "published root 1" in out
    release = ("publish", "keywords-1.2.0", "repository", "--signer", "release.pub")
    code, out, err = command(*release, "--to", "rings/stable", *secret)
    assert (code, err) == (0, "")
    assert "keywords 1.2.0 is publication 1: sha256:" in out
    assert json.loads(command(*release, "--json", *secret)[1])["versions"] == {}

    (desk / "gateways.toml").write_text(POLICY)
    arguments = ("trust", "policy", "repository", "gateways.toml", "--signer", "release.pub")
    assert command(*arguments, *secret)[0] == 0
    assigning = ("trust", "assign", "repository", "keywords", "1", "--to", "devices/d1")
    assert command(*assigning, *secret)[0] == 0
    assert command("trust", "refresh", "repository", *secret)[0] == 0

    code, out, err = command("trust", "status", "repository", "--json")
    assert (code, err) == (0, "")
    status = json.loads(out)
    assert status["policies"] == ["gateways"]
    assert status["publications"][0]["audiences"] == ["devices/d1", "rings/stable"]
    code, out, _ = command("trust", "status", "repository")
    assert "2 of 3: root.1, root.2, root.3" in " ".join(out.split())
    assert "Device policies: gateways" in out


def test_keys_are_exchanged_in_several_hands(desk: Path, command: Command) -> None:
    secret = ("--passphrase-file", "passphrase")
    keys = ("--keys", "hands")
    made = command(
        "trust", "init", "shared", "--create-keys", "--product", "keywords", *keys, *secret
    )
    assert made[0] == 0
    assert command("keys", "create", "hands/timestamp.2", *secret)[0] == 0
    (desk / "hands" / "root.1").rename(desk / "root.1.elsewhere")
    (desk / "hands" / "root.2").rename(desk / "root.2.elsewhere")
    code, out, _ = command(
        "trust", "rotate", "shared", "timestamp", "--key", "hands/timestamp.2.pub", *keys, *secret
    )
    assert code == 0
    assert "signatures are missing: root 1 more" in out
    assert "Waiting for signatures: root" in command("trust", "status", "shared", *keys)[1]
    (desk / "root.1.elsewhere").rename(desk / "hands" / "root.1")
    assert "published root 2" in command("trust", "sign", "shared", *keys, *secret)[1]
    code, out, _ = command("trust", "revoke", "shared", "hands/root.2.pub", *keys, *secret)
    assert (code, "published root 3" in out) == (0, True)
    assert command("trust", "revoke", "shared", "abc", *keys, *secret)[0] == 2
    assert command("keys", "create", "hands/product-gestures", *secret)[0] == 0
    assert command("trust", "delegate", "shared", "gestures", *keys, *secret)[0] == 0
    code, _, err = command("trust", "withdraw", "shared", "gestures", "1", *keys, *secret)
    assert (code, "no publication 1" in err) == (2, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = 3", "not a valid device policy"),
        ('name = "a"', "not a valid device policy"),
        (POLICY + "\n[extra]\nx = 1\n", "unknown keys"),
        ("= nonsense", "not a valid device policy"),
    ],
)
def test_a_policy_is_read_strictly(desk: Path, command: Command, text: str, problem: str) -> None:
    (desk / "bad.toml").write_text(text)
    code, _, err = command(
        "trust", "policy", "repository", "bad.toml", "--passphrase-file", "passphrase"
    )
    assert (code, problem in err) == (1, True)


def test_a_policy_that_is_not_there(desk: Path, command: Command) -> None:
    assert desk.exists()
    code, _, err = command(
        "trust", "policy", "repository", "none.toml", "--passphrase-file", "passphrase"
    )
    assert (code, "cannot be read" in err) == (1, True)


def test_without_a_folder_of_keys(desk: Path, command: Command) -> None:
    assert desk.exists()
    code, _, err = command("trust", "status", "repository", "--keys", "nowhere")
    assert (code, "--create-keys" in err) == (4, True)
