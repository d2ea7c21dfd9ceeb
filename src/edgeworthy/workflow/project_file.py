"""Reading ``edgeworthy.toml``.

Rules:

1. Strict: an unknown key, a missing key, a wrong type is an error.
2. The error names the file, the line, the path inside the file, what was found, and for a
   misspelt key the nearest valid one.
3. Names that refer to each other are checked here, before any work is done.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from edgeworthy.documents.project import ProjectFile, RequirementSection
from edgeworthy.errors import ProjectFileError

PROJECT_FILE_NAME = "edgeworthy.toml"

_AT = re.compile(r" - at (?:key in )?`\$(?P<path>.*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]+)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_project_file(path: Path) -> ProjectFile:
    """Read and check a project file.

    Args:
        path: The file, or the folder that holds ``edgeworthy.toml``.

    Raises:
        ProjectFileError: It is missing, is not TOML, or says what makes no sense.
    """
    path = find_project_file(path)
    text = _read_text(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectFileError(
            f"not valid TOML: {error}", where=str(path), next_step="Correct that line"
        ) from error
    try:
        project = msgspec.convert(raw, ProjectFile)
    except msgspec.ValidationError as error:
        raise _explain(str(error), path, text, raw) from error
    _check_references(project, path, text)
    return project


def find_project_file(path: Path) -> Path:
    """The project file itself, given it or its folder.

    Raises:
        ProjectFileError: There is none.
    """
    candidate = path / PROJECT_FILE_NAME if path.is_dir() else path
    if not candidate.is_file():
        raise ProjectFileError(
            "no project file here",
            expected=f"a file named {PROJECT_FILE_NAME}",
            where=str(candidate),
            next_step="Make one with `edgeworthy init digits FOLDER`, or name one with --project",
        )
    return candidate


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence about the valid names, the nearest first.

    >>> nearest("acuracy", ["accuracy", "size_kib"])
    'Did you mean `accuracy`?'
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Valid are {', '.join(f'`{each}`' for each in names)}" if names else ""


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    r"""The line on which a key or table stands, counted from 1; None when it cannot be told.

    Args:
        text: The TOML source.
        path: Keys from the root; an index into an array of tables is a decimal string.

    >>> line_of("[model]\npath = 1\n", ("model", "path"))
    2
    """
    best: int | None = None
    current: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[{1,2})\s*([^\]]+?)\s*\]", line)
        if header:
            name = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                index = counts.get(header[2], -1) + 1
                counts[header[2]] = index
                name = (*name, str(index))
            current = name
            if path[: len(current)] == current:
                best = number
                if len(current) == len(path):
                    return number
            continue
        key = re.match(r"\s*([A-Za-z0-9_\-\"'.]+)\s*=", line)
        if key:
            full = (*current, *(part.strip("\"'") for part in key[1].split(".")))
            if full == path:
                return number
            if path[: len(full)] == full:
                best = number
    return best


def placed(error: ProjectFileError, path: Path) -> ProjectFileError:
    """The same error with the file and the line in front of the key that it names.

    Args:
        error: Its ``where`` is a dotted path such as ``require[0].metric``.
        path: The project file.
    """
    keys = tuple(one or two for one, two in _STEP.findall(f".{error.where}"))
    return ProjectFileError(
        error.problem,
        expected=error.expected,
        found=error.found,
        where=_place(path, _read_text(path), keys),
        next_step=error.next_step,
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectFileError(f"cannot be read: {error}", where=str(path)) from error


def _place(path: Path, text: str, keys: tuple[str, ...]) -> str:
    line = line_of(text, keys)
    dotted = ""
    for key in keys:
        dotted += f"[{key}]" if key.isdecimal() else (f".{key}" if dotted else key)
    position = f"{path}:{line}" if line else str(path)
    return f"{position} ({dotted})" if dotted else position


def _explain(message: str, path: Path, text: str, raw: dict[str, Any]) -> ProjectFileError:
    at = _AT.search(message)
    keys = tuple(one or two for one, two in _STEP.findall(at["path"])) if at else ()
    problem = _AT.sub("", message)
    unknown = _UNKNOWN.search(problem)
    if unknown:
        valid = _fields_at(ProjectFile, keys)
        found = (*_resolve(message, raw, keys), unknown["key"])
        return ProjectFileError(
            f"unknown key `{unknown['key']}`",
            where=_place(path, text, found),
            next_step=nearest(unknown["key"], valid),
        )
    return ProjectFileError(
        problem[0].lower() + problem[1:],
        where=_place(path, text, _resolve(message, raw, keys)),
        next_step="Correct the value; docs/reference/project-file.md describes every key",
    )


def _resolve(message: str, raw: dict[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Replace msgspec's ``...`` (any key of a mapping) by the key that the message is about.

    A mapping that is cut down to that key alone gives the same message again.
    """
    for depth, key in enumerate(keys):
        if key != "...":
            continue
        for name in _mapping_at(raw, keys[:depth]):
            candidate = _with_only(raw, keys[:depth], name)
            try:
                msgspec.convert(candidate, ProjectFile)
            except msgspec.ValidationError as error:
                if str(error) == message:
                    return _resolve(message, candidate, (*keys[:depth], name, *keys[depth + 1 :]))
    return keys


def _mapping_at(raw: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    value: Any = raw
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value if isinstance(value, dict) else {}


def _with_only(raw: dict[str, Any], keys: tuple[str, ...], name: str) -> dict[str, Any]:
    """A copy of the file's content in which the mapping at ``keys`` has one entry."""
    if not keys:
        return {name: raw[name]}
    return {**raw, keys[0]: _with_only(raw[keys[0]], keys[1:], name)}


def _fields_at(root: type[msgspec.Struct], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the keys that are valid at a path of the project file."""
    kind: Any = root
    for key in keys:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            hints = typing.get_type_hints(kind, include_extras=False)
            kind = _strip_optional(hints.get(key, kind))
        else:
            arguments = typing.get_args(kind)
            kind = _strip_optional(arguments[-1] if arguments[-1:] != (...,) else arguments[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return ()


def _strip_optional(kind: object) -> Any:  # noqa: ANN401 - a type of any form
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return next(part for part in typing.get_args(kind) if part is not type(None))
    return kind


def _check_references(project: ProjectFile, path: Path, text: str) -> None:
    if "evaluation" not in project.data:
        raise ProjectFileError(
            "no evaluation data",
            expected="a table [data.evaluation] with labelled samples",
            where=str(path),
            next_step="Add [data.evaluation]; docs/guides/datasets.md shows each format",
        )
    for name, section in project.data.items():
        if bool(section.path) == bool(section.function):
            raise ProjectFileError(
                "give either `path` or `function`", where=_place(path, text, ("data", name))
            )
    for index, requirement in enumerate(project.require):
        _check_requirement(project, requirement, _place(path, text, ("require", str(index))))
    if project.model.task == "classification" and not project.model.labels:
        raise ProjectFileError(
            "a classifier without `labels`",
            expected="the class names in the order of the output",
            where=_place(path, text, ("model",)),
        )


def _check_requirement(project: ProjectFile, requirement: RequirementSection, where: str) -> None:
    bounds = (requirement.at_least, requirement.at_most, requirement.drop_at_most)
    given = sum(bound is not None for bound in bounds)
    if given != 1:
        raise ProjectFileError(
            "one bound is needed",
            expected="exactly one of `at_least`, `at_most`, `drop_at_most`",
            found=f"{given} of them",
            where=where,
        )
    if requirement.target and requirement.target not in project.targets:
        raise ProjectFileError(
            f"unknown target `{requirement.target}`",
            where=where,
            next_step=nearest(requirement.target, project.targets),
        )
