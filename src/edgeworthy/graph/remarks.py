"""What a careful reader of a model would remark on.

Rules:

1. One sentence each, with the next step where there is one; names are quoted and few.
2. A remark never stops the work: what must stop it is an error elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx
from onnx import TensorProto

from edgeworthy.documents.model import ModelSignature
from edgeworthy.graph.census import Census
from edgeworthy.graph.macs import UNCOUNTED
from edgeworthy.graph.memory import ActivationMemory
from edgeworthy.graph.outline import CONTROL_FLOW
from edgeworthy.graph.quoting import quoted, quoted_list
from edgeworthy.graph.signature import dynamic_axes
from edgeworthy.graph.tensors import graphs_of, nodes_of, stored_tensors

_KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_QUANTIZED_OPERATORS = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"}
)


@dataclass(frozen=True)
class Findings:
    """What the other parts of the inspection found.

    Attributes:
        signature: Inputs and outputs.
        census: Operators.
        memory: Activations.
    """

    signature: ModelSignature
    census: Census
    memory: ActivationMemory


def remarks(model: onnx.ModelProto, findings: Findings) -> tuple[str, ...]:
    """All remarks on a model, in a fixed order."""
    found = [sentence for check in _ON_THE_MODEL for sentence in check(model)]
    found.extend(sentence for check in _ON_THE_FINDINGS for sentence in check(findings))
    return tuple(found)


def _mixed_opsets(model: onnx.ModelProto) -> Iterator[str]:
    versions: dict[str, set[int]] = {}
    imports = [*model.opset_import]
    for function in model.functions:
        imports.extend(function.opset_import)
    for entry in imports:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        versions.setdefault(domain, set()).add(entry.version)
    for domain, numbers in sorted(versions.items()):
        if len(numbers) > 1:
            listed = ", ".join(str(number) for number in sorted(numbers))
            name = quoted(domain) if domain else "the standard domain"
            yield f"Mixed opsets: {name} is imported in the versions {listed}."


def _custom_domains(model: onnx.ModelProto) -> Iterator[str]:
    own = {function.domain for function in model.functions}
    used = {node.domain for node in nodes_of(model)} - _KNOWN_DOMAINS - own
    if used:
        yield (
            f"Operators of the custom domains {quoted_list(sorted(used))}: "
            "only engines that know them can run the model."
        )
    if own:
        yield f"The model defines functions of its own in {quoted_list(sorted(own))}."


def _unused_initializers(model: onnx.ModelProto) -> Iterator[str]:
    used = {name for node in nodes_of(model) for name in node.input}
    used.update(value.name for graph in graphs_of(model) for value in graph.output)
    unused = [t.name for graph in graphs_of(model) for t in graph.initializer if t.name not in used]
    if unused:
        yield f"Unused initializers take space: {quoted_list(unused)}."


def _quantized(model: onnx.ModelProto) -> Iterator[str]:
    found = {
        node.op_type
        for node in nodes_of(model)
        if node.op_type in _QUANTIZED_OPERATORS or node.op_type.startswith("QLinear")
    }
    if found:
        yield (
            f"The model is already quantized ({quoted_list(sorted(found))}): start from the "
            "float model, because quantizing twice loses accuracy."
        )


def _double_precision(model: onnx.ModelProto) -> Iterator[str]:
    names = [name for name, tensor in stored_tensors(model) if _is_double(tensor.data_type)]
    values = (*model.graph.input, *model.graph.output)
    names.extend(v.name for v in values if _is_double(v.type.tensor_type.elem_type))
    if names:
        yield (
            f"float64 in {quoted_list(dict.fromkeys(names))}: twice the size of float32 "
            "and slow on edge devices."
        )


def _missing_names(model: onnx.ModelProto) -> Iterator[str]:
    nameless = sum(not node.name for node in nodes_of(model))
    if nameless:
        subject = "1 node has" if nameless == 1 else f"{nameless} nodes have"
        yield f"{subject} no name: reports call them by their outputs."


def _control_flow(model: onnx.ModelProto) -> Iterator[str]:
    present = {node.op_type for node in nodes_of(model)}
    found = [op_type for op_type in CONTROL_FLOW if op_type in present]
    if found:
        yield (
            f"Subgraphs ({quoted_list(found)}): their arithmetic and memory depend on the data "
            "and are not counted."
        )


def _training(model: onnx.ModelProto) -> Iterator[str]:
    if model.training_info:
        yield "The file holds training graphs, which inference does not need."
    modes = [n for n in nodes_of(model) if n.op_type in ("BatchNormalization", "Dropout")]
    if any(a.name == "training_mode" and a.i for node in modes for a in node.attribute):
        yield "A BatchNormalization is in training mode: export the model for inference."


def _free_axes(findings: Findings) -> Iterator[str]:
    for name, axis in dynamic_axes(findings.signature):
        yield f"The axis {quoted(axis)} of input {quoted(name)} is dynamic and must be pinned."


def _arithmetic(findings: Findings) -> Iterator[str]:
    census = findings.census
    if census.unknown:
        yield (
            f"Shapes are unknown around {quoted_list(census.unknown)}: "
            "their multiply-accumulates count as 0."
        )
    uncounted = sorted({o.op_type for o in census.operators} & UNCOUNTED)
    if uncounted:
        yield f"The multiply-accumulates of {quoted_list(uncounted)} are not counted."
    if census.mac_count == 0:
        yield "No multiply-accumulates were counted: is this the whole model?"


def _unknown_memory(findings: Findings) -> Iterator[str]:
    count = findings.memory.unknown_count
    if count:
        subject = "1 tensor has" if count == 1 else f"{count} tensors have"
        yield f"{subject} no known shape, which counts as 0 in the memory of activations."


def _is_double(data_type: int) -> bool:
    return bool(data_type == TensorProto.DOUBLE)


_ON_THE_MODEL: tuple[Callable[[onnx.ModelProto], Iterator[str]], ...] = (
    _mixed_opsets,
    _custom_domains,
    _unused_initializers,
    _quantized,
    _double_precision,
    _missing_names,
    _control_flow,
    _training,
)
_ON_THE_FINDINGS: tuple[Callable[[Findings], Iterator[str]], ...] = (
    _free_axes,
    _arithmetic,
    _unknown_memory,
)
