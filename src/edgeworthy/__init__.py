"""Get deep-learning models onto edge devices with evidence that travels.

The doors open on first use, so that importing the package costs next to nothing.

>>> import edgeworthy
>>> edgeworthy.Project.__name__
'Project'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgeworthy.version import __version__

if TYPE_CHECKING:
    from edgeworthy.errors import EdgeworthyError
    from edgeworthy.graph import inspect_model
    from edgeworthy.workflow.project import BuildResult, Project
    from edgeworthy.workflow.templates import make_project
    from edgeworthy.workflow.verification import verify_folder

_ROOM_OF = {
    "BuildResult": "workflow.project",
    "EdgeworthyError": "errors",
    "Project": "workflow.project",
    "inspect_model": "graph",
    "make_project": "workflow.templates",
    "verify_folder": "workflow.verification",
}

__all__ = [
    "BuildResult",
    "EdgeworthyError",
    "Project",
    "__version__",
    "inspect_model",
    "make_project",
    "verify_folder",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
