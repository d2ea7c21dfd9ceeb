"""The reference pages are what the code says today."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

import generate_reference
from reference import GENERATED_MARK, PAGES
from reference.command_line import commands, global_options
from reference.docstrings import parse
from reference.markdown import table
from reference.records import fields_of


@pytest.fixture
def folder(tmp_path: Path, repository: Path) -> Path:
    """A copy of the reference pages."""
    return shutil.copytree(repository / "docs" / "reference", tmp_path / "reference")


def test_the_pages_are_up_to_date(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = generate_reference.main(["--check", str(repository / "docs" / "reference")])
    assert (code, capsys.readouterr().out) == (0, f"reference: {len(PAGES)} pages, 0 stale\n")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_that_was_edited_is_stale(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8") + "one more line\n", encoding="utf-8")
    assert generate_reference.main(["--check", str(folder)]) == 1
    assert f"error: {path} is stale; run `make docs`" in capsys.readouterr().out


def test_a_page_that_is_missing_and_one_that_is_left_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cli.md").unlink()
    (folder / "old.md").write_text(f"{GENERATED_MARK}\n\n# Old\n", encoding="utf-8")
    (folder / "by-hand.md").write_text("# By hand\n", encoding="utf-8")
    assert generate_reference.main(["--check", str(folder)]) == 1
    printed = capsys.readouterr().out
    assert "cli.md is missing" in printed
    assert "old.md is left over" in printed
    assert "by-hand.md" not in printed


def test_writing_mends_what_is_stale(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "reference"
    assert generate_reference.main([str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(PAGES)


def test_the_same_code_gives_the_same_bytes() -> None:
    assert {name: page() for name, page in PAGES.items()} == {
        name: page() for name, page in PAGES.items()
    }


def test_the_command_line_as_data() -> None:
    every = {each.path: each for each in commands()}
    create = every["keys", "create"]
    assert create.title == "edgeworthy keys create"
    assert create.flags == {"--passphrase-file", "--generate-passphrase"}
    assert [each.flags for each in create.parameters if each.is_argument] == [("path",)]
    key = next(each for each in every[("verify",)].parameters if "--key" in each.flags)
    assert (key.flags, key.value, key.required) == (("--key", "-k"), "PUB", True)
    report = next(each for each in every[("report",)].parameters if "--format" in each.flags)
    assert (report.value, report.default) == ("files|markdown", "`files`")
    assert {each.flags for each in global_options()} == {("--version",), ("--debug",)}


def test_every_verb_has_an_example_of_itself() -> None:
    assert [each.title for each in commands() if not each.example.startswith(each.title)] == []


def test_a_field_that_nobody_described_is_refused() -> None:
    class Silent(msgspec.Struct):
        """A record.

        Attributes:
            told: What it is.
        """

        told: int
        untold: int

    with pytest.raises(ValueError, match=r"Silent\.untold is not described"):
        fields_of(Silent, str)


def test_a_class_without_a_docstring_is_refused() -> None:
    class Mute(msgspec.Struct):
        field: int

    Mute.__doc__ = None
    with pytest.raises(ValueError, match="has no docstring"):
        fields_of(Mute, str)


def test_a_docstring_is_taken_apart() -> None:
    text = """Opens ``a`` door, see :class:`~house.Door`.

    More about it.

    Attributes:
        key: Fits one door,
            not ``two``.
        hinge: Left.

    Raises:
        LockedError: It is locked.

    Example: edgeworthy open door
    """
    parsed = parse("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    assert parsed.summary == "Opens `a` door, see `Door`."
    assert parsed.description == "More about it."
    assert parsed.attributes == {"key": "Fits one door, not `two`.", "hinge": "Left."}
    assert parsed.example == "edgeworthy open door"


def test_a_table_keeps_its_columns() -> None:
    assert table(["a"], [["x|y\nz"]]) == "| a |\n|---|\n| x\\|y z |"
    assert table(["a"], []) == ""
