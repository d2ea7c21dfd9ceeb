"""What parent and child process say to each other.

Rules:

1. A frame is its length in four bytes, most significant first, and that many bytes of MessagePack.
2. The parent speaks first and the child answers each request with one reply; a failure is a reply.
3. The end of the stream is a request to leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.errors import (
    DatasetError,
    EdgeworthyError,
    InferenceError,
    MeasurementError,
    MissingExtraError,
    ModelFileError,
    UsageError,
)

HEADER_BYTES = 4
#: No request or reply comes near; a longer one is noise on the line.
LONGEST_FRAME_BYTES = 1 << 30


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A frame's content."""


class TensorBytes(msgspec.Struct, frozen=True, kw_only=True):
    """A tensor: numpy's name of its type, its shape and its bytes in C order."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Prepare(_Message, frozen=True, kw_only=True):
    """Import the engine and take the samples.

    Attributes:
        runtime: Name of the engine.
        samples: Inputs of single queries; empty for ``generated_count`` random ones.
        seed: Of the random ones.
        generated_count: How many of them.
        golden: Right outputs of each sample; empty when nothing is to be checked.
        tolerance: Share of the largest golden value that an output may be off.
        processors: Logical processors to be bound to; empty for wherever it may run.
    """

    runtime: str
    samples: tuple[tuple[TensorBytes, ...], ...]
    seed: int
    generated_count: int
    golden: tuple[tuple[TensorBytes, ...], ...] = ()
    tolerance: float = 0.0
    processors: tuple[int, ...] = ()


class Load(_Message, frozen=True, kw_only=True):
    """Load the artefact and run the first query."""

    artifact: str
    threads: int


class WarmUp(_Message, frozen=True, kw_only=True):
    """Run until the latency falls no more, or the limit is reached."""

    limit_ns: int
    window_ns: int


class RunQueries(_Message, frozen=True, kw_only=True):
    """One turn.

    Attributes:
        first: Position of the first timed query in the cycle of samples.
        count: Timed queries.
        settle_count: Untimed queries before them.
        is_accounted: Whether to tell what the kernel says of the process meanwhile.
    """

    first: int
    count: int
    settle_count: int
    is_accounted: bool = False


class RunBatches(_Message, frozen=True, kw_only=True):
    """MultiStream, or the work of Offline.

    Attributes:
        first: Position of the first sample in the cycle of samples.
        count: Queries.
        batch: Samples of each.
    """

    first: int
    count: int
    batch: int


class RunServer(_Message, frozen=True, kw_only=True):
    """Server.

    Attributes:
        rate_hz: Queries per second, on average.
        count: Queries.
        seed: Of the arrivals.
        bound_ns: Latency that counts as too long.
        over_allowed: Queries over the bound after which the run ends early.
    """

    rate_hz: float
    count: int
    seed: int
    bound_ns: int
    over_allowed: int


class ReadMemory(_Message, frozen=True, kw_only=True):
    """Tell the largest resident memory since the engine was imported."""


class ReadArena(_Message, frozen=True, kw_only=True):
    """Tell the size of the engine's memory arena, from a session of its own."""

    artifact: str
    threads: int


class Answer(_Message, frozen=True, kw_only=True):
    """Give the outputs for every sample."""


class PreparePipeline(_Message, frozen=True, kw_only=True):
    """Import the decoders, and run the first query from bytes to answer."""

    plan: PipelinePlan


class RunPipeline(_Message, frozen=True, kw_only=True):
    """A turn of the pipeline, and one of bare inference beside it.

    Attributes:
        first: Position of the first query in the cycle of samples.
        count: Queries of each.
        settle_count: Untimed queries before each of them.
        bare_first: Whether bare inference comes first.
    """

    first: int
    count: int
    settle_count: int
    bare_first: bool


Request: TypeAlias = (
    Prepare
    | Load
    | WarmUp
    | RunQueries
    | RunBatches
    | RunServer
    | ReadMemory
    | Answer
    | PreparePipeline
    | RunPipeline
    | ReadArena
)


class Prepared(_Message, frozen=True, kw_only=True):
    """The engine is there; nothing is loaded yet.

    Attributes:
        runtime_version: Engine and version.
        runtime_memory_bytes: Resident now.
        affinity: Logical processors that the process may run on; empty where nobody tells.
        import_ns: Time to import the engine.
    """

    runtime_version: str
    runtime_memory_bytes: int
    affinity: tuple[int, ...] = ()
    import_ns: int = 0


class Loaded(_Message, frozen=True, kw_only=True):
    """The artefact is loaded and has answered once."""

    load_ns: int
    first_inference_ns: int


class WarmedUp(_Message, frozen=True, kw_only=True):
    """The latency that the warm-up ended with, and whether it had stopped falling."""

    query_count: int
    latency_ns: int
    stationary: bool


class Latencies(_Message, frozen=True, kw_only=True):
    """What one turn showed.

    Attributes:
        data: Latencies in order: nanoseconds as little-endian int64.
        elapsed_ns: From the first query to the last answer; 0 where it is not asked for.
        cpu_ns: Processor time of the process meanwhile; absent where it is not asked for.
        waited_ns: Time for which its threads waited for a core; absent where nobody tells.
        checked_count: Answers that were held against golden ones.
        wrong_count: Outputs among them that were wrong.
        largest_miss: Largest difference over the largest golden value of that output.
    """

    data: bytes
    elapsed_ns: int = 0
    cpu_ns: int | None = None
    waited_ns: int | None = None
    checked_count: int = 0
    wrong_count: int = 0
    largest_miss: float = 0.0


class MemoryRead(_Message, frozen=True, kw_only=True):
    """Memory of the process: the largest, and what is resident now, after its last query."""

    peak_memory_bytes: int
    resident_memory_bytes: int = 0


class ArenaRead(_Message, frozen=True, kw_only=True):
    """Size of the arena; absent where the engine does not tell."""

    arena_bytes: int | None


class Answers(_Message, frozen=True, kw_only=True):
    """Outputs of every sample, in their order."""

    outputs: tuple[tuple[TensorBytes, ...], ...]


class PipelinePrepared(_Message, frozen=True, kw_only=True):
    """The decoders are there, and the first query was answered.

    Attributes:
        import_ns: Time to import the decoders.
        stage_ns: Time of each stage of the first query.
        latency_ns: Time of a query once it is warm.
    """

    import_ns: int
    stage_ns: tuple[int, ...]
    latency_ns: int


class PipelineLatencies(_Message, frozen=True, kw_only=True):
    """What one turn of the pipeline showed.

    Attributes:
        data: Stages of each query in order: nanoseconds as little-endian int64.
        bare: Latencies of bare inference, in the same form.
        checked_count: Answers that were held against golden ones.
        wrong_count: Outputs among them that were wrong.
        largest_miss: Largest difference over the largest golden value of that output.
    """

    data: bytes
    bare: bytes
    checked_count: int = 0
    wrong_count: int = 0
    largest_miss: float = 0.0


class Failure(_Message, frozen=True, kw_only=True):
    """An error of ours in parts, or any other error as an :class:`InferenceError`."""

    code: str
    problem: str
    expected: str
    found: str
    next_step: str


Reply: TypeAlias = (
    Prepared
    | Loaded
    | WarmedUp
    | Latencies
    | MemoryRead
    | Answers
    | PipelinePrepared
    | PipelineLatencies
    | ArenaRead
    | Failure
)

_KINDS: tuple[type[EdgeworthyError], ...] = (
    ModelFileError,
    InferenceError,
    MeasurementError,
    MissingExtraError,
    UsageError,
    DatasetError,
)


def encode_frame(message: Request | Reply) -> bytes:
    """A message with its length before it."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def decode_request(body: bytes) -> Request:
    """The request in a frame."""
    request: Request = msgspec.msgpack.decode(body, type=Request)
    return request


def decode_reply(body: bytes) -> Reply:
    """The reply in a frame."""
    reply: Reply = msgspec.msgpack.decode(body, type=Reply)
    return reply


def pack_tensors(tensors: Mapping[str, NDArray[Any]]) -> tuple[TensorBytes, ...]:
    """Tensors as bytes.

    Raises:
        MeasurementError: A tensor of text or objects, which has no fixed bytes.
    """
    for name, tensor in tensors.items():
        if tensor.dtype.hasobject:
            raise MeasurementError(
                "cannot be sent to the measuring process",
                where=f"tensor `{name}`",
                expected="numbers",
                found=str(tensor.dtype),
            )
    return tuple(
        TensorBytes(
            name=name, dtype=tensor.dtype.str, shape=tensor.shape, data=tensor.tobytes(order="C")
        )
        for name, tensor in tensors.items()
    )


def unpack_tensors(tensors: Sequence[TensorBytes]) -> dict[str, NDArray[Any]]:
    """The tensors again; writable and aligned, as an engine may want them."""
    return {
        tensor.name: np.frombuffer(tensor.data, dtype=np.dtype(tensor.dtype))
        .reshape(tensor.shape)
        .copy()
        for tensor in tensors
    }


def failure_of(error: Exception) -> Failure:
    """An error in a form that crosses processes."""
    if isinstance(error, EdgeworthyError):
        return Failure(
            code=error.code,
            problem=error.problem,
            expected=error.expected,
            found=error.found,
            next_step=error.next_step,
        )
    return Failure(
        code=InferenceError.code,
        problem=f"{type(error).__name__}: {error}",
        expected="",
        found="",
        next_step="",
    )


def error_of(failure: Failure, *, where: str) -> EdgeworthyError:
    """The error again, naming the artefact; a kind that is not known here is an inference error."""
    kinds = {kind.code: kind for kind in _KINDS}
    return kinds.get(failure.code, InferenceError)(
        failure.problem,
        where=where,
        expected=failure.expected,
        found=failure.found,
        next_step=failure.next_step,
    )
