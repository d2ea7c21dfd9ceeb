"""How many samples may run together without changing each other's answers.

A node that quantizes what it is given takes the range of the whole batch: beside a loud sample, a
quiet one gets coarse steps. A device answers one sample at a time, so whoever judges such a file
must do the same.
"""

from __future__ import annotations

from pathlib import Path

from edgeworthy.graph.outline import outline_of

_BY_BATCH = frozenset({"DynamicQuantizeLinear", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul"})


def samples_at_a_time(path: Path) -> int | None:
    """One where the nodes of an ONNX file quantize by the range of the whole batch, else any.

    Args:
        path: A file of any name, as objects of the cache have none; of any other format than ONNX
            the answer is any.
    """
    return 1 if _ranges_are_by_batch(path) else None


def _ranges_are_by_batch(path: Path) -> bool:
    model = outline_of(path)
    if model is None:
        return False
    functions = (node for function in model.functions for node in function.node)
    return any(node.op_type in _BY_BATCH for node in (*model.graph.node, *functions))
