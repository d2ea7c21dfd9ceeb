"""What the inputs of convolutions and products look like: their means and second moments.

Rules:

1. A run is made, its products are added up, the run is forgotten. That is done beside calibration
   for as many layers as fit one portion, and in a pass per portion for others. A portion holds at
   most 18 million numbers of four bytes, whatever the number of samples; they are the first 64 to
   512, the fewer the larger the model.
2. Float inputs, as the float model gives them: layers do not disturb one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, ValueInfoProto

from edgeworthy.optimization.calibration import affordable_samples, first_runs
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.quantization.layers import Layer, layers_of
from edgeworthy.optimization.quantization.plan import QuantizationPlan
from edgeworthy.optimization.wiring import editable
from edgeworthy.runtimes.base import Tensors

_NUMBERS_AT_A_TIME = 1 << 18
#: So many at least: adding a product up takes as long as some windows of it.
_FEWEST_AT_A_TIME = 512
_PORTION_NUMBERS = 18 << 20
Key = tuple[str, str]


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


class LayerInputs:
    """Samples to look at layers with; a portion of layers may be looked at during calibration.

    Args:
        batches: Gives the samples anew.

    Attributes:
        left: Samples that are still to be looked at during calibration.
    """

    def __init__(self, batches: Callable[[], Iterable[Tensors]]) -> None:
        self.batches = batches
        self.left = 0
        self._seen: dict[Key, tuple[Layer, Sums]] = {}

    def accompany(self, model: ModelProto, plan: QuantizationPlan) -> None:
        """Choose the layers of a float graph; those that the plan leaves out later do no harm."""
        portion = next(_portions(_alike(layers_of(model, plan))), [])
        self._seen = {_key(alike[0]): (alike[0], Sums(alike[0])) for alike in portion}
        self.left = affordable_samples(model) if portion else 0

    def watch(self, model: ModelProto) -> list[str]:
        """Add what is to be looked at to the graph's outputs; gives their names."""
        return _watch(model, [layer for layer, _ in self._seen.values()])

    def see(self, run: Tensors, values: Tensors) -> None:
        """Take in one run and its outputs."""
        _take_in(self._seen.values(), {**run, **values})
        self.left -= max((len(each) for each in run.values() if each.ndim), default=1)

    def taken(self) -> dict[Key, Sums]:
        """What was seen of each kind of windows; nothing is kept."""
        found = {key: sums for key, (_, sums) in self._seen.items()}
        self._seen = {}
        return found


def observe_moments(
    model: ModelProto,
    layers: Sequence[Layer],
    inputs: LayerInputs,
) -> Iterator[tuple[Layer, Moments]]:
    """Each layer with what its inputs look like; layers that read one tensor share the moments.

    Args:
        model: The float graph.
        layers: What to look at.
        inputs: The samples; what they showed during calibration must be of the same graph.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    seen = inputs.taken()
    unseen = []
    for alike in _alike(layers):
        if _key(alike[0]) not in seen:
            unseen.append(alike)
            continue
        moments = seen.pop(_key(alike[0])).moments()
        yield from ((layer, moments) for layer in alike)
    for portion in _portions(unseen):
        sums = [Sums(alike[0]) for alike in portion]
        watched = [(alike[0], own) for alike, own in zip(portion, sums, strict=True)]
        _observe(model, watched, inputs.batches())
        del watched
        for alike in portion:
            moments = sums.pop(0).moments()
            yield from ((layer, moments) for layer in alike)


def _observe(
    model: ModelProto, sums: Sequence[tuple[Layer, Sums]], batches: Iterable[Tensors]
) -> None:
    names = list(dict.fromkeys(layer.node.input[0] for layer, _ in sums))
    watched = editable(model)
    wanted = _watch(watched, [layer for layer, _ in sums])
    executor = Executor(watched, optimized=True)
    for run in first_runs(model, batches, names, limit=affordable_samples(model)):
        _take_in(sums, {**run, **(executor.run(run, wanted) if wanted else {})})


def _watch(model: ModelProto, layers: Sequence[Layer]) -> list[str]:
    """Make what layers read an output; edits the graph and gives the names."""
    inputs = {value.name for value in model.graph.input}
    wanted = dict.fromkeys(layer.node.input[0] for layer in layers)
    names = [name for name in wanted if name not in inputs]
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    return names


def _take_in(sums: Iterable[tuple[Layer, Sums]], values: Tensors) -> None:
    for layer, own in sums:
        own.add(layer.windows(values[layer.node.input[0]]))


def _alike(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers with the same windows together: products that read one tensor."""
    found: dict[Key, list[Layer]] = {}
    for layer in layers:
        found.setdefault(_key(layer), []).append(layer)
    return list(found.values())


def _key(layer: Layer) -> Key:
    return layer.node.input[0], layer.node.name if layer.node.op_type == "Conv" else ""


class Sums:
    """Moments on their way; windows are multiplied many at a time.

    They wait in one array: pieces of all sizes that stay between what a run allocates and frees
    would break the memory up, until it grew with the number of runs.
    """

    def __init__(self, layer: Layer) -> None:
        self._first = np.zeros((layer.groups, layer.depth))
        self._second = np.zeros((layer.groups, layer.depth, layer.depth), dtype=np.float32)
        self._count = 0
        most = max(1, _NUMBERS_AT_A_TIME // (layer.groups * layer.depth))
        if layer.groups == 1:
            most = max(_FEWEST_AT_A_TIME, most)
        self._waiting = np.empty((layer.groups, most, layer.depth), dtype=np.float32)
        self._filled = 0

    def add(self, seen: NDArray[np.float32]) -> None:
        """Note windows, ``(groups, windows, depth)``."""
        while seen.shape[1]:
            room = self._waiting.shape[1] - self._filled
            fitting, seen = seen[:, :room], seen[:, room:]
            self._waiting[:, self._filled : self._filled + fitting.shape[1]] = fitting
            self._filled += fitting.shape[1]
            if self._filled == self._waiting.shape[1]:
                self._multiply()

    def moments(self) -> Moments:
        """What was seen so far."""
        self._multiply()
        count = max(1, self._count)
        return Moments(self._first / count, self._second.astype(np.float64) / count)

    def _multiply(self) -> None:
        seen = self._waiting[:, : self._filled]
        if self._filled:
            self._first += seen.sum(axis=1, dtype=np.float64)
            self._second += _products(seen)
        self._count += self._filled
        self._filled = 0


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
