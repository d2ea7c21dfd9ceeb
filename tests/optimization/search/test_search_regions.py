from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import NodeProto, helper

from edgeworthy.optimization.search.regions import LARGEST_RUN, Noise, Work, float_order


def chain(count: int) -> list[NodeProto]:
    """Layers ``l0``, ``l1``, ... that pass ``t0``, ``t1``, ... on to each other."""
    return [helper.make_node("Conv", [f"t{n}"], [f"t{n + 1}"], name=f"l{n}") for n in range(count)]


def even_work(nodes: list[NodeProto], **changed: float) -> Work:
    """Every layer the same, and conversions next to nothing."""
    tensors = {name for node in nodes for name in (*node.input, *node.output)}
    return Work(
        layers={node.name: 1.0 for node in nodes} | changed,
        borders=dict.fromkeys(sorted(tensors), 1e-9),
    )


def left_noise(nodes: list[NodeProto], noise: Noise, floats: set[str]) -> float:
    """What is left when these nodes compute in float, straight from rule 2."""
    held = {
        name for node in nodes if node.name not in floats for name in (*node.input, *node.output)
    }
    return sum(noise.tensors[name] for name in noise.tensors if name in held) + sum(
        noise.layers[name] for name in noise.layers if name not in floats
    )


def test_layers_around_a_noisy_tensor_go_back_together() -> None:
    nodes = chain(20)
    tensors = {f"t{n}": 0.01 for n in range(21)} | {"t9": 1.0}
    order = float_order(
        nodes, Noise(tensors=tensors, layers={node.name: 0.02 for node in nodes}), even_work(nodes)
    )
    assert order[:2] == ("l8", "l9")
    assert sorted(order) == sorted(node.name for node in nodes)


def test_noise_of_weights_alone_needs_no_neighbor() -> None:
    nodes = chain(20)
    layers = {node.name: 0.001 for node in nodes} | {"l5": 0.5, "l12": 0.4}
    order = float_order(nodes, Noise(tensors={}, layers=layers), even_work(nodes))
    assert order[:2] == ("l5", "l12")


def test_noise_counts_for_its_work() -> None:
    nodes = chain(20)
    layers = {node.name: 0.001 for node in nodes} | {"l5": 0.5, "l12": 0.4}
    work = even_work(nodes, l5=10.0)
    order = float_order(nodes, Noise(tensors={}, layers=layers), work)
    assert order[0] == "l12"


def test_a_tensor_with_a_reader_in_integers_is_not_freed() -> None:
    """A residual addition reads ``t1`` as well: three nodes hold it, not two."""
    nodes = [
        helper.make_node("Conv", ["t0"], ["t1"], name="a"),
        helper.make_node("Conv", ["t1"], ["t2"], name="b"),
        helper.make_node("Add", ["t1", "t2"], ["t3"], name="sum"),
        helper.make_node("Conv", ["t3"], ["t4"], name="c"),
        *(helper.make_node("Conv", [f"u{n}"], [f"u{n + 1}"], name=f"d{n}") for n in range(12)),
    ]
    work = even_work(nodes)
    noise = Noise(
        tensors={"t1": 1.0, "t2": 0.0, "t3": 0.0},
        layers={node.name: 0.01 for node in nodes if node.name != "sum"} | {"d5": 0.1},
    )
    assert float_order(nodes, noise, work)[:3] == ("a", "b", "d5")
    freed = left_noise(nodes, noise, {"a"}) - left_noise(nodes, noise, {"a", "b", "sum"})
    assert freed == pytest.approx(1.01)


@given(
    tensors=st.lists(st.floats(0.0, 1.0), min_size=9, max_size=9),
    layers=st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8),
    work=st.lists(st.floats(0.5, 4.0), min_size=8, max_size=8),
)
def test_the_first_run_is_the_best_of_all(
    tensors: list[float], layers: list[float], work: list[float]
) -> None:
    nodes = chain(8)
    noise = Noise(
        tensors={f"t{n}": value for n, value in enumerate(tensors)},
        layers={f"l{n}": value for n, value in enumerate(layers)},
    )
    costs = {f"l{n}": value for n, value in enumerate(work)}
    order = float_order(nodes, noise, even_work(nodes, **costs))
    assert sorted(order) == [f"l{n}" for n in range(8)]
    limit = LARGEST_RUN * sum(work)
    everything = left_noise(nodes, noise, set())
    worth = {}
    for first in range(8):
        for last in range(first, 8):
            run = [f"l{n}" for n in range(first, last + 1)]
            cost = sum(costs[name] for name in run)
            if cost <= limit or len(run) == 1:
                worth[tuple(run)] = (everything - left_noise(nodes, noise, set(run))) / cost
    best = max(worth.values())
    assert any(
        worth.get(order[:length], -1.0) == pytest.approx(best, rel=1e-6) for length in range(1, 9)
    )


def test_a_shorter_run_wins_between_equals() -> None:
    nodes = chain(8)
    even = {node.name: 1.0 for node in nodes}
    order = float_order(nodes, Noise(tensors={}, layers=even), even_work(nodes))
    assert list(order) == [node.name for node in nodes]
    assert all(one < other for one, other in pairwise(order))


def test_runs_that_meet_save_the_conversion_between_them() -> None:
    """After ``l5``, its neighbor costs one conversion less than a layer that stands alone."""
    nodes = chain(20)
    noise = Noise(
        tensors=dict.fromkeys((f"t{n}" for n in range(21)), 0.0),
        layers={node.name: 0.001 for node in nodes} | {"l5": 1.0, "l6": 0.10, "l12": 0.11},
    )
    conversions = Work(
        layers={node.name: 1.0 for node in nodes},
        borders=dict.fromkeys(noise.tensors, 2.0),
    )
    assert float_order(nodes, noise, conversions)[:2] == ("l5", "l6")
    assert float_order(nodes, noise, even_work(nodes))[:2] == ("l5", "l12")
