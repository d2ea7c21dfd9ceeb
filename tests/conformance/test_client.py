from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.web import serving
from conformance.simulator import Simulator

CLIENT = Path(__file__).with_name("client.py")


def run(*arguments: str | Path) -> int:
    command = [sys.executable, CLIENT, *arguments]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.slow
def test_init_refresh_and_download_as_the_public_suite_calls_them(tmp_path: Path) -> None:
    simulator = Simulator()
    for role in (simulator.root, simulator.timestamp, simulator.snapshot):
        role.expires = role.expires.replace(year=2100)
    simulator.targets["targets"].expires = simulator.root.expires
    simulator.publish_root()
    simulator.add_file("targets", "folder/file name", b"content")
    simulator.bump("targets")
    root = tmp_path / "initial_root.json"
    root.write_bytes(simulator.source.files["metadata/1.root.json"])
    folder = tmp_path / "metadata"
    with serving() as web:
        web.files = {
            name.replace(" ", "%20"): data for name, data in simulator.source.files.items()
        }
        at = ("--metadata-dir", folder, "--metadata-url", f"{web.url}/metadata")
        assert run("--metadata-dir", folder, "init", root) == 0
        assert run(*at, "refresh") == 0
        assert sorted(path.name for path in folder.iterdir()) == [
            f"{role}.json" for role in ("root", "snapshot", "targets", "timestamp")
        ]
        target = (
            "--target-base-url", f"{web.url}/targets", "--target-dir", tmp_path / "targets",
        )  # fmt: skip
        assert run(*at, "--target-name", "folder/file name", *target, "download") == 0
        (file,) = (tmp_path / "targets").iterdir()
        assert file.read_bytes() == b"content"
        web.requests.clear()
        assert run(*at, "--target-name", "folder/file name", *target, "download") == 0
        assert not any("targets/" in path for path, _ in web.requests)
        assert run(*at, "--target-name", "missing", *target, "download") == 1
        both = ("--target-name", "folder/file name", "--target-name", "missing")
        file.unlink()
        assert run(*at, *both, *target, "download") == 1
        assert file.read_bytes() == b"content"
        web.files["metadata/timestamp.json"] = b"{}"
        assert run(*at, "refresh") == 1
