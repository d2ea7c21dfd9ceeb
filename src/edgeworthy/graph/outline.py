"""What the graph of a file tells before anybody runs it.

Rules:

1. A file of any name, as objects of the cache have none: its content tells the format.
2. Of another format than ONNX, or damaged, there is no outline: whoever loads the file says what is
   wrong with it.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from edgeworthy.graph.formats import HEAD_BYTES, recognize
from edgeworthy.graph.tensors import nodes_of

#: What runs a part of the graph, or runs it again, as the data say.
CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")


def outline_of(path: Path) -> onnx.ModelProto | None:
    """The graph of an ONNX file without what lies in other files."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if recognize(head, b"") is not None:
            return None
        return onnx.load(path, format="protobuf", load_external_data=False)
    except (DecodeError, OSError):
        return None


def work_varies(path: Path) -> bool:
    """Whether how much a file computes depends on what it is given.

    Args:
        path: The file; of any other format than ONNX the answer is no.
    """
    model = outline_of(path)
    return model is not None and any(node.op_type in CONTROL_FLOW for node in nodes_of(model))
