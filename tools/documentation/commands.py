"""Commands on pages exist, with the flags that they are shown with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from documentation.pages import Page, pages_of
from reference.command_line import PROGRAM, Command, commands, global_options

_SHELLS = {"bash", "sh", "shell", "yaml"}
_END = re.compile(r"^(\||\|\||&&?|;|\d?>{1,2}.*|<.*|\)|`)$")
_HELP = {"--help", "-h"}


def wrong_commands(root: Path) -> list[str]:
    """Command lines with an unknown verb, an unknown flag or too many arguments."""
    known = {each.path: each for each in commands()}
    failures = []
    for page in pages_of(root):
        for number, line in command_lines(page):
            for words in _calls(line):
                problem = _problem(words, known)
                if problem:
                    failures.append(f"{page.name}:{number}: `{line.strip()}`: {problem}")
    return failures


def command_lines(page: Page) -> Iterator[tuple[int, str]]:
    """Lines that a reader would type, with their numbers; continued lines are joined."""
    for block in page.blocks:
        session = block.language == "console"
        if session or block.language in _SHELLS:
            for offset, line in _joined(block.text):
                if not session or line.startswith("$ "):
                    yield block.line + offset, line.removeprefix("$ ")
    for number, span in page.code_spans:
        if span.startswith(f"{PROGRAM} "):
            yield number, span


def _joined(text: str) -> Iterator[tuple[int, str]]:
    start, collected = 0, ""
    for offset, line in enumerate(text.splitlines()):
        start = offset if not collected else start
        collected += line.removesuffix("\\")
        if not line.endswith("\\"):
            yield start, collected
            collected = ""


def _calls(line: str) -> Iterator[list[str]]:
    """The words after each occurrence of the program, up to the end of the command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        words = line.split()
    for index, word in enumerate(words):
        if word == PROGRAM:
            rest = words[index + 1 :]
            ends = (place for place, each in enumerate(rest) if _END.match(each))
            yield rest[: next(ends, len(rest))]


def _problem(words: list[str], known: dict[tuple[str, ...], Command]) -> str:
    ahead = {flag for each in global_options() for flag in each.flags} | _HELP
    while words and words[0] in ahead:
        words = words[1:]
    if not words:
        return ""
    length = max((len(path) for path in known if path == tuple(words[: len(path)])), default=0)
    if length == 0:
        is_group = any(path[: len(words)] == tuple(words) for path in known)
        return "" if is_group else f"there is no verb `{words[0]}`"
    return _wrong_parameters(known[tuple(words[:length])], words[length:])


def _wrong_parameters(command: Command, words: list[str]) -> str:
    values = {flag: each.value for each in command.parameters for flag in each.flags}
    places = sum(each.is_argument for each in command.parameters)
    given, waiting = 0, 0
    for word in words:
        if waiting:
            waiting -= 1
        elif word.startswith("-") and word != "-":
            flag, equals, _ = word.partition("=")
            if flag not in command.flags | _HELP:
                return f"`{command.title}` has no option `{flag}`"
            # `OLD NEW` stands for two values.
            waiting = 0 if equals else len(values.get(flag, "").split())
        else:
            given += 1
    return f"`{command.title}` takes {places} arguments, not {given}" if given > places else ""
