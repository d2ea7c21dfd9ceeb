"""Projects to start from.

Rules:

1. A template is copied whole or not at all, and never over something that is there.
2. What a template holds was made by a script in ``examples/``.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from edgeworthy.errors import UsageError
from edgeworthy.files import folder_written_whole
from edgeworthy.workflow.project_file import PROJECT_FILE_NAME, nearest


def template_names() -> tuple[str, ...]:
    """All templates, sorted.

    >>> template_names()
    ('digits', 'wearable')
    """
    folder = resources.files("edgeworthy") / "templates"
    return tuple(
        sorted(each.name for each in folder.iterdir() if (each / PROJECT_FILE_NAME).is_file())
    )


def make_project(template: str, folder: Path) -> Path:
    """Copy a template; returns the folder.

    Args:
        template: One of :func:`template_names`.
        folder: Where to; must not exist, or be empty.

    Raises:
        UsageError: There is no such template, or something is in the folder.
        StorageError: It cannot be written there.
    """
    if template not in template_names():
        raise UsageError(f"no template `{template}`", next_step=nearest(template, template_names()))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "something is there already",
            expected="a folder that does not exist, or an empty one",
            where=str(folder),
            next_step="Choose another folder",
        )
    source = resources.files("edgeworthy") / "templates" / template
    with resources.as_file(source) as files, folder_written_whole(folder) as fresh:
        for each in sorted(files.iterdir()):
            if each.is_file():
                shutil.copyfile(each, fresh / each.name)
    return folder
