"""Whole builds of models that answer with boxes, pictures of classes and vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.documents.gate import Verdict
from edgeworthy.errors import ProjectFileError
from edgeworthy.workflow.project import Project

PROJECT = """\
[project]
name = "shaped"
version = "1.0.0"

[model]
path = "model.onnx"
{model}

[data.evaluation]
path = "samples.npz"
inputs = {{ samples = "samples" }}
labels = "labels"
slices = ["site"]

[measure]
query_count = 30
budget_s = 0.02

[[require]]
metric = "{metric}"
at_least = 0.5

[[require]]
metric = "weak_slice_count"
at_most = 0
"""


def model_of(path: Path, nodes: list[onnx.NodeProto], shape: list[int], outputs: list[str]) -> None:
    """A model that hands on parts of its input."""
    graph = helper.make_graph(
        nodes,
        "shaped",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [
            numpy_helper.from_array(np.array([at], dtype=np.int64), f"i{at}")
            for at in (0, 2, 4, 5, 6)
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(onnx.shape_inference.infer_shapes(made).SerializeToString())


def part(name: str, first: int, last: int) -> onnx.NodeProto:
    return helper.make_node("Slice", ["samples", f"i{first}", f"i{last}", "i2"], [name], name=name)


def write(folder: Path, model: str, metric: str, **arrays: object) -> Project:
    (folder / "edgeworthy.toml").write_text(PROJECT.format(model=model, metric=metric))
    site = np.array(["a", "b"] * (len(np.asarray(arrays["labels"])) // 2))
    np.savez(folder / "samples.npz", site=site, **arrays)  # type: ignore[arg-type]
    return Project.load(folder)


def detector(folder: Path, outputs: str) -> Project:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 50, (80, 3, 2))
    boxes = np.concatenate([corners, corners + random.uniform(10, 40, (80, 3, 2))], axis=2)
    numbers = random.integers(0, 2, (80, 3, 1))
    answers = np.concatenate(
        [boxes + random.normal(0, 1, boxes.shape), boxes[..., :1] / 60], axis=2
    )
    answers = np.concatenate([answers, numbers], axis=2).astype(np.float32)
    squeeze = [
        helper.make_node("Squeeze", [f"{name}_wide", "i2"], [name], name=f"squeeze_{name}")
        for name in ("scores", "classes")
    ]
    nodes = [part("boxes", 0, 4), part("scores_wide", 4, 5), part("classes_wide", 5, 6), *squeeze]
    model_of(folder / "model.onnx", nodes, [3, 6], ["boxes", "scores", "classes"])
    labels = np.concatenate([numbers, boxes], axis=2)
    model = f'task = "detection"\nlabels = ["cat", "dog"]\noutputs = {outputs}'
    return write(folder, model, "average_precision_50", samples=answers, labels=labels)


def test_a_detector_is_built_and_judged(tmp_path: Path) -> None:
    project = detector(tmp_path, '{ boxes = "boxes", scores = "scores", classes = "classes" }')
    result = project.build()
    assert result.decision.verdict is Verdict.PASS
    judged = next(each for each in result.decision.results if each.variant == "float32")
    assert judged.measured is not None
    assert 0.9 < judged.measured.value <= 1.0
    assert "average precision" in result.report_path.read_text()


def test_an_output_of_another_role_is_refused_with_its_line(tmp_path: Path) -> None:
    project = detector(tmp_path, '{ masks = "boxes" }')
    with pytest.raises(ProjectFileError, match=r"edgeworthy.toml:9.*masks"):
        project.evaluate()


def test_a_segmenter_is_built_and_judged(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, (80, 4, 5)).astype(np.int64)
    scores = np.moveaxis(np.eye(3)[labels], 3, 1) + random.normal(0, 0.3, (80, 3, 4, 5))
    labels[:, 0, 0] = 255
    model_of(
        tmp_path / "model.onnx",
        [helper.make_node("Relu", ["samples"], ["scores"], name="relu")],
        [3, 4, 5],
        ["scores"],
    )
    model = 'task = "segmentation"\nlabels = ["road", "sky", "tree"]'
    project = write(tmp_path, model, "mean_iou", samples=scores.astype(np.float32), labels=labels)
    assert project.build().decision.verdict is Verdict.PASS


def test_an_embedding_is_built_and_judged(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    labels = np.repeat(np.arange(20), 4)
    vectors = random.normal(size=(20, 6))[labels] + 0.2 * random.normal(size=(80, 6))
    model_of(
        tmp_path / "model.onnx",
        [helper.make_node("Tanh", ["samples"], ["vectors"], name="tanh")],
        [6],
        ["vectors"],
    )
    project = write(
        tmp_path,
        'task = "embedding"',
        "recall_at_1",
        samples=vectors.astype(np.float32),
        labels=labels,
    )
    result = project.build()
    assert result.decision.verdict is Verdict.PASS
    float32 = next(each for each in result.record.evaluations if each.variant == "float32")
    figures = {each.metric: each.estimate.value for each in float32.metrics if not each.slice}
    assert figures["cosine_fidelity"] == pytest.approx(1.0)


def test_a_segmenter_is_run_under_corruptions_that_leave_things_in_their_places(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, (40, 8, 8)).astype(np.int64)
    samples = np.moveaxis(np.eye(3)[labels], 3, 1).astype(np.float32)
    model_of(
        tmp_path / "model.onnx",
        [helper.make_node("Relu", ["samples"], ["scores"], name="relu")],
        [3, 8, 8],
        ["scores"],
    )
    model = """task = "segmentation"
labels = ["road", "sky", "tree"]

[model.inputs.samples]
layout = "NCHW"

[evaluate.corruptions]
kind = "image"
names = ["sensor_noise", "elastic", "rolling_shutter"]
"""
    project = write(tmp_path, model, "mean_iou", samples=samples, labels=labels)
    original = project.evaluate("quick", ("corruptions",))[0]
    study = original.corruptions
    assert study is not None
    assert (study.metric, [each.name for each in study.corruptions]) == (
        "image_overlap",
        ["sensor_noise"],
    )
    assert study.left_out == tuple(
        f"{name} moves what the picture shows, and the labels of segmentation say where it is."
        for name in ("elastic", "rolling_shutter")
    )
    overall = {
        each.severity: each.estimate
        for each in study.figures
        if (each.metric, each.corruption) == ("corruption_image_overlap", "sensor_noise")
    }
    assert overall[1].value > overall[5].value
