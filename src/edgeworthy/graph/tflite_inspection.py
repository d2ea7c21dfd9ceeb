"""What a ``.tflite`` file is: its operators, arithmetic and memory, from its bytes alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edgeworthy.documents.model import ModelInspection, OperatorCount
from edgeworthy.errors import ModelFileError
from edgeworthy.files import digest_bytes
from edgeworthy.graph.tflite import TfliteModel, TfliteOperator, read_tflite

_LARGEST_FIGURE = 1 << 53


def inspect_tflite(path: Path) -> ModelInspection:
    """Say what a file is.

    Raises:
        ModelFileError: It cannot be read, or is no such file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot be read: {error.strerror or error}",
            where=str(path),
            next_step="Check the path and its permissions",
        ) from error
    model = read_tflite(data, where=str(path))
    nodes = Counter(each.op_type for each in model.operators)
    macs: Counter[str] = Counter()
    for each in model.operators:
        macs[each.op_type] += _macs(model, each)
    operators = [
        OperatorCount(domain="", op_type=name, node_count=count, mac_count=macs[name])
        for name, count in nodes.items()
    ]
    operators.sort(key=lambda each: (-each.mac_count, -each.node_count, each.op_type))
    constants = [each for each in model.tensors if each.constant]
    peak = _peak_bytes(model)
    if max(macs.total(), peak, sum(each.size_bytes for each in constants)) > _LARGEST_FIGURE:
        raise ModelFileError("the shapes are absurd", where=str(path))
    return ModelInspection(
        artifact=digest_bytes(data),
        size_bytes=len(data),
        model_format="tflite",
        opset_version=model.version,
        ir_version=0,
        producer=model.description,
        signature=model.signature,
        operators=tuple(operators),
        parameter_count=sum(each.element_count for each in constants),
        weight_bytes=sum(each.size_bytes for each in constants),
        mac_count=macs.total(),
        activation_peak_bytes=peak,
        warnings=_warnings(model),
    )


def _macs(model: TfliteModel, node: TfliteOperator) -> int:
    """Multiply-accumulates of a node, for the batch that stands in the file."""
    if len(node.inputs) < 2 or not node.outputs or min(node.inputs[:2]) < 0:  # noqa: PLR2004 - data and weights
        return 0
    weight, result = model.tensors[node.inputs[1]], model.tensors[node.outputs[0]]
    if not weight.shape or not result.shape:
        return 0
    # Products for each value of the result: the weights of one output channel.
    channels = {"CONV_2D": weight.shape[0], "DEPTHWISE_CONV_2D": weight.shape[-1]}
    if node.op_type in channels:
        return result.element_count * weight.element_count // max(channels[node.op_type], 1)
    matrix = node.op_type in {"FULLY_CONNECTED", "BATCH_MATMUL"}
    return result.element_count * weight.shape[-1] if matrix else 0


def _peak_bytes(model: TfliteModel) -> int:
    """Largest sum of tensors alive at once, in the order of the graph."""
    last = {number: len(model.operators) for number in model.outputs}
    for position, node in enumerate(model.operators):
        for number in node.inputs:
            last[number] = max(last.get(number, position), position)
    alive = {number for number in model.inputs if not model.tensors[number].constant}
    peak = sum(model.tensors[number].size_bytes for number in alive)
    for position, node in enumerate(model.operators):
        alive |= set(node.outputs)
        peak = max(peak, sum(model.tensors[number].size_bytes for number in alive))
        alive = {number for number in alive if last.get(number, -1) > position}
    return peak


def _warnings(model: TfliteModel) -> tuple[str, ...]:
    said = []
    if model.graph_count > 1:
        said.append(f"The file holds {model.graph_count} graphs; only the first is described.")
    named = {each.name for each in (*model.signature.inputs, *model.signature.outputs)}
    if len(named) < len(model.inputs) + len(model.outputs):
        said.append("Two inputs or outputs have the same name.")
    return tuple(said)
