from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.datasets.decoding import decode_sample, plans_from, prepare_sample
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.documents.measurement import Measurement
from edgeworthy.measurement import (
    Circumstances,
    MeasurementPlan,
    MeasurementSettings,
    measure,
)
from edgeworthy.runtimes import find_runtime, run_batched

OPSET = [helper.make_opsetid("", 17)]


class PlanOf(Protocol):
    """Makes a plan of a file."""

    def __call__(
        self, path: Path, *, variant: str = ..., is_original: bool = ...
    ) -> MeasurementPlan: ...


def save(graph: onnx.GraphProto, path: Path) -> Path:
    onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=8), path)
    return path


def convolutions(path: Path, *, layer_count: int, batch: int | str = "batch") -> Path:
    """A model of some 3x3 convolutions on 8 channels of 16 by 16."""
    generator = np.random.default_rng(0)
    nodes, weights, value = [], [], "image"
    for layer in range(layer_count):
        kernel = generator.standard_normal((8, 8, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel{layer}"))
        nodes.append(
            helper.make_node("Conv", [value, f"kernel{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1])
        )
        value = f"c{layer}"
    nodes.append(helper.make_node("Tanh", [value], ["scores"]))
    shape = [batch, 8, 16, 16]
    graph = helper.make_graph(
        nodes,
        "convolutions",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, shape)],
        weights,
    )
    return save(graph, path)


def endless(path: Path) -> Path:
    """A model whose loop never ends: loading is fine, the first query hangs."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still_going"]),
            helper.make_node("Sin", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            helper.make_tensor_value_info("still_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, ["batch", 1]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "yes", "x"], ["y"], body=body)],
        "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(np.array(True), "yes")],  # noqa: FBT003 - the loop's condition
    )
    return save(graph, path)


def plan_of(path: Path, *, variant: str = "float32", is_original: bool = False) -> MeasurementPlan:
    return MeasurementPlan(
        variant=variant,
        artifact=path,
        digest=f"sha256:{variant}",
        target="board",
        is_original=is_original,
    )


def measured_processes() -> list[int]:
    """Numbers of the living child processes of this one that measure."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return [
        int(child)
        for child in children
        if b"edgeworthy.measurement.child" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


@pytest.fixture(scope="session")
def plan() -> PlanOf:
    return plan_of


@pytest.fixture(scope="session")
def living() -> Callable[[], list[int]]:
    """Numbers of the measured processes that live."""
    return measured_processes


@pytest.fixture(scope="session")
def batched_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model with its batch fixed at 4."""
    path = tmp_path_factory.mktemp("models") / "batched.onnx"
    return convolutions(path, layer_count=1, batch=4)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convolutions(tmp_path_factory.mktemp("models") / "small.onnx", layer_count=1)


@pytest.fixture(scope="session")
def large_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convolutions(tmp_path_factory.mktemp("models") / "large.onnx", layer_count=12)


@pytest.fixture(scope="session")
def endless_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return endless(tmp_path_factory.mktemp("models") / "endless.onnx")


@pytest.fixture(scope="session")
def host() -> HostFingerprint:
    return HostFingerprint(
        architecture="x86_64",
        instruction_set="x86-avx2",
        cpu_model="a CPU",
        cpu_flags=("avx2",),
        core_count=2,
        memory_bytes=1 << 30,
        operating_system="Linux",
        python_version="3.11.7",
        runtimes=("onnxruntime 1.32.0",),
    )


@pytest.fixture
def measured_pipeline(
    host: HostFingerprint, plan: PlanOf
) -> Callable[..., tuple[Measurement, ...]]:
    """Measure files with their pipelines, held against their own answers."""

    def run(
        paths: Sequence[Path], pipeline: PipelinePlan, *, spoil: float = 0.0
    ) -> tuple[Measurement, ...]:
        plans = plans_from(pipeline.inputs)
        inputs = [prepare_sample(decode_sample(each), plans) for each in pipeline.samples]
        made = []
        for path in paths:
            with find_runtime("onnxruntime").load(path) as session:
                answers = [run_batched(session, each) for each in inputs]
            golden = [{key: value + spoil for key, value in each.items()} for each in answers]
            made.append(replace(plan(path, variant=path.name), golden=golden, pipeline=pipeline))
        return measure(
            made,
            MeasurementSettings(query_count=30, minimum_s=0.0, warm_up_limit_s=0.1),
            Circumstances(host, lambda: datetime(2026, 1, 1, tzinfo=UTC)),
            inputs=inputs,
        )

    return run
