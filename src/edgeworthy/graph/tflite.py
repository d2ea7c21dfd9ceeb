"""A ``.tflite`` file, read as if it were hostile and without the engine.

Rules:

1. Every offset, length and count is checked against the file before it is followed; a file that
   points outside itself, or says more than it could hold, is refused.
2. Nothing is run and nothing is converted: the first graph of the file is what is described.
3. An axis that the file marks as free (-1 in its shape signature) goes by its place, as the
   nameless axes of other formats do.

Source: TensorFlow, ``tensorflow/compiler/mlir/lite/schema/schema.fbs``, version 3, and the
FlatBuffers binary format (https://flatbuffers.dev/internals/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.errors import ModelFileError
from edgeworthy.graph.flatbuffer import Broken, Table, root_table

IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_MOST_ENTRIES = 1_000_000
_TYPES = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
}
_BITS = {"float16": 16, "int16": 16, "uint16": 16, "float64": 64, "int64": 64, "uint64": 64} | {
    "float32": 32,
    "int32": 32,
    "uint32": 32,
}
#: Names of the builtin operators that small models use; others go by their number.
_OPERATORS = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    21: "RELU6",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    25: "SOFTMAX",
    27: "SVDF",
    28: "TANH",
    34: "PAD",
    36: "GATHER",
    39: "TRANSPOSE",
    40: "MEAN",
    41: "SUB",
    42: "DIV",
    43: "SQUEEZE",
    45: "STRIDED_SLICE",
    47: "EXP",
    49: "SPLIT",
    53: "CAST",
    54: "PRELU",
    65: "SLICE",
    67: "TRANSPOSE_CONV",
    70: "EXPAND_DIMS",
    74: "SUM",
    76: "RSQRT",
    83: "PACK",
    97: "RESIZE_NEAREST_NEIGHBOR",
    98: "LEAKY_RELU",
    99: "SQUARED_DIFFERENCE",
    114: "QUANTIZE",
    117: "HARD_SWISH",
    126: "BATCH_MATMUL",
    150: "GELU",
}
_CUSTOM = 32
_OLD_CODES = 127


@dataclass(frozen=True)
class TfliteTensor:
    """A tensor of the graph.

    Attributes:
        name: In the file.
        dtype: A numpy name; empty for what is no number.
        shape: Sizes for a batch of one.
        free: Axes that the file leaves open.
        constant: Whether its values stand in the file.
        scale: Size of one step of an integer tensor; 0 where it has none of its own.
        zero_point: The integer that stands for 0.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    free: tuple[int, ...]
    constant: bool
    scale: float = 0.0
    zero_point: int = 0

    @property
    def element_count(self) -> int:
        """Number of values, per sample where the first axis is the batch."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes of its values."""
        return self.element_count * _BITS.get(self.dtype, 8) // 8


@dataclass(frozen=True)
class TfliteOperator:
    """A node of the graph: its operator, and the numbers of its tensors (-1 for none)."""

    op_type: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class TfliteModel:
    """What stands in a file.

    Attributes:
        version: Of the schema.
        description: Of the model, by whoever wrote it.
        signature: Inputs and outputs.
        tensors: Of the first graph.
        operators: Of the first graph, in order.
        inputs: Numbers of the tensors that come in.
        outputs: Numbers of the tensors that go out.
        graph_count: Graphs in the file; all but the first are not described.
    """

    version: int
    description: str
    signature: ModelSignature
    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    graph_count: int


def is_tflite(data: bytes) -> bool:
    """Whether bytes say of themselves that they are such a file."""
    return data[4:8] == IDENTIFIER


def read_tflite(data: bytes, *, where: str) -> TfliteModel:
    """Read a file.

    Args:
        data: Its content.
        where: The file, for messages.

    Raises:
        ModelFileError: It is no such file, is broken, or takes or gives what is no number.
    """
    if not is_tflite(data):
        raise ModelFileError(
            "not a TensorFlow Lite file",
            where=where,
            expected=f"`{IDENTIFIER.decode()}` at its fifth byte",
            next_step="Convert the model again",
        )
    try:
        return _read(root_table(data), where)
    except Broken as error:
        raise ModelFileError(
            f"a broken TensorFlow Lite file: {error}",
            where=where,
            next_step="Convert or copy the model again",
        ) from error


def _read(model: Table, where: str) -> TfliteModel:
    version = model.number(0, "I")
    if version != _SCHEMA_VERSION:
        raise ModelFileError(
            "an unknown version of the TensorFlow Lite format",
            where=where,
            expected=str(_SCHEMA_VERSION),
            found=str(version),
        )
    graphs = model.tables(2, most=_MOST_ENTRIES)
    if not graphs:
        raise Broken("it holds no graph")
    graph = graphs[0]
    filled = [_is_filled(each) for each in model.tables(4, most=_MOST_ENTRIES)]
    tensors = tuple(_tensor(each, filled) for each in graph.tables(0, most=_MOST_ENTRIES))
    inputs, outputs = (_numbers(graph.numbers(slot), len(tensors)) for slot in (1, 2))
    codes = [_operator_name(each) for each in model.tables(1, most=_MOST_ENTRIES)]
    return TfliteModel(
        version=version,
        description=model.text(3),
        signature=ModelSignature(
            inputs=tuple(_signature(tensors[n], where) for n in inputs),
            outputs=tuple(_signature(tensors[n], where) for n in outputs),
        ),
        tensors=tensors,
        operators=tuple(_operators(graph, codes, len(tensors))),
        inputs=inputs,
        outputs=outputs,
        graph_count=len(graphs),
    )


def _is_filled(buffer: Table) -> bool:
    return bool(buffer.length(0)) or buffer.number(2, "Q") > 1


def _tensor(table: Table, filled: list[bool]) -> TfliteTensor:
    shape, marked = table.numbers(0), table.numbers(7)
    free = tuple(axis for axis, size in enumerate(marked) if size < 0)
    if any(size < 0 for size in shape) or (marked and len(marked) != len(shape)):
        raise Broken("a tensor has an impossible shape")
    buffer = table.number(2, "I")
    if buffer >= max(len(filled), 1):
        raise Broken("a tensor names a buffer that is not there")
    steps = table.table(4)
    return TfliteTensor(
        scale=steps.first(2, "f") if steps else 0.0,
        zero_point=int(steps.first(3, "q")) if steps else 0,
        name=table.text(3),
        dtype=_TYPES.get(table.number(1, "b"), ""),
        shape=shape,
        free=free,
        constant=bool(filled) and filled[buffer],
    )


def _operator_name(code: Table) -> str:
    number = max(code.number(0, "b"), code.number(3, "i"))
    if number == _CUSTOM:
        return code.text(1) or "CUSTOM"
    if number < 0:
        raise Broken("an operator has an impossible code")
    return _OPERATORS.get(number, f"BUILTIN_{number}")


def _operators(graph: Table, codes: list[str], tensor_count: int) -> Iterator[TfliteOperator]:
    for each in graph.tables(3, most=_MOST_ENTRIES):
        index = each.number(0, "I")
        if index >= len(codes):
            raise Broken("a node has an operator that is not there")
        yield TfliteOperator(
            op_type=codes[index],
            inputs=_numbers(each.numbers(1), tensor_count, optional=True),
            outputs=_numbers(each.numbers(2), tensor_count),
        )


def _numbers(found: tuple[int, ...], count: int, *, optional: bool = False) -> tuple[int, ...]:
    least = -1 if optional else 0
    if any(not least <= number < count for number in found):
        raise Broken("a node names a tensor that is not there")
    return found


def _signature(tensor: TfliteTensor, where: str) -> TensorSignature:
    if not tensor.dtype:
        raise ModelFileError(
            f"{tensor.name} is not a tensor of numbers",
            where=where,
            next_step="Convert the model with plain numeric tensors as inputs and outputs",
        )
    shape = tuple(
        f"axis_{axis}" if axis in tensor.free else size for axis, size in enumerate(tensor.shape)
    )
    return TensorSignature(name=tensor.name, dtype=tensor.dtype, shape=shape)
