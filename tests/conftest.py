"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

from bands import ProjectFolder, make_project_folder
from edgeworthy.workflow.project import BuildResult
from edgeworthy.workflow.templates import make_project

settings.register_profile("edgeworthy", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("edgeworthy")

#: Where lines are to be covered that run only in processes of their own. Elsewhere coverage stays
#: in the process of the test: following a build into its dozens of children doubles its cost and
#: covers no line that the tests of these rooms do not.
_COVERED_PROCESSES = ("tests/agent/", "tests/measurement/", "tests/workflow/search/")
_COVERAGE_FOLLOWS = "COVERAGE_PROCESS_CONFIG"
#: Steps that take longest to do again and write nothing that others do not.
_LONGEST_STEPS = ("measure--host",)

#: Tests that share what takes long to make: one process runs them (``--dist loadgroup``).
_TOGETHER = (
    "tests/cli/test_measure_files.py",
    "tests/measurement/test_single_stream.py",
    "tests/reports/",
    "tests/workflow/search/test_search_runs.py",
)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests together that share what takes long to make."""
    for item in items:
        for place in _TOGETHER:
            if item.nodeid.startswith(place):
                item.add_marker(pytest.mark.xdist_group(place))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Let coverage follow a test into its processes, or not."""
    if item.nodeid.startswith(_COVERED_PROCESSES) or _COVERAGE_FOLLOWS not in os.environ:
        return (yield)
    follows = os.environ.pop(_COVERAGE_FOLLOWS)
    try:
        return (yield)
    finally:
        os.environ[_COVERAGE_FOLLOWS] = follows


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A fresh project, nothing built."""
    return make_project_folder(tmp_path / "bands")


@pytest.fixture(scope="session")
def first_build(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProjectFolder, BuildResult]:
    """A project that was built, and what its build told; do not change it."""
    folder = make_project_folder(tmp_path_factory.mktemp("built") / "bands")
    return folder, folder.load().build()


@pytest.fixture(scope="session")
def built_once(first_build: tuple[ProjectFolder, BuildResult]) -> ProjectFolder:
    """A project that was built; do not change it."""
    return first_build[0]


@pytest.fixture
def built(built_once: ProjectFolder, tmp_path: Path) -> ProjectFolder:
    """A copy of a project that was built, for the test to change."""
    path = tmp_path / "built"
    shutil.copytree(built_once.path, path, symlinks=True)
    return ProjectFolder(path, path / "keys" / "passphrase")


@pytest.fixture
def half_built(built: ProjectFolder) -> ProjectFolder:
    """Measured, but nothing else done; no release and no report."""
    shutil.rmtree(built.path / "dist")
    for kind in ("steps", "last"):
        for path in (built.path / ".edgeworthy" / kind).iterdir():
            if path.stem not in _LONGEST_STEPS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return built


@pytest.fixture
def quick_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects made from templates measure as briefly as a project can."""

    def make_quick_project(name: str, path: Path) -> Path:
        folder = make_project(name, path)
        with (folder / "edgeworthy.toml").open("a", encoding="utf-8") as file:
            file.write("\n[measure]\nquery_count = 30\nbudget_s = 0.02\n")
        return folder

    monkeypatch.setattr("edgeworthy.workflow.templates.make_project", make_quick_project)


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
