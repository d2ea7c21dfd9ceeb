"""How much a client may ask of the server, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of the server.

    Attributes:
        head_bytes: Request line and header fields together.
        header_count: Header fields of one request.
        body_bytes: Body of one request, after decompression too.
        claimed_bytes: Bodies of all requests that are being read or run together.
        connection_count: Open connections; an idle one makes room for a new one.
        waiting_count: Requests that wait for the engine or are in it.
        head_seconds: From the first byte of a request to the end of its head.
        body_bytes_per_second: A body that comes more slowly, on average, is given up.
        body_seconds: A body may be slower than that for so long.
        idle_seconds: A connection without a request is closed after that.
        write_seconds: A client that takes nothing of its answer for so long is given up.
        inference_seconds: An inference that takes longer hangs, and the worker with it.
    """

    head_bytes: int = 16 << 10
    header_count: int = 100
    body_bytes: int = 64 * _MIB
    claimed_bytes: int = 128 * _MIB
    connection_count: int = 256
    waiting_count: int = 64
    head_seconds: float = 10.0
    body_bytes_per_second: float = 4096.0
    body_seconds: float = 15.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    inference_seconds: float = 30.0
