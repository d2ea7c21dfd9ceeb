"""What is known of a model file from reading it."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.record import Document, Record


class TensorSignature(Record, frozen=True, kw_only=True):
    """One input or output of a model.

    Attributes:
        name: The name in the graph.
        dtype: A numpy name, for example ``float32``.
        shape: One entry per axis: a size, or the name of a dynamic axis.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class ModelSignature(Record, frozen=True, kw_only=True):
    """Inputs and outputs of a model, in the order of the graph.

    Attributes:
        inputs: What it takes.
        outputs: What it gives.
    """

    inputs: tuple[TensorSignature, ...]
    outputs: tuple[TensorSignature, ...]


class OperatorCount(Record, frozen=True, kw_only=True):
    """How often an operator occurs, and its share of the arithmetic.

    Attributes:
        domain: Operator domain; empty for the standard one.
        op_type: Operator name, for example ``Conv``.
        node_count: Number of nodes.
        mac_count: Multiply-accumulates per sample; 0 where the operator has none.
    """

    domain: str
    op_type: str
    node_count: int
    mac_count: int


class ModelInspection(Document, frozen=True, kw_only=True):
    """What a model is: from its bytes alone, nothing was run.

    Attributes:
        artifact: Digest of the file.
        size_bytes: Size of the file, external data included.
        model_format: ``onnx`` or ``tflite``.
        opset_version: Opset of the standard domain; version of the schema of a ``.tflite`` file.
        ir_version: ONNX IR version; 0 for other formats.
        producer: Name and version of the exporter; may be empty.
        signature: Inputs and outputs.
        operators: Census, most arithmetic first.
        parameter_count: Number of weights.
        weight_bytes: Bytes of the initializers.
        mac_count: Multiply-accumulates per sample.
        activation_peak_bytes: Largest sum of tensors alive at once, per sample, in graph order;
            an estimate of what an engine without reuse tricks needs.
        warnings: What a careful reader would remark on, one sentence each.
    """

    KIND: ClassVar[str] = "model-inspection"

    artifact: str
    size_bytes: int
    model_format: str
    opset_version: int
    ir_version: int
    producer: str
    signature: ModelSignature
    operators: tuple[OperatorCount, ...]
    parameter_count: int
    weight_bytes: int
    mac_count: int
    activation_peak_bytes: int
    warnings: tuple[str, ...] = ()
