from __future__ import annotations

import onnx
from onnx import parser

from edgeworthy.graph.memory import ActivationMemory, activation_memory
from edgeworthy.graph.shapes import shapes_per_sample


def memory(graph: str) -> ActivationMemory:
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}')
    return activation_memory(model.graph, shapes_per_sample(model))


def test_a_chain_holds_two_tensors_at_a_time() -> None:
    found = memory("g (float[N, 10] x) => (float[N, 10] y) { a = Relu(x) b = Relu(a) y = Relu(b) }")
    assert found == ActivationMemory(peak_bytes=2 * 40, unknown_count=0)


def test_a_shortcut_keeps_its_tensor_alive() -> None:
    found = memory(
        "g (float[N, 10] x) => (float[N, 10] y) { a = Relu(x) b = Relu(a) y = Add(b, x) }"
    )
    assert found.peak_bytes == 3 * 40


def test_outputs_live_to_the_end() -> None:
    found = memory(
        "g (float[N, 10] x) => (float[N, 10] a, float[N, 10] c)"
        "{ a = Relu(x) b = Relu(a) c = Relu(b) }"
    )
    assert found.peak_bytes == 3 * 40


def test_an_output_that_nobody_reads_dies_at_once() -> None:
    found = memory(
        "g (float[N, 10] x) => (float[N, 4] y) <int64[1] k = {4}>"
        "{ v, i = TopK(x, k) u = Relu(v) y = Relu(u) }"
    )
    # input, values and the indices, of 8 bytes each
    assert found.peak_bytes == 40 + 16 + 32


def test_constants_are_weights_not_activations() -> None:
    found = memory(
        "g (float[N, 2] x) => (float[N, 2] y) { c = Constant<value_floats = [1.0, 2.0]>()"
        " y = Add(x, c) }"
    )
    assert found.peak_bytes == 2 * 8


def test_what_follows_from_weights_alone_is_no_activation() -> None:
    found = memory(
        "g (float[N, 2] x) => (float[N, 2] y) <int8[1000, 2] q = {0}, float s = {0.5}>"
        "{ w = DequantizeLinear(q, s) total = ReduceMean<axes = [0], keepdims = 0>(w)"
        " y = Add(x, total) }"
    )
    assert found == ActivationMemory(peak_bytes=2 * 8, unknown_count=0)


def test_random_numbers_are_activations_although_they_need_no_input() -> None:
    found = memory(
        "g (float[N, 2] x) => (float[N, 2] y) { r = RandomNormal<shape = [1, 2]>() y = Add(x, r) }"
    )
    assert found.peak_bytes == 3 * 8


def test_a_subgraph_reads_the_tensors_of_the_outer_graph() -> None:
    found = memory(
        """g (float[N, 10] x, bool[1] choice) => (float[N, 10] y) {
        a = Relu(x)
        b = Relu(a)
        c = Relu(b)
        y = If(choice) <
            then_branch = t () => (float[N, 10] p) { p = Neg(a) },
            else_branch = e () => (float[N, 10] q) { q = Neg(c) }> }"""
    )
    # a, c, the choice and the result
    assert found.peak_bytes == 3 * 40 + 1


def test_a_fixed_batch_is_divided_out() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[4, 10] x) => (float[4, 10] y)'
        "{ y = Relu(x) }"
    )
    shapes = shapes_per_sample(model)
    assert activation_memory(model.graph, shapes, batch=4).peak_bytes == 80


def test_tensors_of_unknown_shape_are_counted() -> None:
    assert activation_memory(onnx.GraphProto(), {}) == ActivationMemory(0, 0)
    found = memory("g (float[N, T] x) => (float[N, T] y) { a = Relu(x) y = Relu(a) }")
    assert found == ActivationMemory(peak_bytes=0, unknown_count=3)
