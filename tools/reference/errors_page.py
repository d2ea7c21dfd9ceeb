"""``docs/reference/errors.md``: the error tree and the exit codes."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

from edgeworthy import errors
from edgeworthy.errors import EdgeworthyError
from reference.docstrings import docstring_of
from reference.markdown import code, code_block, document, table

_INTRODUCTION = """\
An error is one paragraph: where, what is wrong, what was expected, what was found, what to do next.
It starts with a code that never changes its meaning, so that scripts and search engines can rely
on it. `--debug` before the verb shows the traceback as well.

In Python, every error that Edgeworthy raises on purpose is an `edgeworthy.EdgeworthyError`; each
class below it is one decision that a caller can take."""

_EXIT_CODES = {
    0: "done",
    1: "failed: an input cannot be used, or the work failed",
    2: "usage: the command line or the project file is wrong",
    3: "the gate refused: a requirement failed or could not be settled",
    4: "verification failed: the release is not what was signed, or a key does not fit",
    130: "stopped by Ctrl-C; finished steps are kept",
}


def errors_page() -> str:
    """The page."""
    every = sorted(error_classes(), key=lambda each: each.code)
    rows = [
        [
            code(each.code),
            code(each.__name__),
            str(each.exit_code),
            docstring_of(each).summary,
            "" if each is EdgeworthyError else code(each.__mro__[1].__name__),
        ]
        for each in every
    ]
    unknown = {each.exit_code for each in every} - set(_EXIT_CODES)
    if unknown:
        raise ValueError(f"exit codes without a meaning: {unknown}")
    exit_rows = [[str(number), meaning] for number, meaning in _EXIT_CODES.items()]
    return document(
        "Errors and exit codes",
        [
            _INTRODUCTION,
            "## Exit codes",
            table(["exit code", "meaning"], exit_rows),
            "## Errors",
            table(["code", "class", "exit code", "meaning", "is a"], rows),
            "## The tree",
            code_block(_tree(), "text"),
        ],
    )


def error_classes() -> Iterator[type[EdgeworthyError]]:
    """Every class of the tree."""
    for _, each in inspect.getmembers(errors, inspect.isclass):
        if issubclass(each, EdgeworthyError):
            yield each


def _tree() -> str:
    _, _, drawn = inspect.cleandoc(errors.__doc__ or "").partition("::\n")
    drawing, _, _ = drawn.lstrip("\n").partition("\n\n")
    return textwrap.dedent(drawing)
