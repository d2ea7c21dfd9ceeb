"""The command line as data: verbs, arguments and options, read from the Typer app.

It is read from signatures and from Typer's public declarations rather than from the parser, whose
insides change from one version of Typer to the next.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from edgeworthy.cli.main import app
from reference.docstrings import docstring_of
from reference.markdown import alternatives, code

PROGRAM = "edgeworthy"


@dataclass(frozen=True)
class Parameter:
    """An argument or an option.

    Attributes:
        flags: For example ``("--project", "-p")``; the name of an argument.
        value: Stands for its value in a usage line; empty for a switch.
        default: In Markdown.
        required: Whether it must be given.
        help: What it is for.
        is_argument: Whether it is given by its place.
    """

    flags: tuple[str, ...]
    value: str
    default: str
    required: bool
    help: str
    is_argument: bool


@dataclass(frozen=True)
class Command:
    """A verb.

    Attributes:
        path: Words after the program's name.
        summary: One line.
        example: A command line.
        parameters: In order.
    """

    path: tuple[str, ...]
    summary: str
    example: str
    parameters: tuple[Parameter, ...]

    @property
    def title(self) -> str:
        """The whole command, without parameters."""
        return " ".join([PROGRAM, *self.path])

    @property
    def flags(self) -> frozenset[str]:
        """Every spelling of its options."""
        options = (each for each in self.parameters if not each.is_argument)
        return frozenset(flag for each in options for flag in each.flags)


def commands() -> tuple[Command, ...]:
    """Every verb, in the order of the help."""
    return tuple(_commands(app, ()))


def global_options() -> tuple[Parameter, ...]:
    """Options that stand before the verb."""
    registered = app.registered_callback
    return tuple(_parameters(registered.callback)) if registered and registered.callback else ()


def _commands(group: typer.Typer, path: tuple[str, ...]) -> Iterator[Command]:
    for each in group.registered_commands:
        if each.callback is None:
            raise TypeError(f"a command without a function below {path}")
        name = each.name or each.callback.__name__.replace("_", "-")
        described = docstring_of(each.callback)
        yield Command(
            path=(*path, name),
            summary=described.summary,
            example=described.example,
            parameters=tuple(_parameters(each.callback)),
        )
    for nested in group.registered_groups:
        if nested.typer_instance is not None and isinstance(nested.name, str):
            yield from _commands(nested.typer_instance, (*path, nested.name))


def _parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, default, info = _declared(hints[name], parameter.default)
        required = default is inspect.Parameter.empty
        is_argument = isinstance(info, ArgumentInfo)
        spelled = _spellings(info) or (f"--{name.replace('_', '-')}",)
        yield Parameter(
            flags=(name,) if is_argument else spelled,
            value="" if kind is bool else _value(kind, info),
            default="required" if required else _default(default),
            required=required,
            help=info.help or "",
            is_argument=is_argument,
        )


def _declared(hint: Any, default: Any) -> tuple[Any, Any, ArgumentInfo | OptionInfo]:  # noqa: ANN401 - a type and a value of any kind
    """Type, default and declaration, from ``Annotated`` or from ``= typer.Option(...)``."""
    if isinstance(default, OptionInfo | ArgumentInfo):
        return hint, default.default, default
    kind, *metadata = typing.get_args(hint)
    info = next(each for each in metadata if isinstance(each, OptionInfo | ArgumentInfo))
    return kind, default, info


def _spellings(info: ArgumentInfo | OptionInfo) -> tuple[str, ...]:
    """Inside ``Annotated`` the first spelling stands where a default value would."""
    first = info.default if isinstance(info.default, str) else ""
    return tuple(each for each in (first, *(info.param_decls or ())) if each.startswith("-"))


def _value(kind: Any, info: ArgumentInfo | OptionInfo) -> str:  # noqa: ANN401 - a type of any form
    if isinstance(info.metavar, str):
        return info.metavar
    if typing.get_origin(kind) is typing.Literal:
        return "|".join(typing.get_args(kind))
    return "PATH" if kind is Path or Path in typing.get_args(kind) else "TEXT"


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(str(value))


def choices(parameter: Parameter) -> str:
    """The value of an option, in Markdown."""
    if not parameter.value:
        return "switch"
    if "|" in parameter.value:
        return alternatives(parameter.value.split("|"))
    return code(parameter.value)
