"""Single integer operators over bytes, many of them at the ends of their range.

What an engine's kernels do with bytes at the ends is what tells classes of CPU apart: sums of two
products saturate or wrap there and nowhere else. Shapes are those that decide which kernel the
engine takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Byte: TypeAlias = type[np.uint8] | type[np.int8]
Kernel: TypeAlias = tuple[int, ...]
SEED = 13
SCALE = np.float32(0.02)
#: Channels in and out, kernel, groups.
CONVOLUTIONS: Mapping[str, tuple[int, int, Kernel, int]] = {
    "shallow": (3, 8, (3, 3), 1),
    "shallow, ten out": (3, 10, (3, 3), 1),
    "twenty": (20, 8, (3, 3), 1),
    "one position": (64, 8, (1, 1), 1),
    "deep": (64, 8, (3, 3), 1),
    "deep, half a block more": (72, 8, (1, 3), 1),
    "deeper, half a block more": (136, 16, (3, 3), 1),
    "deep, odd channels in": (68, 8, (1, 3), 1),
    "deep, odd channels out": (64, 12, (3, 3), 1),
    "two groups": (16, 8, (2, 2), 2),
    "two deep groups": (128, 16, (3, 3), 2),
    "two out of one": (8, 16, (3, 3), 8),
    **{
        f"depthwise of {channels}, {'x'.join(map(str, kernel))}": (
            channels,
            channels,
            kernel,
            channels,
        )
        for channels in (8, 12, 16, 24, 32)
        for kernel in ((3, 3), (1, 1), (1, 3), (2, 2), (5, 5), (1, 9), (7, 7))
    },
}
#: What makes up the reference data of the tests: one of each way to add.
REFERENCE = (
    *("shallow", "one position", "deep", "deep, half a block more", "deep, odd channels in"),
    *("two groups", "depthwise of 16, 3x3", "depthwise of 24, 3x3", "depthwise of 12, 3x3"),
    *("depthwise of 16, 5x5", "depthwise of 16, 1x3"),
)
_MATRICES = ((5, 3), (16, 8), (37, 5), (64, 10), (130, 33), (600, 12))
_EDGE = 9
_WORDS = {np.uint8: "uint8", np.int8: "int8"}


@dataclass(frozen=True)
class Operator:
    """One graph and what goes in, ``(n, ...)`` each."""

    name: str
    model: onnx.ModelProto
    inputs: Mapping[str, Any]


def operators() -> Iterator[Operator]:
    """Every operator in every pair of types and kind of bytes."""
    generator = np.random.default_rng(SEED)
    pairs: tuple[tuple[Byte, Byte], ...] = (
        (np.uint8, np.uint8),
        (np.uint8, np.int8),
        (np.int8, np.int8),
    )
    for (left, right), extreme, centred in product(pairs, (True, False), (True, False)):
        how = _How(left, right, extreme=extreme, centred=centred, generator=generator)
        for name in CONVOLUTIONS:
            yield convolution(name, how)
        for depth, columns in _MATRICES:
            yield from _matrix_products(depth, columns, how)
    for kind in (np.uint8, np.int8):
        yield from _between(kind, generator)


def reference_operators() -> Iterator[Operator]:
    """The few that the tests keep."""
    generator = np.random.default_rng(SEED + 1)
    for left in (np.uint8, np.int8):
        how = _How(left, np.int8, extreme=True, centred=True, generator=generator)
        for name in REFERENCE:
            yield convolution(name, how)
        yield next(_matrix_products(37, 5, how))
        how = _How(left, np.int8, extreme=True, centred=False, generator=generator)
        for name in ("shallow", "depthwise of 16, 3x3"):
            yield convolution(name, how)


@dataclass(frozen=True)
class _How:
    """Types of activations and weights, and what bytes they hold."""

    left: Byte
    right: Byte
    extreme: bool
    centred: bool
    generator: np.random.Generator

    @property
    def title(self) -> str:
        bytes_held = "ends" if self.extreme else "drawn"
        zero = "" if self.centred else ", asymmetric"
        return f"{_WORDS[self.left]} by {_WORDS[self.right]}, {bytes_held}{zero}"

    def bytes_of(self, kind: Byte, shape: tuple[int, ...]) -> NDArray[Any]:
        """Most of them the lowest, if extreme."""
        limits = np.iinfo(kind)
        if not self.extreme:
            return self.generator.integers(limits.min, limits.max + 1, shape).astype(kind)
        ends = [limits.min, limits.min, limits.min, limits.min + 1, limits.max - 1, limits.max]
        return self.generator.choice(ends, shape).astype(kind)

    def zeros(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Zero points of activations and weights."""
        lowest = {kind: np.iinfo(kind).min for kind in (np.uint8, np.int8)}
        middle = lowest[self.right] + 128
        weight = middle if self.centred else middle + 7
        return np.array(lowest[self.left] + 60, self.left), np.array(weight, self.right)


def convolution(name: str, how: _How) -> Operator:
    """``QLinearConv`` of the shape of this name."""
    inputs, outputs, kernel, group = CONVOLUTIONS[name]
    weights = how.bytes_of(how.right, (outputs, inputs // group, *kernel))
    zero, weight_zero = how.zeros()
    constants = {
        "s": SCALE,
        "xz": zero,
        "w": weights,
        "ws": np.linspace(0.01, 0.02, outputs, dtype=np.float32),
        "wz": np.full(outputs, weight_zero, how.right),
        "t": np.float32(SCALE * 0.3 * weights[0].size),
        "yz": np.array(np.iinfo(how.left).min + 128, how.left),
        "b": how.generator.integers(-5000, 5000, outputs).astype(np.int32),
    }
    node = helper.make_node(
        "QLinearConv",
        ["x", "s", "xz", "w", "ws", "wz", "t", "yz", "b"],
        ["y"],
        group=group,
        # The picture is as high as the kernel at least.
        pads=[1, 1, 1, 1] if kernel == (3, 3) else [0, 0, 0, 0],
    )
    x = how.bytes_of(how.left, (2, inputs, _EDGE, _EDGE))
    return _operator(f"{name}, {how.title}", node, constants, {"x": x}, (how.left, 4))


def _matrix_products(depth: int, columns: int, how: _How) -> Iterator[Operator]:
    zero, weight_zero = how.zeros()
    constants: dict[str, Any] = {
        "b": how.bytes_of(how.right, (depth, columns)),
        "az": zero,
        "bz": weight_zero,
    }
    scales = {
        "as": SCALE,
        "bs": np.float32(0.01),
        "ys": np.float32(SCALE * 0.3 * depth),
        "yz": np.array(np.iinfo(how.left).min + 128, how.left),
    }
    stack = {"x": how.bytes_of(how.left, (2, 4, depth))}
    flat = {"x": how.bytes_of(how.left, (7, depth))}
    title = f"{depth} by {columns}, {how.title}"
    node = helper.make_node("MatMulInteger", ["x", "b", "az", "bz"], ["y"])
    yield _operator(f"MatMulInteger, {title}", node, constants, stack, (np.int32, 3))
    constants |= scales
    node = helper.make_node("QLinearMatMul", ["x", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"])
    yield _operator(f"QLinearMatMul, {title}", node, constants, stack, (how.left, 3))
    names = ["x", "b", "as", "bs", "az", "bz"]
    node = helper.make_node("MatMulIntegerToFloat", names, ["y"], domain="com.microsoft")
    yield _operator(f"MatMulIntegerToFloat, {title}", node, constants, stack, (np.float32, 3))
    names = ["x", "as", "az", "b", "bs", "bz", "", "ys", "yz"]
    node = helper.make_node("QGemm", names, ["y"], domain="com.microsoft")
    yield _operator(f"QGemm, {title}", node, constants, flat, (how.left, 2))


def _between(kind: Byte, generator: np.random.Generator) -> Iterator[Operator]:
    """Integer operators between the products: the emulation takes them for equal everywhere."""
    lowest = np.iinfo(kind).min
    constants = {
        "s1": np.float32(0.0173),
        "z1": np.array(lowest + 120, kind),
        "s2": np.float32(0.0291),
        "z2": np.array(lowest + 99, kind),
        "s3": np.float32(0.0417),
        "z3": np.array(lowest + 130, kind),
        "small": np.float32(1 / 256),
        "least": np.array(lowest, kind),
    }
    draw = (8, 16, _EDGE, _EDGE)
    x, y = (generator.integers(lowest, lowest + 256, draw).astype(kind) for _ in range(2))
    first, second = ["x", "s1", "z1"], ["x2", "s2", "z2"]
    both = {"x": x, "x2": y}
    own = {"domain": "com.microsoft"}
    nodes: tuple[tuple[str, list[str], dict[str, Any]], ...] = (
        ("QLinearAdd", [*first, *second, "s3", "z3"], own),
        ("QLinearMul", [*first, *second, "s3", "z3"], own),
        ("QLinearConcat", ["s3", "z3", *first, *second], {**own, "axis": 1}),
        ("QLinearSigmoid", [*first, "small", "least"], own),
        ("QLinearLeakyRelu", [*first, "s3", "z3"], own),
        ("QLinearGlobalAveragePool", [*first, "s2", "z2"], own),
        ("QLinearAveragePool", [*first, "s2", "z2"], {**own, "kernel_shape": [3, 3]}),
        ("QLinearSoftmax", [*first, "small", "least"], {**own, "axis": 1, "opset": 13}),
        ("DequantizeLinear", first, {}),
    )
    for name, inputs, attributes in nodes:
        node = helper.make_node(name, inputs, ["y"], **attributes)
        given = both if "x2" in inputs else {"x": x}
        result = np.float32 if name == "DequantizeLinear" else kind
        yield _operator(f"{name}, {_WORDS[kind]}", node, constants, given, (result, 4))
    halves = (generator.integers(-400, 400, draw) / 2 * 0.0173).astype(np.float32)
    node = helper.make_node("QuantizeLinear", ["x", "s1", "z1"], ["y"])
    title = f"QuantizeLinear, {_WORDS[kind]}"
    yield _operator(title, node, constants, {"x": halves}, (kind, 4))


def _operator(
    name: str,
    node: onnx.NodeProto,
    constants: Mapping[str, Any],
    inputs: Mapping[str, NDArray[Any]],
    output: tuple[type[np.generic], int],
) -> Operator:
    kind, rank = output
    dims = [f"d{axis}" for axis in range(rank)]
    graph = helper.make_graph(
        [node],
        "operator",
        [
            helper.make_tensor_value_info(
                key, helper.np_dtype_to_tensor_dtype(values.dtype), ["batch", *values.shape[1:]]
            )
            for key, values in inputs.items()
        ],
        [helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(np.dtype(kind)), dims)],
        [
            numpy_helper.from_array(np.asarray(values), key)
            for key, values in constants.items()
            if key in node.input
        ],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return Operator(
        name, helper.make_model(graph, opset_imports=versions, ir_version=8), dict(inputs)
    )
