"""What the pages of this repository say is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from documentation import CHECKS
from documentation.commands import command_lines
from documentation.mentions import wanted_names
from documentation.pages import pages_of


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_the_pages_pass_the_check(name: str, repository: Path) -> None:
    assert CHECKS[name](repository) == []


def test_the_checks_look_at_something(repository: Path) -> None:
    pages = {page.name: page for page in pages_of(repository)}
    assert {"README.md", "docs/index.md", "docs/guides/first-project.md"} <= pages.keys()
    shown = [line for page in pages.values() for _, line in command_lines(page)]
    assert len([line for line in shown if "edgeworthy build" in line]) > 5
    languages = {block.language for page in pages.values() for block in page.blocks}
    assert {"bash", "console", "python", "toml"} <= languages


def test_everything_that_can_be_named_is_wanted() -> None:
    wanted = {(each.kind, each.name) for each in wanted_names()}
    assert ("verb", "edgeworthy keys create") in wanted
    assert ("option", "--passphrase-file") in wanted
    assert ("option", "--debug") in wanted
    assert ("error code", "EW210") in wanted
    assert ("document", "gate-decision") in wanted
    assert ("template", "wearable") in wanted
    assert ("device profile", "raspberry-pi-4") in wanted
    assert ("metric", "latency_p99_ms") in wanted
    assert ("metric", "auroc") in wanted
    assert ("public name", "verify_folder") in wanted
    assert ("key", "drop_at_most") in wanted


def test_the_pictures_are_text(repository: Path) -> None:
    for path in (repository / "docs" / "pictures").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "<text" in text
        assert "<title" in text
        assert "prefers-color-scheme: dark" in text
