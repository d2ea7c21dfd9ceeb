"""A reader of FlatBuffers that believes nothing.

Rules:

1. Every offset is checked against the bytes before it is followed; what lies outside is
   :class:`OutOfRangeError`, never a wrong value and never another exception.
2. Offsets to tables, vectors and strings only go forward, so that nothing can go round in circles.
3. The number of reads is bounded: a small file that points many times at the same bytes cannot keep
   us busy for long.

Source: FlatBuffers internals (flatbuffers.dev): tables with vtables, 32-bit offsets, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_READS = 4_000_000
_U16, _I32, _U32 = struct.Struct("<H"), struct.Struct("<i"), struct.Struct("<I")
_U64, _I8 = struct.Struct("<Q"), struct.Struct("<b")
_LEAST_VTABLE = 4


class OutOfRangeError(Exception):
    """An offset or a length leads outside of the file, or too much is asked to be read."""


class Bytes:
    """The file, read within its bounds.

    Args:
        data: All of it.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._reads = 0

    def __len__(self) -> int:
        return len(self.data)

    def number(self, kind: struct.Struct, place: int) -> int:
        """A number at a place.

        Raises:
            OutOfRangeError: It lies outside, or too many were read.
        """
        self._reads += 1
        if self._reads > _MOST_READS:
            raise OutOfRangeError(f"more than {_MOST_READS} reads")
        if place < 0 or place + kind.size > len(self.data):
            raise OutOfRangeError(f"byte {place} of {len(self.data)}")
        value: int = kind.unpack_from(self.data, place)[0]
        return value

    def followed(self, place: int) -> int:
        """Where an offset at a place leads."""
        offset = self.number(_U32, place)
        target = place + offset
        if offset == 0 or target >= len(self.data):
            raise OutOfRangeError(f"an offset at byte {place} to byte {target} of {len(self.data)}")
        return target


@dataclass(frozen=True)
class Table:
    """A table: fields by their number.

    Attributes:
        source: The file.
        place: Where it begins.
    """

    source: Bytes
    place: int

    @classmethod
    def root(cls, source: Bytes) -> Table:
        """The table that the file begins with."""
        return cls(source, source.followed(0))

    def field(self, number: int) -> int | None:
        """Where a field lies; none where it is left out."""
        vtable = self.place - self.source.number(_I32, self.place)
        size = self.source.number(_U16, vtable)
        if size < _LEAST_VTABLE or size % 2:
            raise OutOfRangeError(f"a vtable of {size} bytes at byte {vtable}")
        slot = _LEAST_VTABLE + 2 * number
        if slot + 2 > size:
            return None
        offset = self.source.number(_U16, vtable + slot)
        return self.place + offset if offset else None

    def signed(self, number: int) -> int:
        """A 32-bit number; 0 where it is left out."""
        place = self.field(number)
        return 0 if place is None else self.source.number(_I32, place)

    def unsigned(self, number: int) -> int:
        """A 32-bit number without sign; 0 where it is left out."""
        place = self.field(number)
        return 0 if place is None else self.source.number(_U32, place)

    def large(self, number: int) -> int:
        """A 64-bit number without sign; 0 where it is left out."""
        place = self.field(number)
        return 0 if place is None else self.source.number(_U64, place)

    def small(self, number: int) -> int:
        """An 8-bit number; 0 where it is left out."""
        place = self.field(number)
        return 0 if place is None else self.source.number(_I8, place)

    def text(self, number: int) -> str:
        """Text, at most 256 bytes of it; empty where it is left out."""
        start, count = self.span(number, 1)
        return self.source.data[start : start + min(count, 256)].decode(errors="replace")

    def span(self, number: int, item_bytes: int) -> tuple[int, int]:
        """Where a vector's items begin, and how many there are; all of them lie in the file."""
        place = self.field(number)
        if place is None:
            return 0, 0
        start = self.source.followed(place)
        count = self.source.number(_U32, start)
        if start + 4 + count * item_bytes > len(self.source):
            raise OutOfRangeError(f"a vector of {count} items at byte {start}")
        return start + 4, count

    def numbers(self, number: int) -> Iterator[int]:
        """A vector of 32-bit numbers."""
        start, count = self.span(number, 4)
        for index in range(count):
            yield self.source.number(_I32, start + 4 * index)

    def tables(self, number: int) -> list[Table]:
        """A vector of tables."""
        start, count = self.span(number, 4)
        return [
            Table(self.source, self.source.followed(start + 4 * index)) for index in range(count)
        ]
