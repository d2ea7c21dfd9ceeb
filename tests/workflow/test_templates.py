from __future__ import annotations

from pathlib import Path

import pytest

from edgeworthy.errors import UsageError
from edgeworthy.workflow.project_file import read_project_file
from edgeworthy.workflow.templates import make_project, template_names


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_a_project(name: str, tmp_path: Path) -> None:
    folder = make_project(name, tmp_path / "mine")
    assert read_project_file(folder).project.name == name


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    make_project("digits", tmp_path)
    assert (tmp_path / "model.onnx").is_file()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(UsageError, match="something is there already"):
        make_project("digits", tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_place_for_a_project(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(UsageError, match="something is there already"):
        make_project("digits", path)


def test_the_nearest_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean `digits`"):
        make_project("digit", tmp_path / "mine")
