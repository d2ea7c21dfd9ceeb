"""What the supervisor tells a worker at its start."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class WorkerArguments:
    """The command line of a worker.

    Attributes:
        release: Folder of the release, an OCI image layout.
        variant: Which of its variants to load.
        control_fd: Inherited descriptor of the control channel.
        listen_fds: Inherited descriptors of listening sockets.
        threads: Threads of the engine inside one inference; 0 for those that the release was
            measured with.
        engine_threads: Inferences at once.
        memory_limit_mib: Resident memory that the worker may use; 0 for no limit.
        heartbeat_seconds: Between two signs of life.
        inference_seconds: An inference that takes longer hangs.
        largest_body_mib: Of one request.
    """

    release: Path
    variant: str
    control_fd: int
    listen_fds: tuple[int, ...] = ()
    threads: int = 0
    engine_threads: int = 1
    memory_limit_mib: int = 0
    heartbeat_seconds: float = 1.0
    inference_seconds: float = 30.0
    largest_body_mib: int = 64


def parse_arguments(arguments: Sequence[str]) -> WorkerArguments:
    """Read a command line; ends the process with exit code 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m edgeworthy.agent.worker",
        description="Serves one model; started by the agent's supervisor.",
    )
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--listen-fd", type=int, action="append", default=[], dest="listen_fds")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--engine-threads", type=int, default=1)
    parser.add_argument("--memory-limit-mib", type=int, default=0)
    parser.add_argument("--heartbeat-seconds", type=float, default=1.0)
    parser.add_argument("--inference-seconds", type=float, default=30.0)
    parser.add_argument("--largest-body-mib", type=int, default=64)
    found = vars(parser.parse_args(arguments))
    return WorkerArguments(**{**found, "listen_fds": tuple(found["listen_fds"])})
