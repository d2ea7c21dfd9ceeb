"""The mean shift of each channel, worked out from the means of the layer's inputs.

Rounding changes the weights by known amounts; their product with the mean input is the mean shift.
It asks for one mean per channel of the inputs instead of a second run of every layer.

Rules:

1. The means are taken over samples and places, of the float inputs.
2. Borders are not looked at: where a kernel sees zeros outside the picture, the real shift is a
   little smaller. The empirical correction knows better and costs a run of every layer.

Source: Nagel et al., Data-Free Quantization through Weight Equalization and Bias Correction, 2019,
section 4.2, with measured means instead of those of a batch norm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, numpy_helper

from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import Wiring, attribute, editable
from edgeworthy.runtimes.base import Tensors


def analytic_shifts(
    model: ModelProto,
    nodes: Sequence[NodeProto],
    rounded: Mapping[str, NDArray[np.float64]],
    runs: Iterable[Tensors],
) -> dict[str, NDArray[np.float64]]:
    """Mean shift per output channel, by node.

    Args:
        model: The float graph.
        nodes: ``Conv`` and ``Gemm`` nodes with constant weights.
        rounded: What the integers of each node's weight stand for.
        runs: Samples, in runs that fit the memory.

    Raises:
        InferenceError: The engine cannot run the graph.
    """
    means = _input_means(model, nodes, runs)
    stored = Wiring(model.graph).initializers
    return {
        node.name: _shift(
            node,
            rounded[node.name] - numpy_helper.to_array(stored[node.input[1]]).astype(np.float64),
            means[node.input[0]],
        )
        for node in nodes
        if node.input[0] in means
    }


def _shift(
    node: NodeProto, error: NDArray[np.float64], means: NDArray[np.float64]
) -> NDArray[np.float64]:
    if node.op_type == "Gemm":
        rows = error.T if attribute(node, "transB", 0) else error
        return np.asarray(means @ rows)
    outputs, per_group = error.shape[:2]
    groups = attribute(node, "group", 1)
    by_channel = error.reshape(groups, outputs // groups, per_group, -1).sum(axis=3)
    shifts = np.einsum("goc,gc->go", by_channel, means.reshape(groups, per_group))
    return np.asarray(shifts.reshape(outputs))


def _input_means(
    model: ModelProto, nodes: Sequence[NodeProto], runs: Iterable[Tensors]
) -> dict[str, NDArray[np.float64]]:
    """By tensor, the mean of each channel, which is the second axis."""
    inputs = {value.name for value in model.graph.input}
    names = list(dict.fromkeys(node.input[0] for node in nodes))
    watched = editable(model)
    known = {value.name for value in watched.graph.output} | inputs
    watched.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in known)
    executor = Executor(watched, optimized=True)
    wanted = [name for name in names if name not in inputs]
    sums: dict[str, NDArray[np.float64]] = {}
    count = 0
    for run in runs if names else ():
        values: dict[str, NDArray[Any]] = {**run, **(executor.run(run, wanted) if wanted else {})}
        size = len(values[names[0]])
        for name in names:
            axes = (0, *range(2, values[name].ndim))
            total = values[name].mean(axis=axes, dtype=np.float64) * size
            sums[name] = sums.get(name, np.zeros(())) + total
        count += size
    return {name: total / count for name, total in sums.items()}
