from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bands import PROJECT_FILE, ProjectFolder
from edgeworthy.errors import ProjectFileError
from edgeworthy.workflow.project_file import line_of, read_project_file


def refusal(path: Path) -> str:
    with pytest.raises(ProjectFileError) as caught:
        read_project_file(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_folder_stands_for_the_file_in_it(project: ProjectFolder) -> None:
    assert read_project_file(project.path) == read_project_file(project.file)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at_least = 0.9", "at_lest = 0.9", "edgeworthy.toml:34 (require[0].at_lest): unknown key"),
        ("at_least = 0.9", "at_lest = 0.9", "Did you mean `at_least`?"),
        ('labels = "bands"', 'lables = "bands"', "(data.calibration.lables)"),
        ("[measure]", "[messure]", "Did you mean `measure`?"),
        ("[targets.host]", "[targets.host]\nthread = 2", "targets.host.thread): unknown key"),
        (
            "[targets.host]",
            '[targets.host]\nthreads = "two"',
            "(targets.host.threads): expected `in",
        ),
        ("[targets.host]", "[targets.host]\nthreads = 0", "expected `int` >= 1"),
        ("std = [0.5]", "std = [0.0]", "(model.inputs.picture.std[0]): expected `float` > 0.0"),
        ('task = "classification"', 'task = "poetry"', "(model.task): invalid enum value 'poetry'"),
        ('name = "bands"', "", "missing required field `name`"),
        ('name = "bands"', 'name = "../bands"', "(project.name): expected `str` matching regex"),
        ('labels = ["top", "middle", "bottom"]', "", "a classifier without `labels`"),
        ("at_least = 0.9", "", "Expected exactly one of `at_least`, `at_most`, `drop_at_most`"),
        ("at_least = 0.9", "at_least = 0.9\nat_most = 1.0", "found 2 of them"),
        ("at_least = 0.9", 'at_least = 0.9\ntarget = "hots"', "Did you mean `host`?"),
        ("[data.evaluation]", "[data.evalution]", "a table [data.evaluation]"),
        ('path = "evaluation.npz"', 'function = "a:b"\npath = "x"', "give either `path` or"),
        ("[project]", "[project", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_mend(
    project: ProjectFolder, old: str, new: str, expected: str
) -> None:
    project.edit(old, new)
    message = refusal(project.file)
    assert expected in message
    assert "\n" not in message


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    assert "edgeworthy init digits" in refusal(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "edgeworthy.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(path)


def test_lines_are_found_in_arrays_of_tables() -> None:
    text = "[[require]]\na = 1\n[[require]]\na = 2\n"
    assert line_of(text, ("require", "1", "a")) == 4
    assert line_of(text, ("require", "1", "b")) == 3
    assert line_of(text, ("nothing",)) is None


@given(data=st.data())
def test_no_damaged_project_file_crashes_the_reader(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = list(PROJECT_FILE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.sampled_from([*'[]{}="\n.a0 -', ""]))
    path = tmp_path_factory.mktemp("damaged") / "edgeworthy.toml"
    path.write_text("".join(text))
    with contextlib.suppress(ProjectFileError):
        assert read_project_file(path).project.name
