"""The digest of what a graph computes: equal for the same arithmetic, and only for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from onnx import ModelProto, TensorProto

from edgeworthy.optimization import computation as module
from edgeworthy.optimization.computation import Computation, computation_digest
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes.free_names import FreeNames
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.passes.share_initializers import ShareInitializers
from edgeworthy.optimization.passes.strip_descriptions import StripDescriptions
from edgeworthy.optimization.proof import Proof

Parse = Callable[..., ModelProto]
TWO = (
    "g (float[n,2] x) => (float[n,2] y) <float[2] w = {1, 2}, float[2] v = {1, 2}> "
    "{ a = Mul (x, w)  b = Add (a, v)  y = Softmax <axis = 1> (b) }"
)


@pytest.mark.parametrize(
    "same",
    [
        TWO.replace("a = Mul", "z = Mul").replace("Add (a", "Add (z"),
        TWO.replace("w =", "weight =").replace("x, w", "x, weight"),
        TWO.replace("Add (a, v)", "Add (a, w)"),  # an equal constant
        TWO.replace("{ a =", "{ idle = Relu (x)  a ="),
        TWO.replace("float[2] v", "float[1] unread = {3}, float[2] v"),
    ],
)
def test_names_and_idle_parts_are_not_looked_at(parse: Parse, same: str) -> None:
    assert computation_digest(parse(same)) == computation_digest(parse(TWO))


@pytest.mark.parametrize(
    "other",
    [
        TWO.replace("v = {1, 2}", "v = {1, 3}"),
        TWO.replace("Mul", "Div"),
        TWO.replace("Mul (x, w)", "Mul (w, x)"),
        TWO.replace("axis = 1", "axis = 0"),
        TWO.replace("y = Soft", "k = Soft").replace("] y)", "] k)"),
        TWO.replace("float[n,2] x", "float[3,2] x"),
        TWO.replace("Softmax <axis = 1> (b)", "Softmax <axis = 1> (a)"),
        TWO.replace("=> (float[n,2] y)", "=> (float[n,2] y, float[n,2] b)"),
    ],
)
def test_whatever_may_change_a_number_changes_the_digest(parse: Parse, other: str) -> None:
    assert computation_digest(parse(other)) != computation_digest(parse(TWO))


@pytest.mark.parametrize("other", [TWO, TWO.replace("v = {1, 2}", "v = {1, 3}")])
def test_constants_of_the_graph_before_are_compared_and_not_read_again(
    parse: Parse, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, expected = Computation.of(parse(TWO)), computation_digest(parse(other))
    read: list[str] = []
    real = module._of_tensor

    def noted(tensor: TensorProto) -> bytes:
        read.append(tensor.name)
        return real(tensor)

    monkeypatch.setattr(module, "_of_tensor", noted)
    assert Computation.of(parse(other), before).digest == expected
    assert read == ([] if other == TWO else ["v"])


def test_another_operator_set_is_another_computation(parse: Parse) -> None:
    newer = parse(TWO)
    newer.opset_import[0].version += 1
    assert computation_digest(newer) != computation_digest(parse(TWO))


def test_graphs_inside_graphs_are_compared_by_their_bytes(parse: Parse) -> None:
    text = (
        "g (bool c, float[2] x) => (float[2] y) "
        "{ y = If (c) <then_branch = t () => (float[2] a) { a = Abs (x) }, "
        "else_branch = e () => (float[2] b) { b = Relu (x) }> }"
    )
    model, other = parse(text), parse(text.replace("Relu", "Neg"))
    assert computation_digest(model) != computation_digest(other)


def test_passes_that_only_rename_or_share_need_no_run(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[ModelProto | bytes] = []
    real = Executor.__init__

    def counted(self: Executor, model: ModelProto | bytes, *, optimized: bool = False) -> None:
        loaded.append(model)
        real(self, model, optimized=optimized)

    monkeypatch.setattr(Executor, "__init__", counted)
    proof = Proof([], seed=None)
    model = parse(TWO)
    model.doc_string = "Two of a kind"
    for rule in (NameNodes(), FreeNames(), ShareInitializers(), StripDescriptions()):
        model = rule(model, proof).model
    assert len(model.graph.initializer) == 1
    assert not loaded
