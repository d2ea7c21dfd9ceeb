"""JSON from strangers: it is what it seems to be, or it is refused.

Rules:

1. UTF-8, at most as many bytes as the caller allows; no byte order mark, and no half of a
   surrogate pair, which could never be written again.
2. No key twice in an object, no NaN, no infinity, no number that overflows into one.
3. Nesting that would exhaust the stack is an error like any other.
4. Every refusal is a :class:`VerificationError` that names the place.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from edgeworthy.errors import VerificationError

RecordT = TypeVar("RecordT")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_strictly(data: bytes, *, where: str, largest_bytes: int) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        data: The text.
        where: What it came from, for the error message.
        largest_bytes: More than this is refused unread.

    Raises:
        VerificationError: One of the rules above is broken.

    >>> parse_strictly(b'{"a": 1}', where="example", largest_bytes=100)
    {'a': 1}
    """
    if len(data) > largest_bytes:
        raise VerificationError(
            "larger than it may be",
            expected=f"at most {largest_bytes} bytes",
            found=f"{len(data)}",
            where=where,
        )
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        if _ESCAPED_SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"not acceptable JSON: {error}", where=where) from error
    if not isinstance(value, dict):
        raise VerificationError(
            "not a JSON object", expected="an object", found=type(value).__name__, where=where
        )
    return value


def convert_strictly(value: object, record_type: type[RecordT], *, where: str) -> RecordT:
    """Convert parsed JSON to a record.

    Raises:
        VerificationError: A field is missing, unknown or of the wrong type.
    """
    try:
        return msgspec.convert(value, type=record_type)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
        raise VerificationError(f"not a valid record: {error}", where=where) from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:80]} is too large a number")
    return value
