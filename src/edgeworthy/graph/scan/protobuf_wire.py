"""How much an ONNX file unfolds to, found before it is unfolded.

Rules:

1. The wire format is walked without building anything: a message of two bytes becomes an object of
   a hundred, and a packed number of one byte becomes eight.
2. Depth, number of messages and unfolded bytes are bounded; so are the reads.

Source: the encoding of Protocol Buffers (protobuf.dev), and onnx.proto.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Messages that hold messages, by their name here and the number of the field.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "leaf", 14: "leaf", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph", 3: "leaf", 4: "leaf"},
    "function": {7: "node", 9: "leaf", 11: "attribute", 12: "value"},
    "graph": {
        1: "node",
        5: "tensor",
        11: "value",
        12: "value",
        13: "value",
        14: "leaf",
        15: "sparse",
    },
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        14: "value",
        15: "value",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "leaf"},
}
#: Packed numbers of a tensor: one byte on the wire may be eight in memory.
_PACKED = frozenset({1, 5, 7, 11})
_MOST_MESSAGES = 2_000_000
_DEEPEST = 64
_MOST_UNFOLDED_BYTES = 4 << 30
_VARINT_BYTES = 10
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class UnfoldingError(Exception):
    """The file would unfold to something absurd, or its wire format is broken."""


@dataclass(frozen=True)
class Unfolded:
    """What the file would become.

    Attributes:
        message_count: Messages.
        unfolded_bytes: At most, of packed numbers.
    """

    message_count: int
    unfolded_bytes: int


def measure_onnx(data: bytes) -> Unfolded:
    """Walk an ONNX file.

    Raises:
        UnfoldingError: A bound of this module does not hold.
    """
    waiting: list[tuple[str, int, int, int]] = [("model", 0, len(data), 0)]
    messages = unfolded = 0
    while waiting:
        name, place, stop, depth = waiting.pop()
        messages += 1
        if messages > _MOST_MESSAGES:
            raise UnfoldingError(f"more than {_MOST_MESSAGES} messages")
        if depth > _DEEPEST:
            raise UnfoldingError(f"messages nested deeper than {_DEEPEST}")
        inside = _INSIDE.get(name, {})
        while place < stop:
            key, place = _varint(data, place, stop)
            start, place = _skipped(data, place, stop, key & 7)
            if key & 7 != _LENGTH:
                continue
            if name == "tensor" and key >> 3 in _PACKED:
                unfolded += 8 * (place - start)
                if unfolded > _MOST_UNFOLDED_BYTES:
                    raise UnfoldingError(f"numbers that unfold to over {unfolded} bytes")
            child = inside.get(key >> 3)
            if child is not None:
                waiting.append((child, start, place, depth + 1))
    return Unfolded(messages, unfolded)


def _varint(data: bytes, place: int, stop: int) -> tuple[int, int]:
    value = 0
    for position in range(_VARINT_BYTES):
        if place + position >= stop:
            raise UnfoldingError(f"a number that is cut off at byte {place}")
        octet = data[place + position]
        value |= (octet & 0x7F) << (7 * position)
        if octet < 0x80:  # noqa: PLR2004 - the last octet of a number has no high bit
            return value, place + position + 1
    raise UnfoldingError(f"a number without an end at byte {place}")


def _skipped(data: bytes, place: int, stop: int, kind: int) -> tuple[int, int]:
    """Where a field's value begins and ends."""
    if kind == _VARINT:
        return place, _varint(data, place, stop)[1]
    if kind == _LENGTH:
        count, place = _varint(data, place, stop)
    elif kind in (_EIGHT, _FOUR):
        count = 8 if kind == _EIGHT else 4
    else:
        raise UnfoldingError(f"an unknown kind of field at byte {place}")
    if place + count > stop:
        raise UnfoldingError(f"a field of {count} bytes at byte {place} that is cut off")
    return place, place + count
