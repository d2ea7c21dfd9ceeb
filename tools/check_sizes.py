"""Fails when a file or a function has grown too long, or a module has a name that says nothing.

Rules:

1. A file: 250 lines is the aim, 400 a warning, more than 600 a failure.
2. A function: 30 lines is the aim, more than 60 a failure; at most six parameters.
3. No module is called utils, helpers, common, misc, manager or core.

Usage: ``python tools/check_sizes.py [FOLDER ...]`` (default: src, tests, tools, examples,
benchmarks).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_WARNING_LINES = 400
FILE_LIMIT_LINES = 600
FUNCTION_LIMIT_LINES = 60
PARAMETER_LIMIT = 6
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "core"}
FOLDERS = ("src", "tests", "tools", "examples", "benchmarks")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(arguments: list[str]) -> int:
    """Check every Python file below the folders; the exit code is 1 when one breaks a limit."""
    folders = [Path(argument) for argument in arguments] or [Path(name) for name in FOLDERS]
    paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
    failures = [failure for path in paths for failure in check_file(path)]
    for path in paths:
        lines = _line_count(path)
        if FILE_WARNING_LINES < lines <= FILE_LIMIT_LINES:
            print(f"warning: {path}: {lines} lines (aim for 250)")
    for failure in failures:
        print(f"error: {failure}")
    print(f"sizes: {len(paths)} files read, {len(failures)} failures")
    return 1 if failures else 0


def check_file(path: Path) -> Iterator[str]:
    """The limits that one file breaks, one sentence each."""
    if path.stem in EMPTY_NAMES:
        yield f"{path}: the name says nothing about what lives there"
    lines = _line_count(path)
    if lines > FILE_LIMIT_LINES:
        yield f"{path}: {lines} lines, the limit is {FILE_LIMIT_LINES}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield from _check_function(path, node)


def _check_function(path: Path, node: Function) -> Iterator[str]:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if length > FUNCTION_LIMIT_LINES:
        yield f"{path}:{node.lineno}: {node.name} has {length} lines, the limit is 60"
    is_command = "cli" in path.parts or "tests" in path.parts
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    count = sum(argument.arg not in {"self", "cls"} for argument in arguments)
    if count > PARAMETER_LIMIT and not is_command:
        yield f"{path}:{node.lineno}: {node.name} has {count} parameters, the limit is 6"


def _line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
