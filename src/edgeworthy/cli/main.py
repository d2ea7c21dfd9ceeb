"""The ``edgeworthy`` command.

Rules:

1. An error is one paragraph on standard error, never a traceback; ``--debug`` shows it.
2. Exit codes: 0 done, 1 failed, 2 usage, 3 the gate refused, 4 verification failed, 130 Ctrl-C.
3. Results go to standard output; progress and errors to standard error.
4. Nothing slow is imported before a verb needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import typer

from edgeworthy.cli import (
    agent,
    build,
    demo,
    doctor,
    evaluate,
    gate,
    init,
    inspect,
    keys,
    measure,
    optimize,
    publish,
    release,
    report,
    scan,
    trust,
    verify,
)
from edgeworthy.errors import EdgeworthyError, Interrupted, StorageError, UsageError
from edgeworthy.version import __version__

app = typer.Typer(
    name="edgeworthy",
    help="Get deep-learning models onto edge devices with evidence that travels.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edgeworthy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks of errors."),
) -> None:
    """Get deep-learning models onto edge devices with evidence that travels."""
    if debug:
        os.environ["EDGEWORTHY_DEBUG"] = "1"


_START = "Start here"
_STEPS = "The steps of a build, each on its own"
_TRUST = "Trust"
_DEVICE = "On a device"

_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("init", init.init, _START),
    ("build", build.build, _START),
    ("doctor", doctor.doctor, _START),
    ("inspect", inspect.inspect, _STEPS),
    ("scan", scan.scan, _STEPS),
    ("optimize", optimize.optimize, _STEPS),
    ("measure", measure.measure, _STEPS),
    ("evaluate", evaluate.evaluate, _STEPS),
    ("gate", gate.gate, _STEPS),
    ("release", release.release, _STEPS),
    ("report", report.report, _STEPS),
    ("verify", verify.verify, _TRUST),
    ("publish", publish.publish, _TRUST),
)
for _name, _function, _panel in _COMMANDS:
    app.command(_name, rich_help_panel=_panel)(_function)
app.add_typer(keys.app, name="keys", rich_help_panel=_TRUST)
app.add_typer(trust.app, name="trust", rich_help_panel=_TRUST)
app.add_typer(agent.app, name="agent", rich_help_panel=_DEVICE)
app.add_typer(demo.app, name="demo", rich_help_panel=_DEVICE)


_STOPPED = "stopped by Ctrl-C; what was finished is kept"


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    if code == Interrupted.exit_code:
        # When Ctrl-C came in the middle of an import, Python would end itself by the signal
        # although the interrupt was handled; everything is closed by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command; returns its exit code.

    Args:
        arguments: Without the program's name.
    """
    os.environ.pop("EDGEWORTHY_DEBUG", None)
    try:
        code = app(arguments, prog_name="edgeworthy", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(Interrupted(_STOPPED))
    except EdgeworthyError as error:
        return _fail(error)
    except BrokenPipeError:
        _forget_output()
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence; rule 1
        return _fail(_unforeseen(error))
    if code == Interrupted.exit_code:  # Typer turns Ctrl-C into the code before we see it
        return _fail(Interrupted(_STOPPED))
    return code if isinstance(code, int) else 0


@runtime_checkable
class _WrongUsage(Protocol):
    """What Typer raises when it cannot make sense of the command line."""

    exit_code: int

    def format_message(self) -> str: ...


def _unforeseen(error: Exception) -> EdgeworthyError:
    if isinstance(error, _WrongUsage):
        # What checks the values says so before the message; a reader has no use for that.
        problem = error.format_message().strip().rstrip(".").replace(": Value error, ", ": ")
        return UsageError(
            problem[:1].lower() + problem[1:], next_step="`edgeworthy --help` lists what there is"
        )
    if isinstance(error, OSError):
        return StorageError(
            f"the operating system refused: {error.strerror or error}",
            where=str(error.filename or ""),
            next_step="Check the path, its permissions and the free space",
        )
    if isinstance(error, MemoryError):
        return EdgeworthyError(
            "the memory is used up", next_step="Use smaller samples or a larger machine"
        )
    return EdgeworthyError(
        f"an error that we did not foresee: {type(error).__name__}: {error}",
        next_step="Run again with --debug and report what it prints; it is a bug of ours",
    )


def _fail(error: EdgeworthyError) -> int:
    if os.environ.get("EDGEWORTHY_DEBUG"):
        import traceback

        traceback.print_exc()
    typer.echo(f"error {error.code}: {error}", err=True)
    return error.exit_code


def _forget_output() -> None:
    """Keep Python from complaining about the closed pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
