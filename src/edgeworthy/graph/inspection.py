"""What a model is, from its bytes alone.

Rules:

1. Nothing is run.
2. A figure that no machine could hold is refused, so that every figure fits a JSON number.
"""

from __future__ import annotations

from pathlib import Path

from edgeworthy.documents.model import ModelInspection
from edgeworthy.errors import ModelFileError
from edgeworthy.graph.census import count_parameters, take_census
from edgeworthy.graph.checking import standard_opset
from edgeworthy.graph.loading import LoadedModel, foreign_errors, load_model
from edgeworthy.graph.memory import activation_memory
from edgeworthy.graph.remarks import Findings, remarks
from edgeworthy.graph.shapes import fixed_batch, shapes_per_sample
from edgeworthy.graph.signature import model_signature
from edgeworthy.graph.tflite_inspection import inspect_tflite

#: Largest integer that every reader of JSON keeps exactly.
_LARGEST_FIGURE = 1 << 53


def inspect_model(path: Path) -> ModelInspection:
    """Read a model and say what it is.

    Args:
        path: An ONNX file, or a ``.tflite`` file.

    Raises:
        ModelFileError: The file cannot be read, is unsafe to read or is not a usable model.
    """
    if path.suffix.lower() == ".tflite":
        return inspect_tflite(path)
    return inspect_loaded(load_model(path))


def inspect_loaded(model: LoadedModel) -> ModelInspection:
    """Say what a model is that was loaded before.

    Raises:
        ModelFileError: Its shapes contradict each other or are absurd.
    """
    with foreign_errors(model.path):
        proto = model.proto
        signature = model_signature(proto)
        shapes, batch = shapes_per_sample(proto), fixed_batch(proto)
        census = take_census(proto, shapes, batch=batch)
        memory = activation_memory(proto.graph, shapes, batch=batch)
        if max(census.mac_count, memory.peak_bytes) > _LARGEST_FIGURE:
            raise ModelFileError(
                "the shapes are absurd",
                expected="a model that a machine can run",
                found=f"{census.mac_count} multiply-accumulates and "
                f"{memory.peak_bytes} bytes of activations",
                next_step="Export the model again",
            )
        parameter_count, weight_bytes = count_parameters(proto)
        return ModelInspection(
            artifact=model.artifact,
            size_bytes=model.size_bytes,
            model_format="onnx",
            opset_version=standard_opset(proto),
            ir_version=proto.ir_version,
            producer=f"{proto.producer_name} {proto.producer_version}".strip(),
            signature=signature,
            operators=census.operators,
            parameter_count=parameter_count,
            weight_bytes=weight_bytes,
            mac_count=census.mac_count,
            activation_peak_bytes=memory.peak_bytes,
            warnings=remarks(proto, Findings(signature, census, memory)),
        )
