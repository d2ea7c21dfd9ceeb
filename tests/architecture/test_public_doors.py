"""Each room's doors: what ``__all__`` names can be opened, and nothing else looks public."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import edgeworthy

ROOMS = sorted(
    module.name
    for module in pkgutil.iter_modules(edgeworthy.__path__)
    if module.ispkg and module.name not in {"cli", "documents", "templates", "workflow"}
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_its_doors_and_each_opens(room: str) -> None:
    module = importlib.import_module(f"edgeworthy.{room}")
    assert len(inspect.getdoc(module) or "") > len("What the room is for.")
    assert list(module.__all__) == sorted(module.__all__, key=_constants_classes_functions)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("room", ROOMS)
def test_what_looks_like_a_door_is_one(room: str) -> None:
    module = importlib.import_module(f"edgeworthy.{room}")
    looking = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith("edgeworthy.")
    }
    assert looking - set(module.__all__) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_the_doors_are_what_the_room_brings_in(room: str) -> None:
    path = importlib.import_module(f"edgeworthy.{room}").__file__ or ""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    brought = [
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("edgeworthy.")
        for name in node.names
    ]
    assert sorted(brought) == sorted(importlib.import_module(f"edgeworthy.{room}").__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_no_door_that_opens_on_first_use_has_the_name_of_a_module(room: str) -> None:
    module = importlib.import_module(f"edgeworthy.{room}")
    if hasattr(module, "__getattr__"):  # else the module's import is over when the door is made
        modules = {each.name for each in pkgutil.iter_modules(module.__path__)}
        assert modules & set(module.__all__) == set()


def test_the_package_opens_on_first_use() -> None:
    assert sorted(edgeworthy.__all__) == dir(edgeworthy)
    for name in edgeworthy.__all__:
        assert getattr(edgeworthy, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Projekt'"):
        edgeworthy.Projekt  # noqa: B018 - the access is the test


def _constants_classes_functions(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name
