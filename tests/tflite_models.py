"""Small TensorFlow Lite files, written table by table, for tests.

A table is built from its fields, last first, as the FlatBuffers format wants it; nothing of the
reader under test is used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

FLOAT32, INT8 = 0, 9
ADD, FULLY_CONNECTED = 0, 9
_NO_ACTIVATION_OPTIONS = {ADD: 11, FULLY_CONNECTED: 8}


@dataclass
class Writer:
    """Bytes that grow; offsets are filled in when what they lead to is written."""

    data: bytearray = field(default_factory=bytearray)

    def align(self, size: int) -> None:
        self.data += b"\0" * (-len(self.data) % size)

    def point(self, place: int) -> None:
        """Let the offset at a place lead to here."""
        struct.pack_into("<I", self.data, place, len(self.data) - place)


#: Writes a field's content at the end of the file and lets the offset at a place lead to it.
Later = Callable[[Writer, int], None]
Field = tuple[str, int] | Later


def table(fields: Mapping[int, Field]) -> Later:
    """A table with these fields."""

    def write(writer: Writer, place: int) -> None:
        slots = max(fields, default=-1) + 1
        writer.align(2)
        vtable = len(writer.data)
        writer.data += struct.pack("<HH", 4 + 2 * slots, 0) + b"\0\0" * slots
        writer.align(8)
        start = len(writer.data)
        writer.point(place)
        writer.data += struct.pack("<i", start - vtable)
        pending: list[tuple[Later, int]] = []
        for slot, content in sorted(fields.items()):
            kind = "I" if callable(content) else content[0]
            writer.align(struct.calcsize(kind))
            struct.pack_into("<H", writer.data, vtable + 4 + 2 * slot, len(writer.data) - start)
            if callable(content):
                pending.append((content, len(writer.data)))
                writer.data += b"\0" * 4
            else:
                writer.data += struct.pack(f"<{content[0]}", content[1])
        struct.pack_into("<H", writer.data, vtable + 2, len(writer.data) - start)
        for later, at in pending:
            later(writer, at)

    return write


def text(value: str) -> Later:
    return octets(value.encode() + b"\0", count=len(value.encode()))


def octets(value: bytes, *, count: int | None = None) -> Later:
    def write(writer: Writer, place: int) -> None:
        # Sixteen bytes for the data itself: the engine reads weights in place.
        writer.data += b"\0" * (-(len(writer.data) + 4) % 16)
        writer.point(place)
        writer.data += struct.pack("<I", len(value) if count is None else count) + value

    return write


def numbers(values: Sequence[int]) -> Later:
    def write(writer: Writer, place: int) -> None:
        writer.align(4)
        writer.point(place)
        writer.data += struct.pack(f"<I{len(values)}i", len(values), *values)

    return write


def tables(entries: Sequence[Later]) -> Later:
    def write(writer: Writer, place: int) -> None:
        writer.align(4)
        writer.point(place)
        writer.data += struct.pack("<I", len(entries))
        first = len(writer.data)
        writer.data += b"\0" * 4 * len(entries)
        for index, entry in enumerate(entries):
            entry(writer, first + 4 * index)

    return write


def tensor(name: str, columns: int, *, buffer: int = 0, rows: int | None = None) -> Later:
    """A float32 matrix; its rows are the free batch where they are left out."""
    shape = [1 if rows is None else rows, columns]
    signature = [-1 if rows is None else rows, columns]
    return table(
        {
            0: numbers(shape),
            1: ("b", FLOAT32),
            2: ("I", buffer),
            3: text(name),
            7: numbers(signature),
        }
    )


def operator(code: int, kind: int, inputs: Sequence[int], outputs: Sequence[int]) -> Later:
    return table(
        {
            0: ("I", code),
            1: numbers(inputs),
            2: numbers(outputs),
            3: ("B", _NO_ACTIVATION_OPTIONS[kind]),
            4: table({}),
        }
    )


def model(graph: Later, codes: Sequence[int], buffers: Sequence[bytes]) -> bytes:
    """A file with one graph."""
    writer = Writer(bytearray(b"\0\0\0\0TFL3"))
    table(
        {
            0: ("I", 3),
            1: tables([table({0: ("b", code), 2: ("i", 1), 3: ("i", code)}) for code in codes]),
            2: tables([graph]),
            3: text("by hand"),
            4: tables([table({0: octets(each)} if each else {}) for each in buffers]),
        }
    )(writer, 0)
    return bytes(writer.data)


def linear_tflite() -> bytes:
    """``y = x @ w + b`` and ``doubled = x + x``, with a free batch."""
    weights = np.array([[1, 4], [2, 5], [3, 6]], dtype="<f4")
    graph = table(
        {
            0: tables(
                [
                    tensor("x", 2),
                    tensor("b", 3),
                    tensor("w", 2, buffer=1, rows=3),
                    tensor("product", 3),
                    tensor("y", 3),
                    tensor("doubled", 2),
                ]
            ),
            1: numbers([0, 1]),
            2: numbers([4, 5]),
            3: tables(
                [
                    operator(0, FULLY_CONNECTED, [0, 2, -1], [3]),
                    operator(1, ADD, [3, 1], [4]),
                    operator(1, ADD, [0, 0], [5]),
                ]
            ),
            4: text("linear"),
        }
    )
    return model(graph, [FULLY_CONNECTED, ADD], [b"", weights.tobytes()])
