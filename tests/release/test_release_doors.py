from __future__ import annotations

import subprocess
import sys

import pytest

import edgeworthy.release

HEAVY = ("numpy", "onnx", "onnxruntime", "PIL", "altair", "jinja2", "typer", "rich")


@pytest.mark.parametrize("name", edgeworthy.release.__all__)
def test_every_door_opens(name: str) -> None:
    assert getattr(edgeworthy.release, name) is not None


def test_there_is_no_other_door() -> None:
    with pytest.raises(AttributeError, match="no attribute 'window'"):
        _ = edgeworthy.release.window


@pytest.mark.parametrize(
    "module", ["edgeworthy.release.verification", "edgeworthy.release.gate", "edgeworthy.release"]
)
def test_a_device_that_verifies_loads_nothing_heavy(module: str) -> None:
    program = (
        f"import sys, {module}\n"
        f"from edgeworthy.release import verify_release, judge, write_release, load_signer\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert found.strip() == "[]"


def test_a_device_that_verifies_does_not_load_the_gate_or_the_writer() -> None:
    program = (
        "import sys, edgeworthy.release.verification\n"
        "print([name for name in sys.modules if name.startswith('edgeworthy.release.')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    for unneeded in ("gate", "write", "choice", "figures", "key_creation"):
        assert f"edgeworthy.release.{unneeded}'" not in found
