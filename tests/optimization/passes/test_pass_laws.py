"""One set of laws for every pass, on graphs that have something for each of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes import (
    AFTER_QUANTIZATION,
    BEFORE_QUANTIZATION,
    CLEANING,
    PACKING,
    STORING,
    Pass,
)
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import model_bytes

EVERY_PASS = list(
    {
        p.name: p
        for p in (*CLEANING, *BEFORE_QUANTIZATION, *AFTER_QUANTIZATION, *PACKING, *STORING)
    }.values()
)
EXACT = [rule for rule in EVERY_PASS if rule.keeps_outputs]

BODIES = {
    "nothing to do": "{ y = Relu (x) }",
    "norm after conv": "{ c = Conv (x, w) y = BatchNormalization (c, scale, shift, mean, var) }",
    "shared weight": """{ c = Conv (x, w) d = Conv (x, w)
        n = BatchNormalization (c, scale, shift, mean, var)
        y = Add (n, d) }""",
    "zero variance": "{ c = Conv (x, w) y = BatchNormalization (c, scale, shift, mean, zero) }",
    "norm alone": "{ y = BatchNormalization (x, scale, shift, mean, var) }",
    "constants": """{ k = Constant <value = float[2] {1, 2}> () l = Mul (k, k)
        shape = Constant <value_ints=[1,2,1,1]> () r = Reshape (l, shape) y = Add (x, r) }""",
    "constant output": "{ k = Mul (w, w) y = Add (k, k) }",
    "identities": "{ a = Identity (x) b = Relu (a) y = Identity (b) }",
    "identity of an input": "{ y = Identity (x) }",
    "dropout": "{ a = Relu (x) d, mask = Dropout (a) y = Relu (d) }",
    "dead": "{ unread = Relu (x) more = Neg (unread) y = Abs (x) }",
    "equal constants": "{ a = Mul (x, s4) y = Mul (a, t4) }",
    "gemm factors": "{ f = Flatten (x) y = Gemm <alpha=0.5, beta=2.0> (f, wide, one) }",
    "inner graph": """{ flag = Constant <value = bool {1}> ()
        z = Identity (x)
        y = If (flag) <
          then_branch = g1 () => (float[n,2,4,4] o1) { o1 = Relu (z) },
          else_branch = g2 () => (float[n,2,4,4] o2) { o2 = Neg (z) }
        > }""",
    "padding": "{ p = Pad (x, ring) c = Conv (p, w) y = Slice (c, from1, to5, hw) }",
    "a table": "{ f = Flatten (x) y = MatMul (f, table) }",
    "quantized": """{ q = QuantizeLinear (x, half, zp) d = DequantizeLinear (q, half, zp)
        y = Relu (d) }""",
}
WEIGHTS: dict[str, NDArray[Any]] = {
    "ring": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    "from1": np.array([1, 1]),
    "to5": np.array([5, 5]),
    "hw": np.array([2, 3]),
    "w": np.arange(4, dtype=np.float32).reshape(2, 2, 1, 1) - 1.5,
    "scale": np.array([1.5, -0.5], dtype=np.float32),
    "shift": np.array([0.5, 2.0], dtype=np.float32),
    "mean": np.array([0.1, -3.0], dtype=np.float32),
    "var": np.array([0.5, 9.0], dtype=np.float32),
    "zero": np.array([0.0, 0.0], dtype=np.float32),
    "s4": np.array([[[[3.0]]]], np.float32),
    "wide": np.linspace(-1, 1, 96, dtype=np.float32).reshape(32, 3),
    "table": np.linspace(-1, 1, 256, dtype=np.float32).reshape(32, 8),
    "one": np.array([[0.5]], np.float32),
    "t4": np.array([[[[3.0]]]], np.float32),
    "half": np.array(0.5, dtype=np.float32),
    "zp": np.array(3, dtype=np.uint8),
}


def build(body: str, opset: int, *, as_inputs: bool = False) -> ModelProto:
    output = "n,k" if "Flatten" in body else "n,2,p,q"
    header = f'<ir_version: 7, opset_import: ["" : {opset}]>'
    model = onnx.parser.parse_model(f"{header} g (float[n,2,4,4] x) => (float[{output}] y) {body}")
    read = {name for node in model.graph.node for name in node.input}
    for name, values in WEIGHTS.items():
        if name in read:
            model.graph.initializer.append(numpy_helper.from_array(values, name))
            if as_inputs:
                model.graph.input.append(
                    onnx.helper.make_tensor_value_info(
                        name, onnx.helper.np_dtype_to_tensor_dtype(values.dtype), values.shape
                    )
                )
    return model


@pytest.fixture(scope="module")
def proof() -> Proof:
    generator = np.random.default_rng(3)
    return Proof([{"x": generator.standard_normal((3, 2, 4, 4)).astype(np.float32)}], seed=None)


@pytest.mark.parametrize("rule", EVERY_PASS, ids=lambda rule: rule.name)
@pytest.mark.parametrize(("body", "opset"), list(itertools.product(BODIES, (13, 18, 22))))
def test_honest_idempotent_and_equal(rule: Pass, body: str, opset: int, proof: Proof) -> None:
    model = build(BODIES[body], opset)
    before = model_bytes(model)
    once = rule(model, proof)  # the base class proves outputs and honesty
    assert model_bytes(model) == before
    twice = rule(once.model, proof)
    assert not twice.record.changed
    assert model_bytes(twice.model) == model_bytes(once.model)
    assert once.record.name == rule.name
    assert once.record.detail
    if once.record.changed and rule.keeps_outputs:
        assert once.equivalence is not None
        assert once.equivalence.largest_difference <= once.equivalence.tolerance


@pytest.mark.parametrize("opset", range(11, 23))
@pytest.mark.parametrize("body", [b for b in BODIES if b not in {"quantized", "constants"}])
def test_all_together_keep_the_outputs_in_every_opset(body: str, opset: int, proof: Proof) -> None:
    model = build(BODIES[body], opset, as_inputs=body == "norm after conv")
    result = model
    for rule in (*CLEANING, *PACKING):
        result = rule(result, proof).model
    assert proof.compare(model, result).largest_difference <= 1e-6
    assert len(result.graph.node) <= len(model.graph.node)


@given(order=st.permutations(EXACT), body=st.sampled_from(sorted(BODIES)))
@settings(max_examples=25, deadline=None)
def test_any_order_is_safe(order: list[Pass], body: str) -> None:
    generator = np.random.default_rng(3)
    proof = Proof([{"x": generator.standard_normal((3, 2, 4, 4)).astype(np.float32)}], seed=None)
    model = build(BODIES[body], 13)
    result = model
    for rule in order:
        result = rule(result, proof).model
    assert proof.compare(model, result).largest_difference <= 1e-6


def test_names_are_kebab_case_and_unique() -> None:
    names = [rule.name for rule in EVERY_PASS]
    assert len(set(names)) == len(names) == len({type(rule) for rule in EVERY_PASS})
    assert all(name == name.lower() and " " not in name for name in names)


def test_every_file_of_a_rule_is_in_the_catalogue() -> None:
    assert {type(rule) for rule in EVERY_PASS} == {
        rule for rule in Pass.__subclasses__() if rule.__module__.startswith("edgeworthy.")
    }
