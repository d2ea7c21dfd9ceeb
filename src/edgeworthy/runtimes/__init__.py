"""Inference engines behind one small interface, one module each."""

from edgeworthy.runtimes.base import Runtime, Session, Tensors, random_inputs
from edgeworthy.runtimes.batching import fixed_batch_size, run_batched
from edgeworthy.runtimes.profiling import NodeProfile
from edgeworthy.runtimes.registry import find_runtime, runtime_names, usual_runtime

__all__ = [
    "NodeProfile",
    "Runtime",
    "Session",
    "Tensors",
    "find_runtime",
    "fixed_batch_size",
    "random_inputs",
    "run_batched",
    "runtime_names",
    "usual_runtime",
]
