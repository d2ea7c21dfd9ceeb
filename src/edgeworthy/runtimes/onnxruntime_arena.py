"""How large ONNX Runtime's memory arena is, from its own log.

Rules:

1. The engine says each time that its arena grows; nothing else of it tells its size. A session of
   its own is loaded and run with that log on, so that nothing that is timed pays for it.
2. The log goes to the process's standard error, whoever is at work in it: only a process that
   measures one artefact may ask.
3. Where the log does not speak of an arena, the answer is that it is not known.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import onnxruntime as ort  # type: ignore[import-untyped]  # onnxruntime ships no types

from edgeworthy.runtimes.base import Tensors

_LOG_INFO, _LOG_WARNING = 1, 2
_STANDARD_ERROR = 2
_TOTAL = re.compile(r"Total allocated bytes: (\d+)")
_RESERVED = re.compile(r"Reserving memory in BFCArena for \w+ size: (\d+)")


def arena_bytes(artifact: Path, options: Any, samples: Sequence[Tensors]) -> int | None:  # noqa: ANN401 - untyped library
    """Size of the arena after running some samples; ``None`` when the engine does not tell.

    Args:
        artifact: The file.
        options: Of the session.
        samples: Inputs of single queries.
    """
    with _engine_log() as log:
        engine = ort.InferenceSession(
            str(artifact), sess_options=options, providers=["CPUExecutionProvider"]
        )
        for inputs in samples:
            engine.run(None, dict(inputs))
        del engine
        log.seek(0)
        return arena_in_log(log.read().decode("utf-8", "replace"))


def arena_in_log(text: str) -> int | None:
    """The last size that a log tells.

    >>> arena_in_log("Reserving memory in BFCArena for Cpu size: 16")
    16
    >>> arena_in_log("Total allocated bytes: 4096") or arena_in_log("quiet")
    4096
    """
    size = None
    for line in text.splitlines():
        if found := _TOTAL.search(line):
            size = int(found[1])
        elif found := _RESERVED.search(line):
            size = (size or 0) + int(found[1])
    return size


@contextlib.contextmanager
def _engine_log() -> Iterator[IO[bytes]]:
    """What the engine says while the block runs."""
    kept = os.dup(_STANDARD_ERROR)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), _STANDARD_ERROR)
        ort.set_default_logger_severity(_LOG_INFO)
        try:
            yield log
        finally:
            ort.set_default_logger_severity(_LOG_WARNING)
            os.dup2(kept, _STANDARD_ERROR)
            os.close(kept)
