"""A matrix product and the bias behind it become the operator ``Gemm``.

Exporters of Keras models write a dense layer as ``MatMul`` and ``Add``. ONNX Runtime puts the two
together when it loads a file, and then finds no integer kernel, because the bias is a float:
weights that were stored in bytes are multiplied out anew for each sample. A face network of four
dense layers took twice the time of float so.
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto, TensorProto, helper

from edgeworthy.graph.shapes import tensor_ranks
from edgeworthy.optimization.passes.base import Pass, Rewrite, changed, unchanged
from edgeworthy.optimization.wiring import Wiring, editable, is_standard, remove_nodes

_MATRIX_RANK = 2


class GatherGemm(Pass):
    """Write ``MatMul`` and ``Add`` of a constant vector as ``Gemm``, where matrices are plain."""

    name = "gather-gemm"
    operators = ("MatMul",)

    def call(self, model: ModelProto) -> Rewrite:
        """Rewrite each pair."""
        ranks = tensor_ranks(model)
        result = editable(model)
        products = [node for node in result.graph.node if is_standard(node, "MatMul")]
        count = sum(
            _gathered(result, node) for node in products if ranks.get(node.input[0]) == _MATRIX_RANK
        )
        if not count:
            return unchanged(model, "no plain matrix product has a constant bias behind it")
        return changed(result, f"gathered {count} dense layers")


def _gathered(model: ModelProto, product: NodeProto) -> bool:
    wiring = Wiring(model.graph)
    weight = wiring.constant(product.input[1])
    if weight is None or len(weight.dims) != _MATRIX_RANK:
        return False
    if not wiring.has_one_consumer(product.output[0]):
        return False
    (add,) = wiring.consumers[product.output[0]]
    if not is_standard(add, "Add"):
        return False
    other = add.input[1] if add.input[0] == product.output[0] else add.input[0]
    bias = wiring.constant(other)
    if bias is None or bias.data_type != TensorProto.FLOAT or weight.data_type != TensorProto.FLOAT:
        return False
    if list(bias.dims) not in ([weight.dims[1]], [1, weight.dims[1]]):
        return False
    inputs = [product.input[0], product.input[1], other]
    add.CopyFrom(helper.make_node("Gemm", inputs, list(add.output), name=product.name))
    remove_nodes(model.graph, [product])
    return True
