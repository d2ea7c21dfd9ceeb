"""The process that runs one artefact and nothing else: ``python -m edgeworthy.measurement.child``.

Rules:

1. Requests come on standard input and replies leave on what was standard output; whatever the
   engine prints goes to standard error, so that it cannot break a frame.
2. It ends when its input ends, and with its parent where the kernel can see to that.
3. An error is a reply, not the end: the parent decides.
4. It is light: a build starts it dozens of times, so it imports the engine, its own modules and
   what they need, and leaves without taking engine and interpreter apart.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np

from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import MeasurementError
from edgeworthy.measurement.accounting import ProcessTime
from edgeworthy.measurement.golden import Checked, check, positions_to_check
from edgeworthy.measurement.load import (
    Arrivals,
    Batches,
    LoadRun,
    poisson_arrivals_ns,
    run_batches,
    run_server,
)
from edgeworthy.measurement.memory import peak_memory_bytes, reset_peak, resident_memory_bytes
from edgeworthy.measurement.scenario import (
    garbage_collection_paused,
    run_single_stream,
    warm_up,
)
from edgeworthy.measurement.wire import (
    HEADER_BYTES,
    Answer,
    Answers,
    ArenaRead,
    Latencies,
    Load,
    Loaded,
    MemoryRead,
    PipelineLatencies,
    PipelinePrepared,
    Prepare,
    Prepared,
    PreparePipeline,
    ReadArena,
    ReadMemory,
    Reply,
    Request,
    RunBatches,
    RunPipeline,
    RunQueries,
    RunServer,
    WarmedUp,
    WarmUp,
    decode_request,
    encode_frame,
    failure_of,
    pack_tensors,
    unpack_tensors,
)
from edgeworthy.runtimes import (
    Runtime,
    Session,
    Tensors,
    find_runtime,
    fixed_batch_size,
    random_inputs,
    run_batched,
)

if TYPE_CHECKING:
    from edgeworthy.measurement.child_pipeline import MeasuredPipeline

_PR_SET_PDEATHSIG = 1


class MeasuredProcess:
    """What the process holds, and its answer to each request."""

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._session: Session | None = None
        self._samples: list[Tensors] = []
        self._single: list[Tensors] = []
        self._generated_count = 1
        self._golden: list[Tensors] = []
        self._tolerance = 0.0
        self._seed = 0
        self._pipeline: MeasuredPipeline | None = None

    def answer(self, request: Request) -> Reply:  # noqa: C901, PLR0911 - one line per request
        """Do what is asked."""
        match request:
            case Prepare():
                return self._prepare(request)
            case Load():
                return self._load(request)
            case WarmUp():
                return self._warm_up(request)
            case RunQueries():
                return self._run_queries(request)
            case RunBatches():
                return self._run_batches(request)
            case RunServer():
                return self._run_server(request)
            case Answer():
                run = self._loaded().run
                return Answers(outputs=tuple(pack_tensors(run(each)) for each in self._samples))
            case PreparePipeline():
                return self._prepare_pipeline(request)
            case RunPipeline():
                return self._run_pipeline(request)
            case ReadArena():
                return self._read_arena(request)
            case ReadMemory():
                return MemoryRead(
                    peak_memory_bytes=peak_memory_bytes(),
                    resident_memory_bytes=resident_memory_bytes(),
                )

    def _prepare(self, request: Prepare) -> Prepared:
        # Before the engine comes: its threads inherit it.
        _bind(request.processors)
        start = time.perf_counter_ns()
        self._runtime = find_runtime(request.runtime)
        import_ns = time.perf_counter_ns() - start
        self._samples = [unpack_tensors(sample) for sample in request.samples]
        self._generated_count, self._seed = request.generated_count, request.seed
        self._golden = [unpack_tensors(outputs) for outputs in request.golden]
        self._tolerance = request.tolerance
        version = self._runtime.version()
        gc.collect()
        reset_peak()
        return Prepared(
            runtime_version=version,
            runtime_memory_bytes=resident_memory_bytes(),
            affinity=_affinity(),
            import_ns=import_ns,
        )

    def _load(self, request: Load) -> Loaded:
        if self._runtime is None:
            raise MeasurementError("asked to load before an engine was chosen")
        start = time.perf_counter_ns()
        session = self._runtime.load(Path(request.artifact), threads=request.threads)
        load_ns = time.perf_counter_ns() - start
        self._session = session
        if not self._samples:
            _check_sizes(session.signature)
            generator = np.random.default_rng(self._seed)
            self._samples = [
                random_inputs(session.signature, batch=1, generator=generator)
                for _ in range(self._generated_count)
            ]
        self._single = self._samples
        self._samples = fit_batch(self._samples, session.signature)
        first_ns = run_single_stream(session.run, self._samples, first=0, count=1)[0]
        # What exists now stays: later collections need not look at it again.
        gc.collect()
        gc.freeze()
        return Loaded(load_ns=load_ns, first_inference_ns=first_ns)

    def _warm_up(self, request: WarmUp) -> WarmedUp:
        result = warm_up(
            self._loaded().run,
            self._samples,
            limit_ns=request.limit_ns,
            window_ns=request.window_ns,
        )
        return WarmedUp(
            query_count=result.query_count,
            latency_ns=result.latency_ns,
            stationary=result.stationary,
        )

    def _run_queries(self, request: RunQueries) -> Latencies:
        run = self._loaded().run
        kept: dict[int, list[Any]] = {
            index: [] for index in self._to_check(request.count, request.first)
        }
        with garbage_collection_paused():
            settle_first = request.first - request.settle_count
            run_single_stream(run, self._samples, first=settle_first, count=request.settle_count)
            before = ProcessTime.now() if request.is_accounted else None
            begun_ns = time.perf_counter_ns()
            latencies_ns = run_single_stream(
                run, self._samples, first=request.first, count=request.count, keep=kept
            )
            elapsed_ns = time.perf_counter_ns() - begun_ns
            spent = ProcessTime.now().since(before) if before else None
        # A model of a fixed batch repeats the sample; the first row answers it.
        answers = {
            request.first + index: {name: tensor[:1] for name, tensor in one.items()}
            for index, (one,) in kept.items()
        }
        found = self._latencies(LoadRun(latencies_ns, elapsed_ns, answers))
        if spent is None:
            return found
        return msgspec.structs.replace(found, cpu_ns=spent.cpu_ns, waited_ns=spent.waited_ns)

    def _run_batches(self, request: RunBatches) -> Latencies:
        session = self._loaded()
        with garbage_collection_paused():
            found = run_batches(
                partial(run_batched, session),
                self._single,
                Batches(first=request.first, count=request.count, batch=request.batch),
                keep=self._to_check(request.count, request.first),
            )
        return self._latencies(found)

    def _run_server(self, request: RunServer) -> Latencies:
        due_ns = poisson_arrivals_ns(request.rate_hz, request.count, seed=request.seed)
        with garbage_collection_paused():
            found = run_server(
                self._loaded().run,
                self._samples,
                Arrivals(
                    due_ns=due_ns.tolist(),
                    bound_ns=request.bound_ns,
                    over_allowed=request.over_allowed,
                ),
                keep=self._to_check(request.count, request.seed),
            )
        return self._latencies(found)

    def _prepare_pipeline(self, request: PreparePipeline) -> PipelinePrepared:
        start = time.perf_counter_ns()
        # Decoders wait until bare inference has been measured: they would count as its memory.
        from edgeworthy.measurement.child_pipeline import MeasuredPipeline  # noqa: PLC0415

        import_ns = time.perf_counter_ns() - start
        self._pipeline = MeasuredPipeline(request.plan, self._loaded(), self._samples)
        return self._pipeline.prepare(import_ns)

    def _run_pipeline(self, request: RunPipeline) -> PipelineLatencies:
        if self._pipeline is None:
            raise MeasurementError("asked to run a pipeline before there was one")
        keep = self._to_check(request.count, request.first)
        found, bare_ns = self._pipeline.run(request, keep=keep)
        checked = check(found.kept, self._golden, self._tolerance) if found.kept else Checked()
        return PipelineLatencies(
            data=found.stage_ns.astype("<i8").tobytes(),
            bare=np.array(bare_ns, dtype="<i8").tobytes(),
            checked_count=checked.checked_count,
            wrong_count=checked.wrong_count,
            largest_miss=checked.largest_miss,
        )

    def _read_arena(self, request: ReadArena) -> ArenaRead:
        if self._runtime is None:
            raise MeasurementError("asked for an arena before an engine was chosen")
        found = self._runtime.arena_bytes(
            Path(request.artifact), self._samples, threads=request.threads
        )
        return ArenaRead(arena_bytes=found)

    def _to_check(self, count: int, salt: int) -> frozenset[int]:
        return positions_to_check(count, seed=self._seed + salt) if self._golden else frozenset()

    def _latencies(self, found: LoadRun) -> Latencies:
        checked = check(found.kept, self._golden, self._tolerance) if found.kept else Checked()
        return Latencies(
            data=np.array(found.latencies_ns, dtype="<i8").tobytes(),
            elapsed_ns=found.elapsed_ns,
            checked_count=checked.checked_count,
            wrong_count=checked.wrong_count,
            largest_miss=checked.largest_miss,
        )

    def _loaded(self) -> Session:
        if self._session is None:
            raise MeasurementError("asked to run before an artefact was loaded")
        return self._session


def _bind(processors: tuple[int, ...]) -> None:
    if not processors:
        return
    try:
        os.sched_setaffinity(0, processors)
    except (AttributeError, OSError) as error:
        raise MeasurementError(
            f"cannot be bound to processors {', '.join(map(str, processors))}: {error}",
            next_step="Leave the axis `affinity` out, or allow this process those processors",
        ) from error


def _affinity() -> tuple[int, ...]:
    try:
        return tuple(sorted(os.sched_getaffinity(0)))
    except (AttributeError, OSError):  # pragma: no cover - Linux has it
        return ()


def _check_sizes(signature: ModelSignature) -> None:
    """Refuse to draw inputs for axes without a size: a picture of one row says nothing."""
    free = [
        f"`{size}` of input `{tensor.name}`"
        for tensor in signature.inputs
        for size in tensor.shape[1:]
        if isinstance(size, str)
    ]
    if free:
        raise MeasurementError(
            "random inputs need sizes, and the model leaves axes open",
            expected="a size for each axis but the first",
            found=", ".join(free),
            next_step="Measure with samples, an npz file with an array per input (--samples)",
        )


def fit_batch(samples: list[Tensors], signature: ModelSignature) -> list[Tensors]:
    """Samples for a model whose batch size is fixed: one sample, and copies of it to fill up."""
    size = fixed_batch_size(signature)
    if size is None or size == 1:
        return samples
    return [
        {
            name: np.repeat(tensor, size, axis=0) if tensor.shape[:1] == (1,) else tensor
            for name, tensor in sample.items()
        }
        for sample in samples
    ]


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until they end."""
    process = MeasuredProcess()
    while body := _read_frame(requests):
        try:
            reply = process.answer(decode_request(body))
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
            reply = failure_of(error)
        replies.write(encode_frame(reply))
        replies.flush()


def _read_frame(stream: BinaryIO) -> bytes:
    """The next frame's content; empty at the end of the stream."""
    header = stream.read(HEADER_BYTES)
    return stream.read(int.from_bytes(header, "big")) if len(header) == HEADER_BYTES else b""


def _end_with_parent() -> None:
    """Ask Linux to end this process with its parent, even while an engine hangs."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve the parent that started this process."""
    _end_with_parent()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, replies)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
