"""Small but real releases for a worker: a model file, a golden set, an OCI layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.datasets import npz_bytes
from edgeworthy.devices.host import host_fingerprint
from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.project import InputSection
from edgeworthy.documents.record import encode_document
from edgeworthy.documents.release import (
    GoldenBounds,
    GoldenSet,
    ReleasedVariant,
    ReleaseManifest,
)
from edgeworthy.files import digest_bytes
from edgeworthy.release import oci

Arrays = dict[str, NDArray[Any]]
WEIGHTS = np.array([[1.0, -1.0, 0.5], [0.25, 2.0, -0.5]], np.float32)


def linear_model(weights: NDArray[np.float32] = WEIGHTS) -> bytes:
    """``scores = samples x weights``, for any batch."""
    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["samples", "weights"], ["scores"])],
        "linear",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", rows])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", columns])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return _serialized(graph)


def picture_model() -> bytes:
    """The linear model on the two pixels of a grey picture."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        "picture",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 1, 2])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    return _serialized(graph)


def identity_model(kinds: Mapping[str, int]) -> bytes:
    """One input ``in_NAME`` and one output ``out_NAME`` of each element type."""
    inputs, outputs, nodes = [], [], []
    for name, kind in kinds.items():
        inputs.append(helper.make_tensor_value_info(f"in_{name}", kind, ["n"]))
        outputs.append(helper.make_tensor_value_info(f"out_{name}", kind, ["n"]))
        nodes.append(helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]))
    return _serialized(helper.make_graph(nodes, "identity", inputs, outputs))


def counting_model() -> bytes:
    """Counts to the number that it is given: as slow as the client wants."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes_on"]),
            helper.make_node("Add", ["before", "one"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.INT64, [1]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.INT64, [1]),
        ],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Squeeze", ["turns"], ["count"]),
            helper.make_node("Loop", ["count", "", "zero"], ["counted"], body=body),
        ],
        "counting",
        [helper.make_tensor_value_info("turns", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info("counted", TensorProto.INT64, [1])],
        [
            numpy_helper.from_array(np.array([0]), "zero"),
            numpy_helper.from_array(np.array([1]), "one"),
        ],
    )
    return _serialized(graph)


def _serialized(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def signature_of(model: bytes) -> ModelSignature:
    graph = onnx.load_from_string(model).graph

    def tensor(value: onnx.ValueInfoProto) -> TensorSignature:
        kind = value.type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type).name
        shape = tuple(axis.dim_param or axis.dim_value for axis in kind.shape.dim)
        return TensorSignature(name=value.name, dtype=dtype, shape=shape)

    return ModelSignature(
        inputs=tuple(map(tensor, graph.input)), outputs=tuple(map(tensor, graph.output))
    )


@dataclass
class WorkerRelease:
    """What a release for a worker is made of; change what matters before writing it."""

    model: bytes
    manifest: ReleaseManifest
    golden: Arrays

    def write(self, folder: Path) -> Path:
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)

        def add(data: bytes, media_type: str) -> oci.Descriptor:
            descriptor = oci.describe(data, media_type)
            (blobs / descriptor.digest.removeprefix("sha256:")).write_bytes(data)
            return descriptor

        golden = npz_bytes(self.golden)
        manifest = msgspec.structs.replace(
            self.manifest,
            golden=msgspec.structs.replace(self.manifest.golden, blob=digest_bytes(golden)),
        )
        layers = [
            add(encode_document(manifest), oci.RELEASE_MEDIA_TYPE),
            add(self.model, oci.MODEL_MEDIA_TYPE),
            add(golden, oci.GOLDEN_MEDIA_TYPE),
        ]
        config = oci.build_config(manifest, layers)
        add(config, oci.CONFIG_MEDIA_TYPE)
        image = add(oci.build_manifest(config, layers), oci.MANIFEST_MEDIA_TYPE)
        index = oci.build_index([image])
        add(index, oci.INDEX_MEDIA_TYPE)
        (folder / "index.json").write_bytes(oci.build_entry(index, manifest.version))
        (folder / "oci-layout").write_bytes(oci.LAYOUT)
        return folder


def release_of(
    model: bytes,
    samples: Arrays,
    run: Callable[[Arrays], Arrays],
    **changes: object,
) -> WorkerRelease:
    """A release of a model whose golden outputs ``run`` computes, independently of any engine."""
    outputs = run(samples)
    variant = ReleasedVariant(
        name="float32",
        artifact=digest_bytes(model),
        size_bytes=len(model),
        targets=("host",),
        instruction_sets=("generic",),
        runtime="onnxruntime",
    )
    manifest = ReleaseManifest(
        name="tiny",
        version="1.0.0",
        description="",
        task="classification",
        output=next(iter(outputs)),
        scores="logits",
        labels=(),
        inputs={},
        signature=signature_of(model),
        license="Apache-2.0",
        origin="a test",
        original=digest_bytes(model),
        variants=(variant,),
        golden=GoldenSet(blob="", sample_count=len(next(iter(samples.values()))), tolerance=1e-4),
        created_at="2026-06-01T00:00:00Z",
    )
    golden = {f"input:{name}": values for name, values in samples.items()}
    golden |= {f"output:float32:{name}": values for name, values in outputs.items()}
    return WorkerRelease(model, msgspec.structs.replace(manifest, **changes), golden)


def linear_release(**changes: object) -> WorkerRelease:
    """The linear model with labels and a preparation: raw values are halved."""
    samples = np.random.default_rng(7).standard_normal((6, 2)).astype(np.float32)
    return release_of(
        linear_model(),
        {"samples": samples},
        lambda given: {"scores": given["samples"] @ WEIGHTS},
        **{
            "labels": ("cat", "dog", "eel"),
            "inputs": {"samples": InputSection(layout="NC", std=(2.0,))},
            **changes,
        },
    )


def bounds_here(**changes: object) -> GoldenBounds:
    """Bounds of this very class of machine that anything keeps; change what matters."""
    bounds = GoldenBounds(
        variant="float32",
        instruction_set=host_fingerprint(runtime_versions=()).instruction_set,
        threads=1,
        latency_p50_ms=1.0,
        latency_bound_ms=60_000.0,
        reference_ms=1.0,
        memory_bound_bytes=1 << 40,
    )
    return msgspec.structs.replace(bounds, **changes)
