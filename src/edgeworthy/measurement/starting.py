"""One start of one artefact: from a fresh process to the figures that it gave.

Rules:

1. The order is fixed: import the engine, note the memory, load, first query, warm up.
2. Outside of its turns the process is stopped.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.measurement.child_process import ChildProcess, ReplyT
from edgeworthy.measurement.golden import NOTHING_CHECKED, Checked, refuse_wrong
from edgeworthy.measurement.observations import LaunchObservation
from edgeworthy.measurement.plan import MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.wire import (
    ArenaRead,
    Latencies,
    Load,
    Loaded,
    MemoryRead,
    PipelineLatencies,
    Prepare,
    Prepared,
    ReadArena,
    ReadMemory,
    Request,
    RunBatches,
    RunQueries,
    RunServer,
    TensorBytes,
    WarmedUp,
    WarmUp,
    pack_tensors,
)

_NANOSECONDS = 1_000_000_000
_NS_PER_MS = 1_000_000
#: Random inputs when there are no samples.
GENERATED_COUNT = 8
_WARM_UP_WINDOW_S = 0.02

#: The inputs of one query.
Sample: TypeAlias = tuple[TensorBytes, ...]


class StartedProcess:
    """A process that is ready, and the turns that it has had."""

    def __init__(
        self,
        child: ChildProcess,
        prepared: Prepared,
        loaded: Loaded,
        warm: WarmedUp,
        *,
        tolerance: float,
    ) -> None:
        self._child = child
        self._prepared = prepared
        self._loaded = loaded
        self._warm = warm
        self._tolerance = tolerance
        self._turns: list[NDArray[np.int64]] = []
        self.checked = NOTHING_CHECKED

    @property
    def latency_ns(self) -> int:
        """Latency that the warm-up ended with."""
        return self._warm.latency_ns

    @property
    def latest_ms(self) -> float:
        """Median latency of the last turn."""
        return float(np.median(self._turns[-1])) / _NS_PER_MS

    def take_turn(self, request: RunQueries) -> None:
        """Run the queries of one turn."""
        self._turns.append(self.run(request)[0])

    def run(
        self, request: RunQueries | RunBatches | RunServer
    ) -> tuple[NDArray[np.int64], Latencies]:
        """Run timed queries; latencies in nanoseconds, and all that was said.

        Raises:
            MeasurementError: Answers were wrong.
        """
        reply = self.tell(request, Latencies)
        self.checked = self.checked.joined(self.refuse_wrong(reply))
        return np.frombuffer(reply.data, dtype="<i8"), reply

    def tell(self, request: Request, reply_type: type[ReplyT]) -> ReplyT:
        """Ask the process something, and stop it again."""
        self._child.resume()
        reply = self._child.ask(request, reply_type)
        self._child.pause()
        return reply

    def refuse_wrong(self, reply: Latencies | PipelineLatencies) -> Checked:
        """What checking the answers found.

        Raises:
            MeasurementError: Answers were wrong.
        """
        found = Checked(reply.checked_count, reply.wrong_count, reply.largest_miss)
        refuse_wrong(found, where=self._child.title, tolerance=self._tolerance)
        return found

    def arena_bytes(self, plan: MeasurementPlan) -> int | None:
        """Size of the engine's memory arena; the process is good for nothing else afterwards."""
        request = ReadArena(artifact=str(plan.artifact), threads=plan.threads)
        return self.tell(request, ArenaRead).arena_bytes

    def peak_memory_bytes(self) -> int:
        """Largest resident memory so far."""
        return self.tell(ReadMemory(), MemoryRead).peak_memory_bytes

    def observation(self) -> LaunchObservation:
        """All that was seen, with the memory at the end."""
        memory = self.tell(ReadMemory(), MemoryRead)
        return LaunchObservation(
            runtime_version=self._prepared.runtime_version,
            runtime_memory_bytes=self._prepared.runtime_memory_bytes,
            load_ns=self._loaded.load_ns,
            first_inference_ns=self._loaded.first_inference_ns,
            stationary=self._warm.stationary,
            peak_memory_bytes=memory.peak_memory_bytes,
            turns=tuple(self._turns),
            steady_memory_bytes=memory.resident_memory_bytes,
            affinity=self._prepared.affinity,
            checked=self.checked,
            import_ns=self._prepared.import_ns,
        )


def prepare(
    child: ChildProcess,
    plan: MeasurementPlan,
    settings: MeasurementSettings,
    *,
    samples: tuple[Sample, ...],
) -> Prepared:
    """Import the engine in a fresh process, and stop it until it is wanted.

    Args:
        child: A fresh process.
        plan: What it shall run.
        settings: How thoroughly.
        samples: Inputs of single queries; empty for random ones.

    Raises:
        InferenceError: The process ended.
        MeasurementError: The process fell silent.
    """
    prepared = child.ask(
        Prepare(
            runtime=plan.runtime,
            samples=samples,
            seed=settings.seed,
            generated_count=GENERATED_COUNT,
            golden=tuple(pack_tensors(outputs) for outputs in plan.golden or settings.golden),
            tolerance=settings.tolerance,
            processors=plan.processors,
        ),
        Prepared,
    )
    child.pause()
    return prepared


def start(
    child: ChildProcess, plan: MeasurementPlan, settings: MeasurementSettings, prepared: Prepared
) -> StartedProcess:
    """Make a process ready for its turns.

    Args:
        child: A process that has its engine.
        plan: What it shall run.
        settings: How thoroughly.
        prepared: What it said of itself before.

    Raises:
        ModelFileError: The engine cannot read the artefact.
        InferenceError: The engine failed, or the process ended.
        MeasurementError: The process fell silent.
    """
    child.resume()
    loaded = child.ask(Load(artifact=str(plan.artifact), threads=plan.threads), Loaded)
    limit_ns = int(settings.warm_up_limit_s * _NANOSECONDS)
    window_ns = int(_WARM_UP_WINDOW_S * _NANOSECONDS)
    warm = child.ask(WarmUp(limit_ns=limit_ns, window_ns=window_ns), WarmedUp)
    child.pause()
    return StartedProcess(child, prepared, loaded, warm, tolerance=settings.tolerance)
