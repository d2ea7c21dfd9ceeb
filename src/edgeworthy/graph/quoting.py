"""Names from a file that may be hostile, made fit for one line of text.

Rules:

1. A name is cut at 60 characters and its control characters are escaped, so that a message stays
   one paragraph and cannot steer a terminal.
2. A list of names shows the first five and says how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 60
_MOST = 5


def quoted(name: object) -> str:
    r"""A name in back quotes, short and printable.

    >>> quoted("conv1.weight"), quoted("a\x1b[2Jb")
    ('`conv1.weight`', '`a\\x1b[2Jb`')
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name)
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"`{''.join(_printable(character) for character in short)}`"


def quoted_list(names: Iterable[object]) -> str:
    """Names in back quotes, the first five of them.

    >>> quoted_list("abcdefg")
    '`a`, `b`, `c`, `d`, `e` and 2 more'
    """
    every = list(names)
    head = ", ".join(quoted(name) for name in every[:_MOST])
    rest = len(every) - _MOST
    return f"{head} and {rest} more" if rest > 0 else head


def one_line(error: object, *, longest: int = 300) -> str:
    r"""The text of a foreign error on one line, printable and cut.

    >>> one_line(ValueError("first\nsecond"))
    'first second'
    """
    text = " ".join(str(error).split())
    short = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join(_printable(character) for character in short).rstrip(".")


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
