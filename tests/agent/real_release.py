"""Signed releases of a model that really runs, with golden outputs that numpy computed."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from agent.bench import POLICY, policy_of
from edgeworthy.datasets import npz_bytes
from edgeworthy.documents.device import InstructionSet
from edgeworthy.release import ReleaseContents, write_release
from edgeworthy.release.trust import Publication, publish_policy, publish_release
from release.builders import contents_of
from release.trust.workshop import Workshop

CLASSES: tuple[InstructionSet, ...] = get_args(InstructionSet)
SAMPLES = np.arange(4 * 64, dtype=np.float32).reshape(4, 8, 8) / 256
WEIGHTS = np.linspace(-1, 1, 128, dtype=np.float32).reshape(64, 2)
#: What the model answers to the first sample.
SCORES = SAMPLES.reshape(4, 64) @ WEIGHTS
_RELEASES = tempfile.TemporaryDirectory(prefix="edgeworthy-real-releases-")


def linear_model(name: str) -> bytes:
    """``scores = samples x weights`` for any batch; the name makes other bytes of it."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["samples"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        name,
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    opsets = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


def real_contents(version: str, *, away: float = 0.0) -> ReleaseContents:
    """A release; ``away`` is what its golden outputs differ from what any machine computes."""
    outputs = SCORES + np.float32(away)
    arrays = {"input:samples": SAMPLES}
    arrays |= {f"output:{variant}:scores": outputs for variant in ("float32", "int8")}
    contents = contents_of(
        version=version,
        float_model=linear_model(f"float {version}"),
        small_model=linear_model(f"int8 {version}"),
        golden=npz_bytes(arrays),
    )
    variants = tuple(
        msgspec.structs.replace(each, instruction_sets=CLASSES)
        for each in contents.manifest.variants
    )
    manifest = msgspec.structs.replace(contents.manifest, variants=variants)
    return dataclasses.replace(contents, manifest=manifest)


def publish_real(workshop: Workshop, version: str, *, away: float = 0.0) -> None:
    folder = Path(_RELEASES.name) / f"release-{version}-{away}"
    if not folder.exists():
        write_release(folder, real_contents(version, away=away), workshop.release_signer)
    publication = Publication(
        folder=folder,
        public_keys=[workshop.release_signer.public_key],
        audiences=("rings/stable",),
    )
    publish_release(workshop.ceremony(), publication)


def real_workshop(folder: Path, workshop: Workshop) -> Workshop:
    """Founded, with a policy for any machine and 1.0.0 published."""
    folder.mkdir()
    workshop.init()
    policy = msgspec.structs.replace(policy_of(workshop), instruction_sets=CLASSES)
    assert policy.name == POLICY
    publish_policy(workshop.ceremony(), policy)
    publish_real(workshop, "1.0.0")
    return workshop
