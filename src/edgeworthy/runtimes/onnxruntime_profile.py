"""Time per node from ONNX Runtime's own profiler.

Rules:

1. Nodes are those of the model as the engine rewrote it: the rewritten model is written beside the
   profile and read back, since the profile leaves out weights that were packed.
2. The profiler counts whole microseconds: single times of small nodes are coarse, medians over
   many runs less so.
3. Nodes inside loops and branches are part of the node that holds them.
4. What shape or type is not told is absent, never guessed. Nothing stays on the disk.

Source: https://onnxruntime.ai/docs/performance/tune-performance/profiling-tools.html
"""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # onnxruntime ships no types
from onnx import helper

from edgeworthy.graph.macs import node_macs
from edgeworthy.graph.shapes import TensorShape
from edgeworthy.graph.tensors import packed_bytes
from edgeworthy.runtimes.base import Tensors
from edgeworthy.runtimes.profiling import NodeProfile

_SUFFIX = "_kernel_time"
_ONNX_NAMES = {"float": "FLOAT", "double": "DOUBLE", "float16": "FLOAT16"}


class _Arguments(msgspec.Struct, frozen=True):
    op_name: str = ""
    output_type_shape: tuple[dict[str, list[int]], ...] = ()


class _Event(msgspec.Struct, frozen=True):
    cat: str
    name: str
    dur: int = 0
    args: _Arguments = _Arguments()


@dataclass
class _Seen:
    """A node as the profile shows it."""

    op_type: str
    outputs: tuple[dict[str, list[int]], ...]
    times_us: list[float] = field(default_factory=list)


def profile_nodes(
    artifact: Path, options: ort.SessionOptions, inputs: Tensors, *, run_count: int, warm_up: int
) -> tuple[NodeProfile, ...]:
    """Run a model under the profiler.

    Args:
        artifact: The file.
        options: Threads and logging as for any session.
        inputs: Of every run.
        run_count: Runs that count.
        warm_up: Runs before them.

    Raises:
        Exception: Whatever the engine raises.
    """
    with tempfile.TemporaryDirectory(prefix="edgeworthy-profile-") as folder:
        rewritten = Path(folder) / "rewritten.onnx"
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.optimized_model_filepath = str(rewritten)
        session = ort.InferenceSession(
            str(artifact), sess_options=options, providers=["CPUExecutionProvider"]
        )
        for _ in range(warm_up + run_count):
            session.run(None, dict(inputs))
        events = msgspec.json.decode(Path(session.end_profiling()).read_bytes(), type=list[_Event])
        model = onnx.load(rewritten)
    seen = _seen_nodes(events)
    return tuple(_profiles(model, seen, inputs, warm_up))


def _seen_nodes(events: list[_Event]) -> dict[str, _Seen]:
    """Nodes by the name that the profile has for them, in the order of their first run."""
    seen: dict[str, _Seen] = {}
    for event in events:
        if event.cat != "Node" or not event.name.endswith(_SUFFIX):
            continue
        name = event.name.removesuffix(_SUFFIX)
        if name not in seen:
            seen[name] = _Seen(event.args.op_name, event.args.output_type_shape)
        seen[name].times_us.append(float(event.dur))
    return seen


def _profiles(
    model: onnx.ModelProto, seen: Mapping[str, _Seen], inputs: Tensors, warm_up: int
) -> Iterator[NodeProfile]:
    pairs = list(_matched(model, seen))
    shapes = _known_shapes(model, inputs)
    for node, found in pairs:
        told = [_shape(each) for each in found.outputs]
        present = [name for name in node.output if name]
        shapes |= {
            name: shape for name, shape in zip(present, told, strict=False) if shape is not None
        }
    for node, found in pairs:
        names = [name for name in (*node.input, *node.output) if name]
        first = shapes.get(node.input[0]) if node.input else None
        yield NodeProfile(
            name=node.name,
            op_type=node.op_type,
            input_type="" if first is None else _type_name(first.data_type),
            mac_count=node_macs(node, shapes),
            moved_bytes=sum(_bytes(shapes[name]) for name in set(names) if name in shapes),
            times_us=tuple(found.times_us[warm_up:]),
        )


def _matched(
    model: onnx.ModelProto, seen: Mapping[str, _Seen]
) -> Iterator[tuple[onnx.NodeProto, _Seen]]:
    """Nodes of the main graph with what was seen of them."""
    named = {node.name for node in model.graph.node if node.name}
    # A node without a name is seen as its operator and a number; both lists are in running order.
    nameless: defaultdict[str, list[_Seen]] = defaultdict(list)
    for name, found in seen.items():
        if name not in named and name.startswith(f"{found.op_type}_"):
            nameless[found.op_type].append(found)
    for node in model.graph.node:
        if node.name and node.name in seen:
            yield node, seen[node.name]
        elif not node.name and nameless[node.op_type]:
            yield node, nameless[node.op_type].pop(0)


def _known_shapes(model: onnx.ModelProto, inputs: Tensors) -> dict[str, TensorShape]:
    shapes = {
        each.name: TensorShape(each.data_type, tuple(each.dims)) for each in model.graph.initializer
    }
    for name, values in inputs.items():
        shapes[name] = TensorShape(helper.np_dtype_to_tensor_dtype(values.dtype), values.shape)
    return shapes


def _shape(told: Mapping[str, list[int]]) -> TensorShape | None:
    """The shape of an output, as the profile writes it: ``{"float": [1, 4]}``."""
    for name, sizes in told.items():
        data_type = getattr(onnx.TensorProto, _ONNX_NAMES.get(name, name.upper()), None)
        if data_type is not None:
            return TensorShape(int(data_type), tuple(sizes))
    return None


def _bytes(shape: TensorShape) -> int:
    return packed_bytes(math.prod(shape.sizes), shape.data_type)


def _type_name(data_type: int) -> str:
    kind: Any = helper.tensor_dtype_to_np_dtype(data_type)
    return str(np.dtype(kind).name)
