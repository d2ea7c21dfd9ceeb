"""A function of the project's own: found, imported, and its failures named.

Rules:

1. ``module:function`` is a file of the project's folder; nothing installed is imported instead.
2. Modules of two projects do not mix, even if they have the same name.
3. What the function raises, also while it is iterated, comes out as :class:`DatasetError`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.reading import nearest
from edgeworthy.errors import DatasetError, EdgeworthyError, ProjectFileError


def function_name(declaration: Declaration) -> str:
    """How error messages call the function."""
    return f"{declaration.where}, function `{declaration.section.function}`"


@contextlib.contextmanager
def foreign_errors(declaration: Declaration) -> Iterator[None]:
    """Turn whatever the project's own code raises into :class:`DatasetError`."""
    try:
        yield
    except EdgeworthyError:
        raise
    except (Exception, SystemExit) as error:
        raise DatasetError(
            f"the function failed with {type(error).__name__}: {error}",
            where=function_name(declaration),
            next_step="Call the function from a Python prompt to see where",
        ) from error


def imported_function(declaration: Declaration) -> Callable[[], Any]:
    """The function that a data section names.

    Raises:
        DatasetError: Its module fails while it is imported.
        ProjectFileError: The name is malformed or leads nowhere.
    """
    module_name, _, attribute = declaration.section.function.partition(":")
    parts = module_name.split(".")
    if not attribute.isidentifier() or not all(part.isidentifier() for part in parts):
        raise ProjectFileError(
            "malformed name of a function",
            expected="`module:function`, for example `data:evaluation`",
            found=f"`{declaration.section.function}`",
            where=f"{declaration.where}.function",
        )
    path = declaration.folder.joinpath(*parts).with_suffix(".py")
    if not path.is_file():
        raise ProjectFileError(
            f"there is no module `{module_name}` in the project's folder",
            expected=str(path),
            where=f"{declaration.where}.function",
            next_step=nearest(path.name, [entry.name for entry in path.parent.glob("*.py")])
            or "Put the module beside edgeworthy.toml",
        )
    module = _loaded(path, declaration)
    function = getattr(module, attribute, None)
    if not callable(function):
        raise ProjectFileError(
            f"there is no function `{attribute}` in `{path.name}`",
            where=f"{declaration.where}.function",
            next_step=nearest(attribute, [name for name in vars(module) if name[0] != "_"]),
        )
    return function  # type: ignore[no-any-return]  # getattr knows no types


def _loaded(path: Path, declaration: Declaration) -> ModuleType:
    # A name of its own, so that modules of two projects with the same name do not mix.
    name = f"_edgeworthy_{path.stem}_{hashlib.sha256(bytes(path.resolve())).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DatasetError("not a Python module", where=str(path))
    module = importlib.util.module_from_spec(spec)
    folder = str(declaration.folder.resolve())
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        with foreign_errors(declaration):
            spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module
