"""``docs/reference/cli.md``: every verb, argument and option."""

from __future__ import annotations

from collections.abc import Iterator

from reference.command_line import (
    PROGRAM,
    Command,
    Parameter,
    choices,
    commands,
    global_options,
)
from reference.markdown import code, code_block, document, table

_INTRODUCTION = """\
Every verb works on the project in the current folder, or on the one that `--project` names.
Results go to standard output; progress and errors go to standard error, so that `--json` can be
piped. Progress is shown on a terminal only, and colors are off when standard output is none or
`NO_COLOR` is set."""

_CLOSING = """\
An error is one paragraph on standard error that starts with its code, such as `error EW210`, and
never a traceback. [Errors and exit codes](errors.md) lists them all."""


def cli_page() -> str:
    """The page."""
    every = commands()
    overview = table(
        ["command", "what it does"],
        [[f"[`{each.title}`](#{anchor_of(each)})", each.summary] for each in every],
    )
    parts = [_INTRODUCTION, overview, "## Options before the verb", _options(global_options())]
    for each in every:
        parts += _command(each)
    return document("Command line", [*parts, "## When something is wrong", _CLOSING])


def anchor_of(command: Command) -> str:
    """The anchor of a verb's heading."""
    return "-".join([PROGRAM, *command.path])


def _command(command: Command) -> Iterator[str]:
    yield f"## `{command.title}`"
    yield command.summary
    yield code_block(_usage(command), "text")
    arguments = [each for each in command.parameters if each.is_argument]
    yield table(
        ["argument", "default", "what it is"],
        [[code(each.flags[0].upper()), each.default, each.help] for each in arguments],
    )
    yield _options([each for each in command.parameters if not each.is_argument])
    yield "Example:"
    yield code_block(command.example, "bash")


def _usage(command: Command) -> str:
    words = [command.title]
    for each in command.parameters:
        named = each.flags[0].upper() if each.is_argument else f"{each.flags[0]} {each.value}"
        words.append(named.strip() if each.required else f"[{named.strip()}]")
    return " ".join(words)


def _options(options: tuple[Parameter, ...] | list[Parameter]) -> str:
    rows = [
        [", ".join(code(flag) for flag in each.flags), choices(each), each.default, each.help]
        for each in options
    ]
    rows.append(["`--help`, `-h`", "switch", "off", "Show this help and exit."])
    return table(["option", "value", "default", "what it is"], rows)
