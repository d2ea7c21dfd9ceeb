"""The ONNX model: load it safely, say what it is, pin its axes, compare its outputs."""

from edgeworthy.graph.batch_ranges import samples_at_a_time
from edgeworthy.graph.equivalence import compare_outputs
from edgeworthy.graph.inspection import inspect_loaded, inspect_model
from edgeworthy.graph.loading import LoadedModel, load_model
from edgeworthy.graph.outline import work_varies
from edgeworthy.graph.pinning import pin_axes
from edgeworthy.graph.signature import check_batch, check_static, model_signature

__all__ = [
    "LoadedModel",
    "check_batch",
    "check_static",
    "compare_outputs",
    "inspect_loaded",
    "inspect_model",
    "load_model",
    "model_signature",
    "pin_axes",
    "samples_at_a_time",
    "work_varies",
]
