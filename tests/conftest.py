"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from bands import ProjectFolder, make_project_folder

settings.register_profile("edgeworthy", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("edgeworthy")


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A fresh project, nothing built."""
    return make_project_folder(tmp_path / "bands")


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A project that was built; do not change it."""
    folder = make_project_folder(tmp_path_factory.mktemp("built") / "bands")
    folder.load().build()
    return folder


@pytest.fixture
def built(built_once: ProjectFolder, tmp_path: Path) -> ProjectFolder:
    """A copy of a project that was built, for the test to change."""
    path = tmp_path / "built"
    shutil.copytree(built_once.path, path, symlinks=True)
    return ProjectFolder(path, path / "keys" / "passphrase")


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit code, standard output, standard error."""
    from edgeworthy.cli.main import run  # noqa: PLC0415 - not every test needs it

    def run_command(*arguments: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run_command
