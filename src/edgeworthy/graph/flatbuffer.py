"""Tables of a FlatBuffers file, each step checked before it is taken.

Source: the FlatBuffers binary format, https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_OFFSET = struct.calcsize("<I")
_LONGEST_TEXT = 4096
_MOST_NUMBERS = 64


class Broken(Exception):  # noqa: N818 - never leaves the graph room
    """The bytes are not what they say they are."""


@dataclass(frozen=True)
class Table:
    """A table: fields by number, any of which may be absent.

    Attributes:
        data: The whole file.
        start: Where the table begins.
    """

    data: bytes
    start: int

    def number(self, field: int, kind: str) -> int:
        """A whole number; 0 when it is absent.

        Args:
            field: Its number.
            kind: As in :mod:`struct`.
        """
        place = self._place(field)
        return 0 if place is None else _unpack(self.data, place, kind)

    def text(self, field: int) -> str:
        """A text; empty when it is absent."""
        place = self._place(field)
        if place is None:
            return ""
        start, count = self._vector(place, 1)
        if count > _LONGEST_TEXT:
            raise Broken(f"a text has {count} bytes")
        try:
            return self.data[start : start + count].decode()
        except UnicodeDecodeError as error:
            raise Broken("a text is not UTF-8") from error

    def length(self, field: int) -> int:
        """Bytes of a vector of bytes; 0 when it is absent."""
        place = self._place(field)
        return 0 if place is None else self._vector(place, 1)[1]

    def numbers(self, field: int) -> tuple[int, ...]:
        """A vector of 32-bit numbers, as shapes and lists of tensors are."""
        place = self._place(field)
        if place is None:
            return ()
        start, count = self._vector(place, _OFFSET)
        if count > max(_MOST_NUMBERS, len(self.data) // _OFFSET):
            raise Broken("a list is longer than the file")
        return struct.unpack_from(f"<{count}i", self.data, start)

    def first(self, field: int, kind: str) -> float:
        """The first entry of a vector of numbers; 0 when there is none.

        Args:
            field: Its number.
            kind: As in :mod:`struct`.
        """
        place = self._place(field)
        if place is None:
            return 0
        start, count = self._vector(place, struct.calcsize(f"<{kind}"))
        if not count:
            return 0
        (value,) = struct.unpack_from(f"<{kind}", self.data, start)
        return float(value)

    def table(self, field: int) -> Table | None:
        """A table; None when it is absent."""
        place = self._place(field)
        return None if place is None else _table(self.data, _followed(self.data, place))

    def tables(self, field: int, *, most: int) -> list[Table]:
        """A vector of tables."""
        place = self._place(field)
        if place is None:
            return []
        start, count = self._vector(place, _OFFSET)
        if count > most:
            raise Broken(f"a list has {count} entries")
        places = range(start, start + count * _OFFSET, _OFFSET)
        return [_table(self.data, _followed(self.data, each)) for each in places]

    def _vector(self, place: int, size: int) -> tuple[int, int]:
        """Where the entries of a vector begin, and how many there are."""
        at = _followed(self.data, place)
        count = _unpack(self.data, at, "I")
        if at + _OFFSET + count * size > len(self.data):
            raise Broken("a list reaches beyond the end")
        return at + _OFFSET, count

    def _place(self, field: int) -> int | None:
        vtable = self.start - _unpack(self.data, self.start, "i")
        size = _unpack(self.data, vtable, "H")
        slot = 4 + 2 * field
        if slot + 2 > size:
            return None
        offset = _unpack(self.data, vtable + slot, "H")
        return self.start + offset if offset else None


def root_table(data: bytes) -> Table:
    """The table that a file begins with.

    Raises:
        Broken: There is none.
    """
    return _table(data, _followed(data, 0))


def _table(data: bytes, start: int) -> Table:
    _unpack(data, start, "i")
    return Table(data, start)


def _followed(data: bytes, place: int) -> int:
    return place + _unpack(data, place, "I")


def _unpack(data: bytes, place: int, kind: str) -> int:
    layout = f"<{kind}"
    if not 0 <= place <= len(data) - struct.calcsize(layout):
        raise Broken("an offset leads outside of the file")
    (value,) = struct.unpack_from(layout, data, place)
    return int(value)
