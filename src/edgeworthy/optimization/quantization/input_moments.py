"""What the inputs of convolutions and products look like: their means and second moments.

Rules:

1. One streaming pass per portion of layers: a run is made, its products are added up, the run is
   forgotten. A portion holds at most 18 million numbers of four bytes, whatever the number of
   samples; they are the first 64 to 512, the fewer the larger the model.
2. At most 128 windows per sample and layer are looked at, evenly spread, at most 32 of wide layers
   and of those in groups, and at most 8 of depthwise ones: more say little new and cost time.
3. A layer with windows of more than 2,048 numbers is left out: its inverse would take too long.
4. Float inputs, as the float model gives them: layers do not disturb one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, numpy_helper

from edgeworthy.optimization.calibration import affordable_samples, first_runs
from edgeworthy.optimization.emulation.windows import Geometry
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.wiring import Wiring, attribute, editable
from edgeworthy.runtimes.base import Tensors

_WINDOWS_PER_SAMPLE = 128
_WIDE_WINDOWS_PER_SAMPLE = 32
_DEPTHWISE_WINDOWS_PER_SAMPLE = 8
_WIDE = 512
_NUMBERS_AT_A_TIME = 1 << 19
_LARGEST_DEPTH = 2048
_PORTION_NUMBERS = 18 << 20


@dataclass(frozen=True)
class Moments:
    """What the windows of a layer look like on the average.

    Attributes:
        means: ``(groups, depth)``.
        squares: ``(groups, depth, depth)``: each window times itself.
    """

    means: NDArray[np.float64]
    squares: NDArray[np.float64]

    def about_means(self) -> NDArray[np.float64]:
        """Second moments of what differs from the means: the covariances."""
        return self.squares - self.means[:, :, None] * self.means[:, None, :]


@dataclass(frozen=True)
class Layer:
    """A node with weights, seen as groups of matrix products.

    Attributes:
        node: The node.
        weight: Its float weights as stored.
        groups: Number of groups.
    """

    node: NodeProto
    weight: NDArray[np.float32]
    groups: int

    @property
    def has_bias(self) -> bool:
        """Whether the operator has room for a bias."""
        return self.node.op_type in {"Conv", "Gemm"}

    @property
    def depth(self) -> int:
        """Numbers that one output number is made of."""
        return self.weight.size // self._channels()

    def matrices(self) -> NDArray[np.float64]:
        """``(groups, channels, depth)``; depth runs over kernel positions, then channels."""
        wide = self.weight.astype(np.float64)
        if self.node.op_type == "Conv":
            rows = np.moveaxis(wide, 1, -1).reshape(len(wide), -1)
        else:
            rows = wide if self._is_transposed() else wide.T
        return rows.reshape(self.groups, len(rows) // self.groups, -1)

    def stored(self, matrices: NDArray[Any]) -> NDArray[np.float32]:
        """The way back: weights as the node stores them."""
        rows = matrices.reshape(-1, matrices.shape[2])
        if self.node.op_type == "Conv":
            shape = (len(rows), *self.weight.shape[2:], self.weight.shape[1])
            rows = np.moveaxis(rows.reshape(shape), -1, 1)
        elif not self._is_transposed():
            rows = rows.T
        return np.ascontiguousarray(rows, dtype=np.float32)

    def windows(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """``(groups, windows, depth)`` of a batch of the layer's inputs."""
        if self.node.op_type != "Conv":
            rows = values.reshape(len(values), -1, values.shape[-1])
            chosen = rows[:, self._spread(rows.shape[1])]
            return np.asarray(chosen.reshape(1, -1, values.shape[-1]))
        geometry = Geometry.of(self.node, self.weight.shape[2:], values.shape[2:])
        seen = self._gathered(values, geometry)  # (n, channels, places, positions)
        n, _, places, positions = seen.shape
        split = seen.reshape(n, self.groups, self.weight.shape[1], places, positions)
        # (groups, n, places, positions, channels): for depthwise layers, runs stay in one piece.
        return np.asarray(split.transpose(1, 0, 3, 4, 2).reshape(self.groups, n * places, -1))

    def _gathered(self, values: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
        """What the kernel sees at the chosen places; zeros outside the picture."""
        picture = values.shape[2:]
        extent = geometry.places(picture)
        places = np.unravel_index(self._spread(int(np.prod(extent))), extent)
        positions = np.unravel_index(np.arange(np.prod(geometry.kernel)), geometry.kernel)
        inside = np.ones((len(places[0]), len(positions[0])), dtype=bool)
        flat = np.zeros(inside.shape, dtype=np.int64)
        for axis, size in enumerate(picture):
            where = places[axis][:, None] * geometry.strides[axis] - geometry.before[axis]
            where = where + positions[axis] * geometry.dilations[axis]
            inside &= (where >= 0) & (where < size)
            flat = flat * size + np.clip(where, 0, size - 1)
        seen = values.reshape(*values.shape[:2], -1)[:, :, flat]
        seen[..., ~inside] = 0
        return np.asarray(seen)

    def _spread(self, count: int) -> NDArray[np.int64]:
        """Evenly spread positions, at most as many as are looked at."""
        wide = self.groups * self.depth > _WIDE or self.groups > 1
        most = _WIDE_WINDOWS_PER_SAMPLE if wide else _WINDOWS_PER_SAMPLE
        if self.groups > 1 and self.weight.shape[1] == 1:
            most = _DEPTHWISE_WINDOWS_PER_SAMPLE
        chosen = min(count, most)
        return (np.arange(chosen) * count + count // 2) // chosen

    def _channels(self) -> int:
        first = self.node.op_type == "Conv" or self._is_transposed()
        return int(self.weight.shape[0 if first else 1])

    def _is_transposed(self) -> bool:
        return self.node.op_type == "Gemm" and bool(attribute(self.node, "transB", 0))


def layers_of(model: ModelProto, plan: QuantizationPlan) -> list[Layer]:
    """Quantized nodes with weights, but for those of rule 3."""
    wiring = Wiring(model.graph)
    layers = [
        Layer(
            node,
            numpy_helper.to_array(wiring.initializers[node.input[1]]),
            attribute(node, "group", 1) if node.op_type == "Conv" else 1,
        )
        for node in model.graph.node
        if node.name in plan.nodes and node.op_type in WEIGHTED
    ]
    return [layer for layer in layers if layer.depth <= _LARGEST_DEPTH]


def observe_moments(
    model: ModelProto, layers: Sequence[Layer], batches: Callable[[], Iterable[Tensors]]
) -> Iterator[tuple[Layer, Moments]]:
    """Each layer with what its inputs look like; layers that read one tensor share the moments.

    Args:
        model: The float graph.
        layers: What to look at.
        batches: Gives the samples anew, once per portion of layers.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    for portion in _portions(_alike(layers)):
        sums = [_Sums(alike[0]) for alike in portion]
        names = list(dict.fromkeys(alike[0].node.input[0] for alike in portion))
        executor = Executor(_watched(model, names), optimized=True)
        wanted = [name for name in names if name not in _inputs(model)]
        for batch in first_runs(model, batches(), names, limit=affordable_samples(model)):
            values = {**batch, **(executor.run(batch, wanted) if wanted else {})}
            for alike, total in zip(portion, sums, strict=True):
                total.add(alike[0].windows(values[alike[0].node.input[0]]))
        del executor  # it holds the weights once more
        for alike in portion:
            moments = sums.pop(0).moments()
            yield from ((layer, moments) for layer in alike)


def _alike(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers with the same windows together: products that read one tensor."""
    found: dict[tuple[str, str], list[Layer]] = {}
    for layer in layers:
        own = layer.node.name if layer.node.op_type == "Conv" else ""
        found.setdefault((layer.node.input[0], own), []).append(layer)
    return list(found.values())


class _Sums:
    """Moments on their way; windows are multiplied many at a time."""

    def __init__(self, layer: Layer) -> None:
        self._first = np.zeros((layer.groups, layer.depth))
        self._second = np.zeros((layer.groups, layer.depth, layer.depth), dtype=np.float32)
        self._count = 0
        self._waiting: list[NDArray[np.float32]] = []

    def add(self, seen: NDArray[np.float32]) -> None:
        """Note windows, ``(groups, windows, depth)``."""
        self._waiting.append(seen)
        if sum(each.size for each in self._waiting) >= _NUMBERS_AT_A_TIME:
            self._multiply()

    def moments(self) -> Moments:
        """What was seen so far."""
        self._multiply()
        count = max(1, self._count)
        return Moments(self._first / count, self._second.astype(np.float64) / count)

    def _multiply(self) -> None:
        if self._waiting:
            seen = np.concatenate(self._waiting, axis=1)
            self._first += seen.sum(axis=1, dtype=np.float64)
            self._second += _products(seen)
            self._count += seen.shape[1]
            self._waiting = []


def _products(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(groups, depth, depth)``: each window times itself, added up."""
    if len(seen) == 1:
        return np.asarray(seen[0].T @ seen[0])[None]
    return np.asarray(np.matmul(np.swapaxes(seen, 1, 2), seen))


def _portions(layers: Sequence[list[Layer]]) -> Iterator[list[list[Layer]]]:
    portion: list[list[Layer]] = []
    size = 0
    for alike in layers:
        own = alike[0].groups * alike[0].depth ** 2
        if portion and size + own > _PORTION_NUMBERS:
            yield portion
            portion, size = [], 0
        portion.append(alike)
        size += own
    if portion:
        yield portion


def _inputs(model: ModelProto) -> set[str]:
    return {value.name for value in model.graph.input}


def _watched(model: ModelProto, names: Sequence[str]) -> ModelProto:
    watched = editable(model)
    known = {value.name for value in (*watched.graph.output, *watched.graph.input)}
    watched.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    return watched
