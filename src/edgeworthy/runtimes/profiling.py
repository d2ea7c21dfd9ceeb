"""What an engine that can profile itself tells of each node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeProfile:
    """One node of the model as the engine runs it.

    Attributes:
        name: Of the node.
        op_type: Of the node, after the engine's own rewriting.
        input_type: Type of its first input, for example ``float32``; empty when not known.
        mac_count: Multiply-adds of one run; absent when not known.
        moved_bytes: Bytes of its inputs and outputs, each once.
        times_us: Per run, in microseconds.
    """

    name: str
    op_type: str
    input_type: str
    mac_count: int | None
    moved_bytes: int
    times_us: tuple[float, ...]
