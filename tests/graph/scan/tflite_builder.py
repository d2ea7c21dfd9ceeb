"""A small writer of TensorFlow Lite files, so that tests can make good ones and break them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Small:
    value: int


@dataclass(frozen=True)
class Large:
    value: int


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Numbers:
    values: Sequence[int]


@dataclass(frozen=True)
class Octets:
    value: bytes


@dataclass(frozen=True)
class Tables:
    tables: Sequence[TableOf]


@dataclass(frozen=True)
class TableOf:
    fields: Sequence[object]


@dataclass
class _Writer:
    data: bytearray = field(default_factory=bytearray)

    def table(self, made: TableOf) -> int:
        """Write a table after everything so far; what it points at comes behind it."""
        sizes = {int: 4, Small: 1, Large: 8}
        offsets, body = [], 4
        for value in made.fields:
            if value is None:
                offsets.append(0)
                continue
            size = sizes.get(type(value), 4)
            body += -body % size
            offsets.append(body)
            body += size
        vtable = struct.pack("<HH", 4 + 2 * len(offsets), body)
        vtable += b"".join(struct.pack("<H", offset) for offset in offsets)
        self.align(4, ahead=len(vtable))
        self.data += vtable
        place = len(self.data)
        self.data += struct.pack("<i", len(vtable)) + bytes(body - 4)
        for value, offset in zip(made.fields, offsets, strict=True):
            if value is not None:
                self.put(value, place + offset)
        return place

    def put(self, value: object, place: int) -> None:
        match value:
            case int():
                struct.pack_into("<i", self.data, place, value)
            case Small():
                struct.pack_into("<b", self.data, place, value.value)
            case Large():
                struct.pack_into("<Q", self.data, place, value.value)
            case Text():
                self.vector(place, len(value.value), value.value.encode() + b"\0")
            case Octets():
                self.vector(place, len(value.value), value.value)
            case Numbers():
                packed = b"".join(struct.pack("<i", each) for each in value.values)
                self.vector(place, len(value.values), packed)
            case Tables():
                start = self.vector(place, len(value.tables), bytes(4 * len(value.tables)))
                for index, each in enumerate(value.tables):
                    at = start + 4 * index
                    struct.pack_into("<I", self.data, at, self.table(each) - at)
            case _:
                raise TypeError(type(value))

    def vector(self, place: int, count: int, content: bytes) -> int:
        self.align(4)
        struct.pack_into("<I", self.data, place, len(self.data) - place)
        self.data += struct.pack("<I", count)
        start = len(self.data)
        self.data += content
        return start

    def align(self, size: int, ahead: int = 0) -> None:
        self.data += bytes(-(len(self.data) + ahead) % size)


def tensor(shape: Sequence[int], buffer: int, name: str, kind: int = 0) -> TableOf:
    return TableOf([Numbers(shape), Small(kind), buffer, Text(name)])


def operator(code: int, inputs: Sequence[int], outputs: Sequence[int]) -> TableOf:
    return TableOf([code, Numbers(inputs), Numbers(outputs)])


def builtin(code: int) -> TableOf:
    return TableOf([Small(min(code, 127)), None, 1, code])


def custom(name: str) -> TableOf:
    return TableOf([Small(32), Text(name), 1, 32])


def tflite(
    *,
    codes: Sequence[TableOf] = (builtin(9),),
    tensors: Sequence[TableOf] = (
        tensor([1, 4], 0, "input"),
        tensor([2, 4], 1, "weights"),
        tensor([1, 2], 0, "output"),
    ),
    operators: Sequence[TableOf] = (operator(0, [0, 1, -1], [2]),),
    buffers: Sequence[TableOf] = (TableOf([]), TableOf([Octets(bytes(32))])),
    version: int = 3,
    ends: tuple[Sequence[int], Sequence[int]] = ((0,), (2,)),
) -> bytes:
    """A fully connected layer; change what matters."""
    writer = _Writer()
    writer.data += struct.pack("<I", 0) + b"TFL3"
    graph = TableOf([Tables(tensors), Numbers(ends[0]), Numbers(ends[1]), Tables(operators)])
    root = TableOf([version, Tables(codes), Tables([graph]), Text("made by hand"), Tables(buffers)])
    struct.pack_into("<I", writer.data, 0, writer.table(root))
    return bytes(writer.data)
