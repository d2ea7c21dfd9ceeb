"""Whether a decoded ONNX model is one that we can work with.

Rules:

1. The order of checks is from the outside inwards: versions, graph, names, then the ONNX checker.
2. The checker sees the skeleton: weights are checked elsewhere and not copied for it.
3. A name that is no UTF-8 text is refused before anything prints or sorts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.quoting import one_line, quoted_list
from edgeworthy.graph.shapes import skeleton
from edgeworthy.graph.tensors import graphs_of, nodes_of

#: The oldest opset that inference engines promise to run.
OLDEST_OPSET = 7
_STANDARD = ("", "ai.onnx")
_EXPORT_AGAIN = "Export the model again"


def standard_opset(model: onnx.ModelProto) -> int:
    """The opset of the standard domain; 0 when the model imports none."""
    return max((o.version for o in model.opset_import if o.domain in _STANDARD), default=0)


def check_structure(model: onnx.ModelProto, *, where: Path) -> None:
    """Check versions, graph, names and the rules of ONNX.

    Raises:
        ModelFileError: Whatever of these does not hold.
    """
    _check_graph(model, where)
    _check_versions(model, where)
    _check_names(model, where)
    _check_outputs(model.graph, where)
    try:
        onnx.checker.check_model(skeleton(model))
    except onnx.checker.ValidationError as error:
        raise ModelFileError(
            f"not a valid ONNX model: {one_line(error)}",
            where=str(where),
            next_step=_EXPORT_AGAIN,
        ) from error


def _check_graph(model: onnx.ModelProto, where: Path) -> None:
    if model.HasField("graph") and (model.graph.node or model.graph.output):
        return
    raise ModelFileError(
        "no graph: the file is not an ONNX model, or not a whole one",
        where=str(where),
        next_step="Check that this is the exported ONNX file and that it was copied completely",
    )


def _check_versions(model: onnx.ModelProto, where: Path) -> None:
    opset, newest = standard_opset(model), onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        raise ModelFileError(
            "unsupported opset",
            where=str(where),
            expected=f"an opset of the standard domain from {OLDEST_OPSET} to {newest}",
            found=f"opset {opset}" if opset else "none",
            next_step=f"Export the model again with opset {min(newest, 21)}",
        )
    if not 3 <= model.ir_version <= onnx.IR_VERSION:  # noqa: PLR2004 - the first IR with opsets
        raise ModelFileError(
            "unsupported version of the ONNX format",
            where=str(where),
            expected=f"IR version 3 to {onnx.IR_VERSION}",
            found=f"IR version {model.ir_version}",
            next_step="Export the model again, or install a newer Edgeworthy",
        )


def _check_names(model: onnx.ModelProto, where: Path) -> None:
    broken = [name for name in _names(model) if not isinstance(name, str)]
    if broken:
        raise ModelFileError(
            f"names that are not UTF-8 text: {quoted_list(broken)}",
            where=str(where),
            next_step=_EXPORT_AGAIN,
        )
    for graph in graphs_of(model):
        for kind, names in (
            ("inputs", [value.name for value in graph.input]),
            ("outputs", [value.name for value in graph.output]),
            ("initializers", [tensor.name for tensor in graph.initializer]),
            ("tensors", [name for node in graph.node for name in node.output if name]),
        ):
            repeated = [name for name, count in Counter(names).items() if count > 1]
            if repeated:
                raise ModelFileError(
                    f"duplicate names of {kind}: {quoted_list(repeated)}",
                    where=str(where),
                    expected="each name once in a graph",
                    next_step=_EXPORT_AGAIN,
                )


def _check_outputs(graph: onnx.GraphProto, where: Path) -> None:
    made = {name for node in graph.node for name in node.output}
    made.update(value.name for value in graph.input)
    made.update(tensor.name for tensor in graph.initializer)
    made.update(sparse.values.name for sparse in graph.sparse_initializer)
    missing = [value.name for value in graph.output if value.name not in made]
    if missing:
        raise ModelFileError(
            f"no node makes the outputs {quoted_list(missing)}",
            where=str(where),
            next_step=_EXPORT_AGAIN,
        )


def _names(model: onnx.ModelProto) -> Iterator[str | bytes]:
    """Every text that is later compared, sorted or shown; invalid UTF-8 arrives as bytes."""
    yield from (model.producer_name, model.producer_version)
    yield from (opset.domain for opset in model.opset_import)
    for graph in graphs_of(model):
        yield graph.name
        for value in (*graph.input, *graph.output, *graph.value_info):
            yield value.name
            yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
        yield from (tensor.name for tensor in graph.initializer)
        yield from (sparse.values.name for sparse in graph.sparse_initializer)
    for node in nodes_of(model):
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
