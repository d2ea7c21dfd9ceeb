"""The verbs of a device, as a person types them, with a repository that verbs made."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.bench import policy_of
from edgeworthy.agent.events import Moment, Stopped
from edgeworthy.agent.history import settle_history
from edgeworthy.agent.machine import step
from edgeworthy.agent.store import Store
from edgeworthy.cli.main import run
from edgeworthy.release.trust import publish_policy
from release.trust.workshop import PRODUCT, Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "workshop", now=datetime.now(UTC))
    made.folder.mkdir()
    made.init()
    publish_policy(made.ceremony(), policy_of(made))
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "device"


def enroll(workshop: Workshop, store: Path, *more: str) -> int:
    root = workshop.repository / "metadata" / "1.root.json"
    return run(
        [
            *("agent", "enroll", "--store", str(store), "--repository", str(workshop.repository)),
            *("--root", str(root), "--product", PRODUCT, "--policy", "gateways"),
            *("--device", "gate-7", *more),
        ]
    )


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    found: object = json.loads(capsys.readouterr().out)
    assert code in {0, 1}
    return found


def test_a_device_is_enrolled_and_says_so(
    workshop: Workshop, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert enroll(workshop, store, "--ring", "early", "--interval-seconds", "60") == 0
    assert "gate-7, ring early" in capsys.readouterr().out
    found = printed(capsys, "agent", "status", "--store", str(store))
    assert isinstance(found, dict)
    assert (found["kind"], found["running"], found["current"]) == ("agent-status", False, None)
    entries = printed(capsys, "agent", "history", "--store", str(store))
    assert isinstance(entries, list)
    assert [each["event"] for each in entries] == ["enrolled"]


def test_what_was_not_enrolled_is_told_how(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("status", "history", "run", "once", "rollback", "diagnose"):
        assert run(["agent", verb, "--store", str(store)]) == 2
        assert "Enroll it with `edgeworthy agent enroll`" in capsys.readouterr().err


def test_a_device_is_not_enrolled_over(
    workshop: Workshop, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert enroll(workshop, store) == 0
    assert enroll(workshop, store) == 2
    assert "enrolled already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--device", "a/b", "not an audience"), ("--root", "nowhere.json", "cannot be read")],
)
def test_malformed_settings_are_refused(
    workshop: Workshop,
    store: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    message: str,
) -> None:
    assert enroll(workshop, store, option, value) == 1
    assert message in capsys.readouterr().err
    assert not (store / "settings.json").exists()


def test_a_look_that_finds_nothing_assigned_is_no_failure(
    workshop: Workshop, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enroll(workshop, store)
    found = printed(capsys, "agent", "once", "--store", str(store))
    assert isinstance(found, dict)
    assert (found["phase"], found["trouble"], found["current"]) == ("idle", "", None)


def test_a_repository_that_is_away_is_trouble_and_exit_code_1(
    workshop: Workshop, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enroll(workshop, store)
    away = str(tmp_path / "away")
    assert run(["agent", "once", "--store", str(store), "--repository", away]) == 1
    captured = capsys.readouterr()
    assert "no update now" in captured.err
    assert "trouble" in captured.out
    found = printed(capsys, "agent", "diagnose", "--store", str(store))
    assert isinstance(found, dict)
    assert not found["healthy"]
    worst = {each["subject"] for each in found["findings"] if each["severity"] == "problem"}
    assert worst == {"updates"}


def test_a_broken_history_is_exit_code_4(
    workshop: Workshop, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enroll(workshop, store)
    kept = Store(store)
    now = Moment(own_clock="2026-06-01T00:00:00Z", signed_time="", boot="b", fingerprint="f")
    state = step(kept.state(), Stopped("a test"), now).state
    kept.write_state(state)
    settle_history(kept.history_file, state)
    assert run(["agent", "history", "--store", str(store)]) == 0
    assert "The chain of entries holds." in capsys.readouterr().out
    lines = kept.history_file.read_bytes().splitlines(keepends=True)
    kept.history_file.write_bytes(lines[1])
    assert run(["agent", "history", "--store", str(store)]) == 4
    assert "the history is not the one that was written" in capsys.readouterr().err


def test_the_store_may_come_from_the_environment(
    workshop: Workshop,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    enroll(workshop, store)
    monkeypatch.setitem(os.environ, "EDGEWORTHY_STORE", str(store))
    assert run(["agent", "status"]) == 0
    assert "gate-7" in capsys.readouterr().out
