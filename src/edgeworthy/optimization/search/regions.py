"""In which order layers go back to float, so that every step frees the most noise for its work.

A layer alone in float frees little: its input comes to it in 256 steps, and its result is put into
256 steps for the layer behind. Only where everything around a tensor computes in float is the
tensor spared its steps. So layers go back in runs.

Rules:

1. Noise adds up: the energy of the outputs' error is the sum of what each tensor's steps and each
   layer's weights cause alone. (On EfficientNet-lite0, 110 shares added up to 0.00304 of the
   outputs' energy; the file's error was 0.00301.)
2. A layer frees the noise of its weights. A tensor is freed when nothing in integers makes or reads
   it any more.
3. The next run is the one, of layers that follow each other in the graph, that frees the most noise
   for its work, and no longer than a share of all work: what comes out is an order in which the
   first layers are worth the most, not a plan for one number of them.
4. Work is that of the layers in float, and that of converting every tensor that both float and
   integers touch: runs that meet save the conversion between them.
5. Between equals the first and shorter run wins, and inside a run layers keep the graph's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onnx import NodeProto

#: Of all work, the most that one run may hold; a single layer may hold more.
LARGEST_RUN = 0.15
#: Of a run's own work, the least that counts.
_LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Noise:
    """Energy of the outputs' error over the energy of the outputs.

    Attributes:
        tensors: What the steps of each tensor cause alone.
        layers: What the integer weights of each layer cause alone, by node.
    """

    tensors: Mapping[str, float]
    layers: Mapping[str, float]


@dataclass(frozen=True)
class Work:
    """What float costs, in one unit; all more than 0.

    Attributes:
        layers: Computing a layer in float instead of integers, by node.
        borders: Converting a tensor between float and integers.
    """

    layers: Mapping[str, float]
    borders: Mapping[str, float]


def float_order(nodes: Sequence[NodeProto], noise: Noise, work: Work) -> tuple[str, ...]:
    """Names of the layers, the first to go back to float first.

    Args:
        nodes: Those that compute in integers, in graph order: layers and what lies between them.
        noise: Of these layers and of the tensors around these nodes.
        work: Of the same layers and tensors.
    """
    holders = dict.fromkeys(noise.tensors, 0)
    for node in nodes:
        for tensor in _around(node, holders):
            holders[tensor] += 1
    state = _State(_spans(nodes, noise), noise, work, holders)
    order: list[str] = []
    while state.left:
        run = _best_run(state)
        order += [state.spans[index].layer for index in run if index in state.left]
        state.free(run)
    return tuple(order)


@dataclass(frozen=True)
class _Span:
    """A layer and the other nodes up to the next one; the first span may have no layer."""

    layer: str
    nodes: tuple[NodeProto, ...]


@dataclass
class _State:
    spans: Sequence[_Span]
    noise: Noise
    work: Work
    holders: dict[str, int]
    left: set[int] = field(init=False)
    borders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.left = {index for index, span in enumerate(self.spans) if span.layer}

    def free(self, run: Sequence[int]) -> None:
        """Take a run out of the integers."""
        trial = _Trial(self)
        for index in run:
            trial.add(index)
        self.holders.update(trial.holders)
        self.borders = {name for name in self.borders | trial.touched if self.holders[name]}
        self.left.difference_update(run)


class _Trial:
    """What taking spans out of the integers would free, and what work it would make."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self.holders: dict[str, int] = {}
        self.touched: set[str] = set()
        self.freed = 0.0
        self.computing = 0.0
        self._converting = 0.0

    @property
    def work(self) -> float:
        """Never less than a little: filling a gap can save more than it costs."""
        return max(self.computing + self._converting, _LEAST_SHARE * self.computing)

    def add(self, index: int) -> None:
        """Take one more span out; one that is out already changes nothing."""
        state = self._state
        if index not in state.left:
            return
        span = state.spans[index]
        self.freed += state.noise.layers[span.layer]
        self.computing += state.work.layers[span.layer]
        for node in span.nodes:
            for tensor in _around(node, state.holders):
                self._let_go(tensor)

    def _let_go(self, tensor: str) -> None:
        state = self._state
        count = self.holders.get(tensor, state.holders[tensor]) - 1
        border = tensor in self.touched or tensor in state.borders
        self.holders[tensor] = count
        self.touched.add(tensor)
        if count == 0:
            self.freed += state.noise.tensors[tensor]
            self._converting -= state.work.borders[tensor] if border else 0.0
        elif not border:
            self._converting += state.work.borders[tensor]


def _best_run(state: _State) -> range:
    limit = LARGEST_RUN * sum(state.work.layers.values())
    best, most = range(0), -1.0
    for first in sorted(state.left):
        trial = _Trial(state)
        for last in range(first, len(state.spans)):
            trial.add(last)
            if trial.computing > limit and last > first:
                break
            if last in state.left and trial.freed / trial.work > most:
                best, most = range(first, last + 1), trial.freed / trial.work
    return best


def _spans(nodes: Sequence[NodeProto], noise: Noise) -> list[_Span]:
    layers = [index for index, node in enumerate(nodes) if node.name in noise.layers]
    starts = [0, *layers] if not layers or layers[0] else layers
    ends = [*starts[1:], len(nodes)]
    return [
        _Span(
            layer=nodes[start].name if start in layers else "",
            nodes=tuple(nodes[start:end]),
        )
        for start, end in zip(starts, ends, strict=True)
        if end > start
    ]


def _around(node: NodeProto, tensors: Mapping[str, int]) -> list[str]:
    """The tensors with steps that a node reads or makes."""
    return [name for name in dict.fromkeys((*node.input, *node.output)) if name in tensors]
