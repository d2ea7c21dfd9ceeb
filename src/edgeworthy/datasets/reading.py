"""What every format does when it meets the file system and the names in a project file.

Rules:

1. What the operating system refuses comes out as :class:`DatasetError` naming the path.
2. A name that does not exist is answered with the nearest one that does.
3. Any value of a slice has exactly one text, whichever format it was stored in.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from edgeworthy.datasets.base import Declaration
from edgeworthy.errors import DatasetError

#: Names that are taken for the samples when the project file names none, in this order.
INPUT_NAMES = ("x", "X", "input", "inputs", "samples", "features", "images", "data")
#: Names that are taken for the labels when the project file names none, in this order.
LABEL_NAMES = ("y", "Y", "label", "labels", "target", "targets", "class")

_LISTED_NAMES = 12


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to read ``path`` into :class:`DatasetError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError(
            "no such file or folder",
            where=str(path),
            next_step=_nearest_file(path) or "Check the path",
        ) from error
    except PermissionError as error:
        raise DatasetError(
            "cannot be read: permission denied",
            where=str(path),
            next_step="Give yourself permission to read it, for example with chmod u+rX",
        ) from error
    except OSError as error:
        raise DatasetError(
            f"cannot be read: {error.strerror or error}",
            where=str(path),
            next_step="Check that the file is whole and on a disk that can be read",
        ) from error


def _nearest_file(path: Path) -> str:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    return nearest(path.name, siblings)


def nearest(name: str, known: Collection[str]) -> str:
    """A question that proposes the known name closest to ``name``; empty if none is close.

    >>> nearest("lables", ["labels", "samples"])
    'Did you mean `labels`?'
    """
    matches = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean `{matches[0]}`?" if matches else ""


def listed(names: Collection[str]) -> str:
    """Names for an error message, not too many of them.

    >>> listed(["b", "a"])
    '`a`, `b`'
    """
    ordered = sorted(names)
    text = ", ".join(f"`{name}`" for name in ordered[:_LISTED_NAMES])
    rest = len(ordered) - _LISTED_NAMES
    return (f"{text} and {rest} more" if rest > 0 else text) or "none"


def require_name(wanted: str, known: Sequence[str], *, what: str, where: str) -> str:
    """``wanted`` if it is known.

    Raises:
        DatasetError: It is not; the message proposes the nearest name.
    """
    if wanted in known:
        return wanted
    raise DatasetError(
        f"there is no {what} `{wanted}`",
        expected=f"one of {listed(known)}",
        where=where,
        next_step=nearest(wanted, known).rstrip("?") or "Name one of these in the project file",
    )


def default_name(candidates: Sequence[str], known: Sequence[str]) -> str | None:
    """The first candidate that is known."""
    return next((name for name in candidates if name in known), None)


def selected_rows(declaration: Declaration, total: int) -> range:
    """The samples that ``rows`` selects out of ``total``.

    Raises:
        DatasetError: The range is empty or reaches outside.
    """
    if declaration.section.rows is None:
        return range(total)
    first, last = declaration.section.rows
    if not 0 <= first < last <= total:
        raise DatasetError(
            "`rows` selects samples that are not there",
            expected=f"[first, last] with 0 <= first < last <= {total}",
            found=f"[{first}, {last}]",
            where=declaration.where,
            next_step=f"The set holds {total} samples: choose a range within it",
        )
    return range(first, last)


def as_text(value: object) -> str:
    """The one text of a value that names a class or a slice.

    >>> as_text(np.int8(3)), as_text(3.0), as_text(True), as_text(b"left")
    ('3', '3', 'true', 'left')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
