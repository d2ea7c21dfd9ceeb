"""TOML on pages is what the strict reader takes."""

from __future__ import annotations

import tempfile
import tomllib
import typing
from pathlib import Path
from typing import Any

import msgspec

from documentation.pages import Block, pages_of
from edgeworthy.documents.project import ProjectFile, RequirementSection, Task
from edgeworthy.errors import EdgeworthyError, InputError
from edgeworthy.evaluation import metrics_of
from edgeworthy.evaluation.corruptions import corruption_metrics, selectable_names
from edgeworthy.release import check_requirements
from edgeworthy.workflow.project_file import PROJECT_FILE_NAME, read_project_file


def wrong_toml(root: Path) -> list[str]:
    """Blocks that are not TOML, not a project, or hold a table that could not stand in one."""
    return [
        f"{page.name}:{block.line}: {problem}"
        for page in pages_of(root)
        for block in page.blocks
        if block.language == "toml" and (problem := _problem(block))
    ]


def _problem(block: Block) -> str:
    try:
        content = tomllib.loads(block.text)
    except tomllib.TOMLDecodeError as error:
        return f"not TOML: {error}"
    try:
        if {"project", "model"} <= content.keys():
            _check_whole(block.text)
        else:
            _check_part(content)
    except (EdgeworthyError, msgspec.ValidationError) as error:
        return str(error)
    return ""


def _check_whole(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PROJECT_FILE_NAME
        path.write_text(text, encoding="utf-8")
        try:
            project = read_project_file(path)
        except EdgeworthyError as error:
            raise InputError(str(error).replace(f"{folder}/", "")) from error
    check_requirements(
        project.require,
        metric_names=_metrics_of(project.model.task),
        target_names=tuple(project.targets),
        corruption_names=selectable_names(),
    )


def _metrics_of(task: str) -> list[str]:
    return [*(each.name for each in metrics_of(task)), *corruption_metrics(task)]


def _check_part(content: dict[str, Any]) -> None:
    """A block shows some tables, perhaps without keys that are required; the rest must be right."""
    for field in msgspec.structs.fields(ProjectFile):
        if field.name in content:
            _decode(content[field.name], field.type)
    for each in content.get("require", ()):
        requirement = msgspec.convert(each, RequirementSection)
        names = [one for task in typing.get_args(Task) for one in _metrics_of(task)]
        check_requirements(
            [requirement],
            metric_names=names,
            target_names=[requirement.target],
            corruption_names=selectable_names(),
        )


def _decode(value: object, kind: Any) -> None:  # noqa: ANN401 - a type of any form
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if "missing required field" not in str(error):
            raise
