"""The start of a worker."""

from __future__ import annotations

import time

_STARTED = time.monotonic()

import socket  # noqa: E402 - the clock starts before anything is imported
import sys  # noqa: E402

from edgeworthy.agent.worker.arguments import WorkerArguments, parse_arguments  # noqa: E402
from edgeworthy.agent.worker.control import Control  # noqa: E402
from edgeworthy.documents.worker_control import Failed, FailureReason  # noqa: E402
from edgeworthy.errors import (  # noqa: E402
    EdgeworthyError,
    InferenceError,
    ModelFileError,
    UsageError,
    VerificationError,
)

_SWITCH_SECONDS = 0.0005


def main() -> int:
    """Run a worker; returns its exit code."""
    arguments = parse_arguments(sys.argv[1:])
    sys.setswitchinterval(_SWITCH_SECONDS)  # the loop waits that long for a busy engine thread
    try:
        control = Control(socket.socket(fileno=arguments.control_fd))
        listeners = [socket.socket(fileno=descriptor) for descriptor in arguments.listen_fds]
        for listener in listeners:
            listener.settimeout(0.0)
    except OSError as error:
        sys.stderr.write(f"An inherited descriptor cannot be used: {error}\n")
        return 2
    failure = _live(arguments, control, listeners)
    if failure is not None:
        control.report(failure)
        sys.stderr.write(f"{failure.message}\n")
    control.finish()
    return 0 if failure is None else 1


def _live(
    arguments: WorkerArguments, control: Control, listeners: list[socket.socket]
) -> Failed | None:
    # Imported here, so that a failure to import an engine is reported like any other.
    try:
        from edgeworthy.agent.worker.starting import run_worker  # noqa: PLC0415

        ended = run_worker(arguments, control, listeners, started=_STARTED)
    except EdgeworthyError as error:
        return Failed(reason=_reason(error), message=error.paragraph())
    except MemoryError:
        return Failed(reason="memory", message="There is not enough memory to load the model.")
    except Exception as error:  # noqa: BLE001 - the supervisor is told, whatever it is
        return Failed(reason="defect", message=f"{type(error).__name__}: {error}")
    if ended.reason is None:
        return None
    return Failed(reason=ended.reason, message=ended.message)


def _reason(error: EdgeworthyError) -> FailureReason:
    if isinstance(error, ModelFileError):
        return "model"
    if isinstance(error, InferenceError | UsageError):
        return "engine"
    if isinstance(error, VerificationError):
        return "release"
    return "variant"


if __name__ == "__main__":
    from edgeworthy.agent.worker.process import end_process

    end_process(main())
