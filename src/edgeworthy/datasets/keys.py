"""Which of a set of named arrays or columns are inputs, labels and slices.

Rules:

1. What the project file names is taken; a name that does not exist is answered with the nearest.
2. What it leaves out is found by the names that people commonly use, never by guessing further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.reading import (
    INPUT_NAMES,
    LABEL_NAMES,
    default_name,
    listed,
    require_name,
)
from edgeworthy.errors import DatasetError


@dataclass(frozen=True)
class ArrayKeys:
    """Names of arrays: per model input, of the labels, and per slice column."""

    inputs: dict[str, str]
    labels: str
    slices: tuple[str, ...]


def label_key(declaration: Declaration, known: Sequence[str], *, what: str, where: str) -> str:
    """The array or column that holds the labels.

    Raises:
        DatasetError: There is none.
    """
    wanted = declaration.section.labels
    if wanted:
        return require_name(wanted, known, what=what, where=where)
    found = default_name(LABEL_NAMES, known)
    if found is None:
        raise DatasetError(
            f"no {what} with the labels",
            expected=f"one of {listed(LABEL_NAMES)}",
            found=listed(known),
            where=where,
            next_step=f'Name it in the project file: [{declaration.where}] labels = "..."',
        )
    return found


def slice_keys(
    declaration: Declaration, known: Sequence[str], *, what: str, where: str
) -> tuple[str, ...]:
    """The arrays or columns that group samples, as declared."""
    return tuple(
        require_name(name, known, what=what, where=where) for name in declaration.section.slices
    )


def array_keys(declaration: Declaration, known: Sequence[str], *, where: str) -> ArrayKeys:
    """Choose among named arrays.

    Args:
        declaration: Of the data set.
        known: Names of the arrays.
        where: The file, for error messages.

    Raises:
        DatasetError: A declared name does not exist, or none was declared and none is obvious.
    """
    labels = label_key(declaration, known, what="array", where=where)
    slices = slice_keys(declaration, known, what="array", where=where)
    inputs: dict[str, str] = {}
    for name, key in declaration.section.inputs.items():
        keys = (key,) if isinstance(key, str) else key
        if len(keys) != 1:
            raise DatasetError(
                f"input `{name}` must come from one array",
                found=listed(keys),
                where=declaration.where,
                next_step="Join the arrays in the file, or name one of them",
            )
        inputs[name] = require_name(keys[0], known, what="array", where=where)
    return ArrayKeys(inputs or {"": _only_input(declaration, known, labels, where)}, labels, slices)


def _only_input(declaration: Declaration, known: Sequence[str], labels: str, where: str) -> str:
    rest = [name for name in known if name != labels and name not in declaration.section.slices]
    found = default_name(INPUT_NAMES, rest)
    if found is None and len(rest) == 1:
        found = rest[0]
    if found is None:
        raise DatasetError(
            "no array with the samples",
            expected=f"one of {listed(INPUT_NAMES)}",
            found=listed(rest),
            where=where,
            next_step="Name it in the project file: "
            f'[{declaration.where}] inputs = {{ MODEL_INPUT = "..." }}',
        )
    return found
