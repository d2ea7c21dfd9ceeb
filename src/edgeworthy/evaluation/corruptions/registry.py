"""Every corruption, found in its folder.

Rules:

1. One file, one corruption: a new file is a new member of the family, and the family's laws are
   tested on it without another line.
2. The order is that of the groups and files, the same everywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

from edgeworthy.documents.project import SampleKind
from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.corruptions import features, images, series, sounds, tables
from edgeworthy.evaluation.corruptions.base import Corruption

#: A corruption, whatever its levels are made of.
AnyCorruption: TypeAlias = Corruption[Any]

_FOLDERS: dict[SampleKind, ModuleType] = {
    "image": images,
    "sound": sounds,
    "series": series,
    "table": tables,
    "features": features,
}
_GROUP_ORDER = ("noise", "blur", "weather", "digital", "camera")


@cache
def corruptions_of(kind: SampleKind) -> tuple[AnyCorruption, ...]:
    """All corruptions of a kind of samples, group by group."""
    folder = _FOLDERS[kind]
    found: list[AnyCorruption] = []
    for module in pkgutil.iter_modules(folder.__path__):
        name = f"{folder.__name__}.{module.name}"
        found += [
            value()
            for value in vars(importlib.import_module(name)).values()
            if isinstance(value, type) and value.__module__ == name
        ]
    return tuple(sorted(found, key=_place))


@cache
def every_corruption() -> tuple[AnyCorruption, ...]:
    """All corruptions of all kinds."""
    return tuple(each for kind in _FOLDERS for each in corruptions_of(kind))


def selectable_names() -> tuple[str, ...]:
    """Names of corruptions and of groups, as a requirement selects them."""
    every = every_corruption()
    return tuple(dict.fromkeys((*(each.name for each in every), *(each.group for each in every))))


def chosen_corruptions(
    kind: SampleKind, names: Sequence[str], *, leave_out: Iterable[str] = ()
) -> tuple[AnyCorruption, ...]:
    """The corruptions of a kind that are asked for by their names or groups; all for no names.

    Raises:
        ProjectFileError: A name is none of this kind.
    """
    every = corruptions_of(kind)
    known = {name for each in every for name in (each.name, each.group)}
    left_out = set(leave_out)
    for name in (*names, *left_out):
        if name not in known:
            raise ProjectFileError(
                f"there is no corruption `{name}` of {kind} samples",
                expected=f"one of {', '.join(sorted(known))}",
                where="evaluate.corruptions",
                next_step="docs/reference/corruptions.md lists all of them",
            )
    return tuple(
        each
        for each in every
        if not left_out & {each.name, each.group}
        and (not names or {each.name, each.group} & set(names))
    )


def _place(corruption: AnyCorruption) -> tuple[int, str, str]:
    group = corruption.group
    place = _GROUP_ORDER.index(group) if group in _GROUP_ORDER else len(_GROUP_ORDER)
    return place, group, corruption.name
