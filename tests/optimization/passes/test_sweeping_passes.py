"""Dead nodes, unused and equal initializers, descriptions, defaults, names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import ModelProto

from edgeworthy.optimization.passes.fix_default_inputs import FixDefaultInputs
from edgeworthy.optimization.passes.free_names import FreeNames
from edgeworthy.optimization.passes.inline_functions import InlineFunctions
from edgeworthy.optimization.passes.name_nodes import NameNodes
from edgeworthy.optimization.passes.note_types import NoteTypes
from edgeworthy.optimization.passes.remove_dead_nodes import RemoveDeadNodes
from edgeworthy.optimization.passes.remove_unused_initializers import RemoveUnusedInitializers
from edgeworthy.optimization.passes.share_initializers import ShareInitializers
from edgeworthy.optimization.passes.strip_descriptions import StripDescriptions
from edgeworthy.optimization.passes.unshare_initializers import UnshareInitializers
from edgeworthy.optimization.proof import Proof
from edgeworthy.optimization.wiring import editable

X = np.ones((1, 2), np.float32)
IF = """g (float[n,2] x, bool flag) => (float[n,2] y) { k = Neg (w) unread = Abs (x)
    y = If (flag) <then_branch = t () => (float[n,2] a) { a = Add (x, k) },
                   else_branch = e () => (float[n,2] b) { b = Add (x, v) }> }"""
W2 = {"w": np.array([1.0, 2.0], np.float32), "v": np.array([1.0, 2.0], np.float32)}


def names(model: ModelProto) -> list[str]:
    return [tensor.name for tensor in model.graph.initializer]


def test_a_whole_dead_branch_goes_at_once(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { a = Neg (x) b = Abs (a) c = Sqrt (b) y = Relu (x) }"
    )
    result = RemoveDeadNodes()(model, prove(x=X))
    assert ops(result.model) == {"Relu": 1}
    assert result.record.detail.startswith("removed 3 nodes")


def test_what_an_inner_graph_reads_lives(
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    prove: Callable[..., Proof],
) -> None:
    model = parse(IF, W2 | {"lost": X})
    proof = prove(x=X, flag=np.array(True))  # noqa: FBT003 - a tensor
    alive = RemoveDeadNodes()(model, proof).model
    assert ops(alive) == {"Neg": 1, "If": 1}
    assert names(RemoveUnusedInitializers()(alive, proof).model) == ["w", "v"]
    assert not ShareInitializers()(alive, proof).record.changed  # `v` is captured


def test_equal_constants_are_stored_once_and_apart_again(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    body = "g (float[n,2] x) => (float[n,2] y) { a = Add (x, w) b = Mul (a, v) y = Sub (b, u) }"
    model = parse(body, W2 | {"u": np.array([1, 2], np.float32)})
    shared = ShareInitializers()(model, prove(x=X)).model
    assert names(shared) == ["w"]
    assert [node.input[1] for node in shared.graph.node] == ["w"] * 3
    apart = UnshareInitializers()(shared, prove(x=X)).model
    assert names(apart) == ["w", "w_1", "w_2"]
    assert names(ShareInitializers()(apart, prove(x=X)).model) == ["w"]


def test_type_and_shape_count_for_equality(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { a = Add (x, w) y = Mul (a, v) }",
        {"w": np.ones(2, np.float32), "v": np.ones((1, 2), np.float32)},
    )
    assert ShareInitializers()(model, prove(x=X)).record.detail == "no two initializers are equal"


def test_defaults_become_constants(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        '<ir_version: 3, opset_import: ["" : 11]> '
        "g (float[n,2] x, float[2] w) => (float[n,2] y) { y = Add (x, w) }",
        {"w": np.ones(2, np.float32)},
    )
    result = FixDefaultInputs()(model, prove(x=X)).model
    assert [value.name for value in result.graph.input] == ["x"]
    assert result.ir_version == 4


def test_descriptions_go_and_metadata_stay(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y) { a = Neg (x) y = Relu (a) }")
    model.doc_string = "long story"
    model.graph.node[0].doc_string = "File model.py, line 1"
    model.graph.node[1].metadata_props.add(key="pkg.torch.onnx.stack_trace", value="File ...")
    model.metadata_props.add(key="labels", value="cat,dog")
    model.graph.value_info.add(name="a").type.tensor_type.elem_type = 1
    result = StripDescriptions()(model, prove(x=X)).model
    assert not result.doc_string
    assert not any(n.doc_string or n.metadata_props for n in result.graph.node)
    assert not result.graph.value_info
    assert [(entry.key, entry.value) for entry in result.metadata_props] == [("labels", "cat,dog")]


def test_shapes_beside_custom_operators_stay(parse: Callable[..., ModelProto]) -> None:
    model = editable(parse("g (float[n,2] x) => (float[n,2] y) { a = Neg (x) y = Relu (a) }"))
    model.graph.node[0].domain = "custom"
    model.graph.value_info.add(name="a").type.tensor_type.elem_type = 1
    assert not StripDescriptions().call(model).changed


def test_every_node_gets_its_own_name(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        "g (float[n,2] x) => (float[n,2] y) { a = Neg (x) b = Neg (a) c = Abs (b) y = Relu (c) }"
    )
    model.graph.node[2].name = "Neg"
    result = NameNodes()(model, prove(x=X)).model
    assert [node.name for node in result.graph.node] == ["Neg_1", "Neg_2", "Neg", "Relu"]


def test_a_weight_that_is_a_result_stays_one(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse("g (float[n,2] x) => (float[n,2] y, float[2] w) { y = Add (x, w) }", W2)
    apart = UnshareInitializers()(model, prove(x=X)).model
    assert [node.input[1] for node in apart.graph.node] == ["w_1"]
    assert [value.name for value in apart.graph.output] == ["y", "w"]


def test_functions_are_inlined(
    ops: Callable[..., dict[str, int]], prove: Callable[..., Proof]
) -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
        g (float[n,2] x) => (float[n,2] y) { a = own.twice (x) y = own.twice (a) }
        <domain: "own", opset_import: ["" : 17]> twice (v) => (r) { n = Neg (v) r = Sub (v, n) }"""
    )
    result = InlineFunctions()(model, prove(x=X))
    assert ops(result.model) == {"Neg": 2, "Sub": 2}
    assert not result.model.functions
    assert not InlineFunctions()(result.model, prove(x=X)).record.changed


def test_names_that_the_quantizer_gives_are_freed(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse(
        "g (float[n,2] x, float[n,2] w_scale) => (float[n,2] y) {"
        " x_scale = Add (x, w) b = Add (x_scale, w_scale) y = Add (b, bias_scale) }",
        {"w": X[0], "bias_scale": X[0]},
    )
    result = FreeNames()(model, prove(x=X, w_scale=X))
    first, second, third = result.model.graph.node
    assert list(first.input) == ["x", "w_of_the_model"]  # `w_scale` is the caller's
    assert list(second.input) == ["x_scale_of_the_model", "w_scale"]
    assert list(third.input) == ["b", "bias_scale"]  # there is no `bias`
    assert result.record.detail.startswith("renamed 2 tensors")
    assert not FreeNames()(result.model, prove(x=X, w_scale=X)).record.changed


def test_the_engine_tells_types_that_onnx_cannot_infer(prove: Callable[..., Proof]) -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
        g (float[n,2] x) => (float[n,2] y) {
            a = com.microsoft.Gelu (x) s = Shape (a) b = Reshape (a, s) y = Neg (b) }"""
    )
    result = NoteTypes()(model, prove(x=X))
    types = {v.name: v.type.tensor_type.elem_type for v in result.model.graph.value_info}
    assert types.items() >= {"a": onnx.TensorProto.FLOAT, "b": onnx.TensorProto.FLOAT}.items()
    assert not NoteTypes()(result.model, prove(x=X)).record.changed
