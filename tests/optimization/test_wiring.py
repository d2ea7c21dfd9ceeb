"""Snapshots of a graph's connections."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto

from edgeworthy.optimization.wiring import Wiring, fresh_name, model_bytes, opset_version


def test_who_makes_and_reads_what(parse: Callable[..., ModelProto]) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { a = Add (x, w) b = Mul (a, a) y = Sub (b, x) }",
        {"w": np.ones(2, np.float32)},
    )
    wiring = Wiring(model.graph)
    assert wiring.producers["b"].op_type == "Mul"
    assert [node.op_type for node in wiring.consumers["a"]] == ["Mul", "Mul"]
    assert not wiring.has_one_consumer("a")
    assert wiring.has_one_consumer("b")
    assert wiring.constant("w") is not None
    assert wiring.constant("x") is None
    assert wiring.names() == {"x", "w", "a", "b", "y"}
    assert not wiring.is_private("y")


def test_nested_inner_graphs_capture(parse: Callable[..., ModelProto]) -> None:
    model = parse(
        """g (float[n,2] x, bool flag) => (float[n,2] y) { p = Neg (x) q = Abs (x)
        y = If (flag) <
          then_branch = t () => (float[n,2] a) {
            own = Relu (p)
            a = If (flag) <then_branch = t2 () => (float[n,2] c) { c = Add (own, q) },
                           else_branch = e2 () => (float[n,2] d) { d = Neg (own) }> },
          else_branch = e () => (float[n,2] b) { b = Neg (p) }> }"""
    )
    assert Wiring(model.graph).captured == {"p", "q", "flag"}


def test_fresh_names_are_taken_at_once() -> None:
    taken = {"a"}
    assert [fresh_name(taken, "a") for _ in range(2)] == ["a_1", "a_2"]


def test_opset_and_bytes(parse: Callable[..., ModelProto]) -> None:
    model = parse("g (float[n] x) => (float[n] y) { y = Relu (x) }", opset=15)
    assert opset_version(model) == 15
    assert opset_version(ModelProto()) == 0
    assert ModelProto.FromString(model_bytes(model)) == model


def test_names_of_inner_graphs_are_in_use(parse: Callable[..., ModelProto]) -> None:
    model = parse(
        """g (float[n] x, bool flag) => (float[n] y) {
        y = If (flag) <
          then_branch = t () => (float[n] a) {
            own = Neg (x)
            a = If (flag) <then_branch = t2 () => (float[n] c) { deep = Abs (own) c = Neg (deep) },
                           else_branch = e2 () => (float[n] d) { d = Neg (own) }> },
          else_branch = e () => (float[n] b) <float[1] stored = {1}> { b = Add (x, stored) }> }"""
    )
    assert {"own", "deep", "stored", "a", "b", "c", "d"} <= Wiring(model.graph).names()
