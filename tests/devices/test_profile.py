from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.devices import (
    HostSoftware,
    find_profile,
    host_fingerprint,
    host_matches,
    instruction_set,
    profile_names,
)
from edgeworthy.errors import DeviceProfileError

MakeRoot = Callable[..., Path]

BOARD = """
name = "my-board"
title = "My board"
architecture = "aarch64"
instruction_set = "arm-dotprod"
cpu_flags = ["asimd", "asimddp"]

[core_count]
value = 2
source = "Data sheet of my board"
"""
SHIPPED = tuple(name for name in profile_names() if name != "host")


def test_the_shipped_classes() -> None:
    assert profile_names() == (
        "host",
        "jetson-orin-nano",
        "raspberry-pi-3",
        "raspberry-pi-4",
        "raspberry-pi-5",
        "raspberry-pi-zero-2-w",
        "x86-avx2-generic",
        "x86-vnni-generic",
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_laws_of_a_shipped_profile(name: str, tmp_path: Path) -> None:
    profile = find_profile(name, folder=tmp_path)
    assert profile.name == name
    assert instruction_set(profile.architecture, profile.cpu_flags) == profile.instruction_set
    for figure in (profile.core_count, profile.memory_bytes, profile.storage_bytes):
        assert figure is None or (figure.value > 0 and len(figure.source) > 20)


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(BOARD)
    profile = find_profile("board.toml", folder=tmp_path)
    assert profile.core_count is not None
    assert profile.core_count.value == 2
    assert profile.memory_bytes is None


def test_the_host_is_a_class_of_its_own(make_root: MakeRoot, tmp_path: Path) -> None:
    software = HostSoftware("aarch64", "Linux 6.6.31", "3.11.7", 4)
    root = make_root("pi-5")
    profile = find_profile("host", folder=tmp_path, root=root, software=software)
    assert profile.title == "Raspberry Pi 5 Model B Rev 1.0 (Cortex-A76)"
    assert profile.core_count is not None
    assert profile.core_count.value == 4
    assert profile.memory_bytes is not None
    host = host_fingerprint(runtime_versions=(), root=root, software=software)
    assert host_matches(profile, host)
    assert host_matches(find_profile("raspberry-pi-5", folder=tmp_path), host)
    assert not host_matches(find_profile("raspberry-pi-4", folder=tmp_path), host)
    assert not host_matches(find_profile("x86-vnni-generic", folder=tmp_path), host)


def test_a_host_without_known_memory_has_no_such_figure(tmp_path: Path) -> None:
    profile = find_profile("host", folder=tmp_path, root=tmp_path)
    assert profile.memory_bytes is None


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DeviceProfileError, match="Did you mean `raspberry-pi-4`"):
        find_profile("rasberry-pi4", folder=tmp_path)
    with pytest.raises(DeviceProfileError, match="write your own"):
        find_profile("zzz", folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not TOML"),
        (BOARD.replace("title", "tittle"), "Did you mean `title`"),
        (BOARD.replace("source", "sorce"), "core_count: unknown key `sorce`"),
        (BOARD.replace('title = "My board"', ""), "missing required field `title`"),
        (BOARD.replace("arm-dotprod", "arm-dot"), "instruction_set"),
        (BOARD.replace("value = 2", 'value = "two"'), "core_count.value"),
        (BOARD.replace("value = 2", "value = 0"), "positive value and a source"),
        (BOARD.replace("Data sheet of my board", " "), "positive value and a source"),
        (BOARD.replace(', "asimddp"', ""), "`arm-neon` for aarch64 with `asimd`"),
        (BOARD.replace("[core_count]", "[[core_count]]"), "core_count"),
    ],
)
def test_a_malformed_profile_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "board.toml").write_text(text)
    with pytest.raises(DeviceProfileError) as error:
        find_profile("board.toml", folder=tmp_path)
    assert message in str(error.value)
    assert "board.toml" in str(error.value)


def test_generic_arithmetic_may_always_be_assumed(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(BOARD.replace("arm-dotprod", "generic"))
    assert find_profile("board.toml", folder=tmp_path).instruction_set == "generic"


def test_a_profile_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DeviceProfileError, match="No such file"):
        find_profile("none.toml", folder=tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(DeviceProfileError, match="cannot be read"):
        find_profile("latin.toml", folder=tmp_path)
