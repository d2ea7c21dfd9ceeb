"""A TensorFlow Lite file: whether everything in it points at what it may.

Rules:

1. Only what the checks need is read: operator codes, operators, tensors, buffers.
2. Custom operators need code that does not come with the file and that nobody here has seen. The
   select TensorFlow operators (``Flex...``) are custom operators too.

Source: the schema of TensorFlow Lite, version 3 (tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from edgeworthy.graph.quoting import quoted, quoted_list
from edgeworthy.graph.scan.flatbuffer import Bytes, Table

_VERSION = 3
_CUSTOM = 32
#: Bytes of one value by the number of its type; 4-bit and text types are left out.
_TYPE_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 8: 8, 9: 1, 10: 8, 11: 16, 12: 8, 15: 4}
#: More bytes for one tensor than any edge device has.
LARGEST_TENSOR_BYTES = 1 << 34
_MOST_NAMED = 5


@dataclass(frozen=True)
class TfliteFindings:
    """What was found, check by check.

    Attributes:
        structure: Offsets and indices that lead nowhere.
        sizes: Tensors and buffers of absurd or contradictory sizes.
        external_data: Data that are said to lie outside.
        operators: Custom operators.
    """

    structure: tuple[str, ...]
    sizes: tuple[str, ...]
    external_data: tuple[str, ...]
    operators: tuple[str, ...]


def scan_tflite(data: bytes) -> TfliteFindings:
    """Look through a file that says it is TensorFlow Lite.

    Raises:
        OutOfRangeError: An offset or a length leads outside of the file.
    """
    model = Table.root(Bytes(data))
    codes, buffers = model.tables(1), model.tables(4)
    structure: list[str] = []
    sizes: list[str] = []
    if model.unsigned(0) != _VERSION:
        structure.append(f"Schema version {model.unsigned(0)}, {_VERSION} is known.")
    lengths = [_buffer_bytes(buffer, len(data)) for buffer in buffers]
    subgraphs = model.tables(2)
    if not subgraphs:
        structure.append("There is no subgraph: it is not a model, or not a whole one.")
    for graph in subgraphs:
        tensors = graph.tables(0)
        structure += _broken_indices(graph, len(tensors), len(codes))
        for tensor in tensors:
            sizes += _absurd_tensor(tensor, lengths)
    outside = [index for index, (_, is_outside) in enumerate(lengths) if is_outside]
    return TfliteFindings(
        structure=tuple(structure[:_MOST_NAMED]),
        sizes=tuple(sizes[:_MOST_NAMED]),
        external_data=tuple(
            f"Buffer {index} lies beyond the end of the file." for index in outside[:_MOST_NAMED]
        ),
        operators=_custom_operators(codes),
    )


def _buffer_bytes(buffer: Table, file_bytes: int) -> tuple[int, bool]:
    """Bytes of a buffer, and whether some of them lie outside of the file."""
    _, count = buffer.span(0, 1)
    offset, size = buffer.large(1), buffer.large(2)
    # Offsets 0 and 1 mean that the data stand in the buffer itself.
    if offset > 1:
        return size, offset + size > file_bytes
    return count, False


def _broken_indices(graph: Table, tensors: int, codes: int) -> Iterator[str]:
    for role, number in (("input", 1), ("output", 2)):
        for index in graph.numbers(number):
            if not 0 <= index < tensors:
                yield f"The subgraph's {role} is tensor {index} of {tensors}."
    for position, operator in enumerate(graph.tables(3)):
        code = operator.unsigned(0)
        if code >= codes:
            yield f"Operator {position} has the code {code} of {codes}."
        for number in (1, 2, 8):
            for index in operator.numbers(number):
                # -1 stands for an input that is left out.
                if not -1 <= index < tensors:
                    yield f"Operator {position} uses tensor {index} of {tensors}."
        operator.span(5, 1)
        offset, size = operator.large(9), operator.large(10)
        if offset > 1 and offset + size > len(graph.source):
            yield f"The options of operator {position} lie beyond the end of the file."


def _absurd_tensor(tensor: Table, lengths: list[tuple[int, bool]]) -> Iterator[str]:
    shape = list(tensor.numbers(0))
    name = quoted(tensor.text(3))
    if any(size < 0 for size in shape):
        yield f"Tensor {name} has the shape {shape}."
        return
    buffer = tensor.unsigned(2)
    if buffer >= max(1, len(lengths)):
        yield f"Tensor {name} has the buffer {buffer} of {len(lengths)}."
        return
    wanted = math.prod(shape) * _TYPE_BYTES.get(tensor.small(1), 0)
    if wanted > LARGEST_TENSOR_BYTES:
        yield f"Tensor {name} takes {wanted} bytes."
    stored = lengths[buffer][0] if lengths else 0
    if 0 < stored < wanted:
        yield f"Tensor {name} needs {wanted} bytes and its buffer holds {stored}."


def _custom_operators(codes: list[Table]) -> tuple[str, ...]:
    custom = []
    for code in codes:
        builtin = max(code.small(0), code.signed(3))
        if builtin == _CUSTOM or code.text(1):
            custom.append(code.text(1) or "(without a name)")
    if not custom:
        return ()
    return (
        f"Custom operators, whose code is not in the file: {quoted_list(sorted(set(custom)))}.",
    )
