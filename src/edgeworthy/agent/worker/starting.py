"""From the command line to a worker that lives."""

from __future__ import annotations

import os
import socket
import time

from edgeworthy.agent.worker.arguments import WorkerArguments
from edgeworthy.agent.worker.control import Control
from edgeworthy.agent.worker.loaded_model import load_model
from edgeworthy.agent.worker.memory import bound_data, resident_bytes
from edgeworthy.agent.worker.process import Worker, WorkerEnds
from edgeworthy.agent.worker.release_folder import read_release_folder
from edgeworthy.documents.worker_control import Loaded

_MIB = 1 << 20
_MS = 1000


def run_worker(
    arguments: WorkerArguments,
    control: Control,
    listeners: list[socket.socket],
    *,
    started: float,
) -> WorkerEnds:
    """Load the model, tell the supervisor, and live until the end; returns how it ended.

    Raises:
        EdgeworthyError: The model cannot be loaded.
    """
    if arguments.memory_limit_mib:
        bound_data(arguments.memory_limit_mib * _MIB)
    folder = read_release_folder(arguments.release)
    bounds = folder.bounds(arguments.variant)
    threads = arguments.threads or (bounds.threads if bounds else 1)
    model = load_model(folder, arguments.variant, threads=threads)
    control.report(
        Loaded(
            release=folder.title,
            variant=model.variant.name,
            artifact=model.variant.artifact,
            runtime=model.runtime,
            load_time_ms=(time.monotonic() - started) * _MS,
            resident_bytes=resident_bytes(),
            model_bytes=model.model_bytes,
            process_id=os.getpid(),
        )
    )
    try:
        Worker(arguments, control, listeners, model, started=started).run()
    except WorkerEnds as end:
        return end
