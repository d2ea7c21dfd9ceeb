"""An agent as the process that stays: ``python -m edgeworthy.agent STORE [REPOSITORY ...]``.

``edgeworthy agent run`` becomes this process, so that what the command line needs of memory is not
paid for as long as the device runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgeworthy.agent.running import RunOptions, run_forever
from edgeworthy.agent.store import Store
from edgeworthy.errors import EdgeworthyError


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run until told to stop; returns the exit code."""
    store, *repositories = arguments
    try:
        run_forever(Store(Path(store)), RunOptions(repositories=tuple(repositories), say=_say))
    except EdgeworthyError as error:
        _say(f"error {error.code}: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
