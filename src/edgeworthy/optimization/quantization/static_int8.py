"""Quantize a float graph into QDQ form with onnxruntime's quantizer.

Rules:

1. Which nodes, which ranges and which data types are ours to say; the quantizer places the
   ``QuantizeLinear`` and ``DequantizeLinear`` nodes and rounds.
2. The same graph, ranges and recipe give the same bytes: lists, never sets, go in.
3. Nothing is written to disk, printed or logged; what the quantizer remarks is returned.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper
from onnxruntime.quantization import QuantType  # type: ignore[import-untyped]  # it ships no types
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorData, TensorsData  # type: ignore[import-untyped]  # it ships no types
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer  # type: ignore[import-untyped]  # it ships no types

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import OptimizationError
from edgeworthy.graph.shapes import skeleton
from edgeworthy.optimization.calibration import TensorRange
from edgeworthy.optimization.quantization.operators import WEIGHTED
from edgeworthy.optimization.quantization.plan import QuantizationPlan, channel_axis
from edgeworthy.optimization.quantization.stand_ins import fill_in, stands_in, with_stand_ins
from edgeworthy.optimization.quantization.weight_scales import (
    full_scales,
    neighbor_safe_scales,
    pair_safe_scales,
)
from edgeworthy.optimization.wiring import Wiring, attribute

_TYPES: dict[str, QuantType] = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}
#: Below this the quantizer takes a range for nothing.
_EMPTY = 1e-30
#: Tells the quantizer that shapes are inferred, so that it need not go through a file.
_SHAPES_ARE_INFERRED = ("onnx.infer", "onnxruntime.quant")


@dataclass(frozen=True)
class Quantized:
    """A QDQ graph.

    Attributes:
        model: The graph.
        weight_count: Weights that are stored as integers.
        remarks: What the quantizer had to say, one sentence each.
    """

    model: ModelProto
    weight_count: int
    remarks: tuple[str, ...]


def quantize(
    model: ModelProto,
    plan: QuantizationPlan,
    ranges: Mapping[str, TensorRange],
    recipe: QuantizationRecipe,
    *,
    scales: Mapping[str, NDArray[np.float32]] | None = None,
) -> Quantized:
    """Make a QDQ graph.

    Args:
        model: A float graph of opset 13 or newer whose nodes have names of their own.
        plan: What is quantized.
        ranges: Of every activation of the plan.
        recipe: Data types.
        scales: Of the weights; those of :func:`weight_scales` when left out.

    Raises:
        OptimizationError: The quantizer failed.
    """
    remarks: list[str] = []
    chosen = weight_scales(model, plan, recipe) if scales is None else scales
    nodes = [node for node in _weighted(model, plan) if node.input[1] in chosen]
    with _collected(remarks), np.errstate(all="ignore"):
        try:
            quantizer = QDQQuantizer(
                _note_shapes(with_stand_ins(model, nodes, chosen), model),
                recipe.per_channel,
                recipe.reduced_range,
                _TYPES[recipe.weight_type],
                _TYPES[recipe.activation_type],
                _tensors_data(ranges),
                list(plan.nodes),
                [],
                sorted({node.op_type for node in model.graph.node if node.name in plan.nodes}),
                {
                    "TensorQuantOverrides": {
                        **_kept_ranges(model, ranges),
                        **_overrides(nodes, recipe, chosen),
                    }
                },
            )
            quantizer.quantize_model()
            quantizer.model.topological_sort()
            result = quantizer.model.model
        except (AssertionError, KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
            raise OptimizationError(
                f"onnxruntime's quantizer failed: {type(error).__name__}: {error}",
                where="static int8 quantization",
                next_step="The float variant is not affected; please report this with the model",
            ) from error
    fill_in(result, model, nodes, chosen)
    _restore_origin(result, model)
    return Quantized(result, _weight_count(result), tuple(remarks))


def _note_shapes(light: ModelProto, model: ModelProto) -> ModelProto:
    """Note what is known of a graph's shapes in its copy; edits the copy."""
    found = onnx.shape_inference.infer_shapes(skeleton(model)).graph.value_info
    del light.graph.value_info[:]
    light.graph.value_info.extend(found)
    entry = light.metadata_props.add()
    entry.key, entry.value = _SHAPES_ARE_INFERRED
    return light


def weight_scales(
    model: ModelProto, plan: QuantizationPlan, recipe: QuantizationRecipe
) -> dict[str, NDArray[np.float32]]:
    """One scale per output channel of each weight; nothing for a scale per tensor."""
    if not recipe.per_channel:
        return {}
    wiring = Wiring(model.graph)
    scales = {}
    for node in _weighted(model, plan):
        weight = numpy_helper.to_array(wiring.initializers[node.input[1]])
        scales[node.input[1]] = _scales_of(node, weight, recipe)
    return scales


def _scales_of(
    node: NodeProto, weight: NDArray[np.floating[Any]], recipe: QuantizationRecipe
) -> NDArray[np.float32]:
    axis = channel_axis(node)
    if not must_be_pair_safe(node, weight, recipe):
        return full_scales(weight, axis=axis)
    if recipe.safe_pairs == "any-two":
        return pair_safe_scales(weight, axis=axis)
    return neighbor_safe_scales(weight, axis=axis, products=node.op_type != "Conv")


def must_be_pair_safe(
    node: NodeProto, weight: NDArray[np.floating[Any]], recipe: QuantizationRecipe
) -> bool:
    """Whether no sum of two products may leave 16 bits.

    The engine's depthwise kernel widens bytes before it multiplies and saturates nowhere.
    """
    groups = attribute(node, "group", 1)
    depthwise = node.op_type == "Conv" and len(weight) == groups > 1 and weight.shape[1] == 1
    return recipe.reduced_range and not depthwise and node.name not in recipe.full_range_nodes


def _weighted(model: ModelProto, plan: QuantizationPlan) -> list[NodeProto]:
    return [n for n in model.graph.node if n.name in plan.nodes and n.op_type in WEIGHTED]


def _overrides(
    nodes: Sequence[NodeProto],
    recipe: QuantizationRecipe,
    scales: Mapping[str, NDArray[np.float32]],
) -> dict[str, list[dict[str, Any]]]:
    """The scales of stand-ins in the quantizer's form: per weight a list, an entry per channel."""
    overrides = {}
    for node in nodes:
        entries: list[dict[str, Any]] = [
            {
                "quant_type": _TYPES[recipe.weight_type],
                "scale": scale,
                "zero_point": np.int8(0),
            }
            for scale in stands_in(scales[node.input[1]])
        ]
        entries[0]["axis"] = channel_axis(node)
        overrides[node.input[1]] = entries
    return overrides


def _kept_ranges(
    model: ModelProto, ranges: Mapping[str, TensorRange]
) -> dict[str, list[dict[str, Any]]]:
    """Ranges that do not come from what the quantizer makes of what was seen.

    It takes the range behind a ReLU or clip for the tensor before it, which is right where nobody
    else sees that tensor. As a result of the model it would lose its negative values. The range of
    a hard sigmoid is known: from 0 to 1, whatever the samples reached.
    """
    wiring = Wiring(model.graph)
    known = {
        node.output[0]: [{"rmin": np.float32(0.0), "rmax": np.float32(1.0)}]
        for node in model.graph.node
        if node.op_type == "HardSigmoid" and node.output[0] in ranges
    }
    names = {
        node.input[0]
        for node in model.graph.node
        if node.op_type in {"Clip", "Relu"} and node.input[0] in wiring.outputs
    }
    seen = {
        name: [{"rmin": np.float32(found.lowest), "rmax": np.float32(found.highest)}]
        for name, found in ranges.items()
        if name in names
    }
    return known | seen


def _tensors_data(ranges: Mapping[str, TensorRange]) -> TensorsData:
    data = {}
    for name, found in ranges.items():
        # A tensor that was always zero would get the scale 1 and the zero point 0, which in signed
        # integers lets negative values through where a ReLU was dropped.
        empty = max(abs(found.lowest), abs(found.highest)) < _EMPTY
        lowest, highest = (0.0, 1.0) if empty else (found.lowest, found.highest)
        data[name] = TensorData(lowest=np.float32(lowest), highest=np.float32(highest))
    return TensorsData(CalibrationMethod.MinMax, data)


def _restore_origin(result: ModelProto, original: ModelProto) -> None:
    """Give the quantizer's graph the model's own metadata and producer; edits it."""
    result.ClearField("metadata_props")
    result.metadata_props.extend(original.metadata_props)
    result.producer_name = original.producer_name
    result.producer_version = original.producer_version


def _weight_count(model: ModelProto) -> int:
    constants = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) > 1}
    return sum(
        node.op_type == "DequantizeLinear" and node.input[0] in constants
        for node in model.graph.node
    )


@contextlib.contextmanager
def _collected(remarks: list[str]) -> Iterator[None]:
    """Catch what the quantizer logs on the root logger, and leave that logger as it was."""
    root = logging.getLogger()
    silence = logging.NullHandler()  # without any handler, logging would install one for good

    def catch(record: logging.LogRecord) -> bool:
        if "quantization" not in record.pathname.split("/"):
            return True
        if record.levelno >= logging.WARNING:
            remarks.append(record.getMessage())
        return False

    root.addFilter(catch)
    root.addHandler(silence)
    try:
        yield
    finally:
        root.removeHandler(silence)
        root.removeFilter(catch)
