"""The repository, and a copy of its pages that may be broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_ROOT_FILES = ("*.md", "LICENSE", "Makefile", "pyproject.toml")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The pages in a folder of their own, and what they link to."""
    root = tmp_path / "repository"
    for name in ("docs", "examples"):
        shutil.copytree(REPOSITORY / name, root / name)
    for pattern in _ROOT_FILES:
        for path in REPOSITORY.glob(pattern):
            shutil.copyfile(path, root / path.name)
    (root / "src").symlink_to(REPOSITORY / "src")
    return root


@pytest.fixture
def edit(copied: Path) -> Callable[[str, str, str], Path]:
    """Replaces a text on a page of the copy; gives the copy's folder."""

    def change(name: str, old: str, new: str) -> Path:
        path = copied / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return copied

    return change
