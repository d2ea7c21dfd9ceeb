"""Whole builds of other tasks than classification, and for machines that are not this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bands import ProjectFolder, make_project_folder
from edgeworthy.documents.gate import Verdict
from edgeworthy.errors import DeviceProfileError, UsageError

CLASSIFIER = 'task = "classification"\nlabels = ["top", "middle", "bottom"]\n'


def brightness_model(path: Path) -> None:
    """One figure per picture: the brightness of its upper third, times three."""
    mean_filter = np.zeros((4, 1, 6, 6), dtype=np.float32)
    mean_filter[:, 0, :2] = 1.0 / 12.0
    weights = np.full((4, 1), 0.75, dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["picture", "filter"], ["means"], name="conv"),
            helper.make_node("Reshape", ["means", "shape"], ["flat"], name="flatten"),
            helper.make_node("MatMul", ["flat", "weights"], ["brightness"], name="sum"),
        ],
        "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 1, 6, 6])],
        [helper.make_tensor_value_info("brightness", TensorProto.FLOAT, ["batch", 1])],
        [
            numpy_helper.from_array(mean_filter, "filter"),
            numpy_helper.from_array(np.array([0, 4], dtype=np.int64), "shape"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def relabel(path: Path, *, anomaly: bool) -> None:
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    brightness = (kept["pictures"][:, 0, :2].mean(axis=(1, 2)) - 0.5) / 0.5 * 3.0
    generator = np.random.default_rng(0)
    noisy = brightness + generator.normal(0.0, 0.05, size=len(brightness))
    labels = (noisy > np.quantile(noisy, 0.6)).astype(np.int64) if anomaly else noisy
    np.savez(path, **{**kept, "bands": labels})


@pytest.fixture
def one_figure(tmp_path: Path) -> ProjectFolder:
    project = make_project_folder(tmp_path / "one")
    brightness_model(project.path / "model.onnx")
    return project


def require(project: ProjectFolder, metric: str, bound: str) -> None:
    project.edit('metric = "accuracy"\nat_least = 0.9', f'metric = "{metric}"\n{bound}')


def test_a_regression_is_judged_by_its_error(one_figure: ProjectFolder) -> None:
    for name in ("calibration", "evaluation"):
        relabel(one_figure.path / f"{name}.npz", anomaly=False)
    one_figure.edit(CLASSIFIER, 'task = "regression"\n')
    require(one_figure, "mean_absolute_error", "at_most = 0.1")
    result = one_figure.load().build()
    assert result.decision.verdict is Verdict.PASS
    judged = next(each for each in result.decision.results if each.variant == "float32")
    assert judged.measured is not None
    assert judged.measured.value == pytest.approx(0.04, abs=0.01)  # 0.05 x sqrt(2 / pi)
    assert judged.measured.low < judged.measured.value < judged.measured.high
    assert all(each.flips is None for each in result.record.evaluations)


def test_an_anomaly_detector_is_judged_by_its_ranking(one_figure: ProjectFolder) -> None:
    for name in ("calibration", "evaluation"):
        relabel(one_figure.path / f"{name}.npz", anomaly=True)
    one_figure.edit(CLASSIFIER, 'task = "anomaly"\n')
    require(one_figure, "auroc", "at_least = 0.9")
    result = one_figure.load().build()
    assert result.decision.verdict is Verdict.PASS
    assert "auroc" in result.report_path.read_text().lower()


def test_figures_from_another_class_of_cpu_settle_nothing(built: ProjectFolder) -> None:
    built.edit("[targets.host]", '[targets.host]\n\n[targets.pi]\ndevice = "raspberry-pi-4"')
    result = built.load().build()
    assert result.decision.verdict is Verdict.INCONCLUSIVE
    by_target = {each.target: each.verdict for each in result.decision.targets}
    assert by_target == {"host": Verdict.PASS, "pi": Verdict.INCONCLUSIVE}
    assert "int8-s8s8" in {each.name for each in result.record.variants}
    reasons = [each.reason for each in result.decision.results if each.target == "pi"]
    assert any("arm-neon" in reason for reason in reasons)
    sizes = [
        each.verdict
        for each in result.decision.results
        if each.target == "pi" and each.requirement.metric == "size_kib"
    ]
    assert set(sizes) == {Verdict.PASS}
    assert result.release_path is None


@pytest.mark.parametrize("batch", [1, 7])
def test_a_model_with_a_fixed_batch_is_built_like_any_other(
    project: ProjectFolder, batch: int
) -> None:
    model = onnx.load(project.path / "model.onnx")
    for value in (model.graph.input[0], model.graph.output[0]):
        axis = value.type.tensor_type.shape.dim[0]
        axis.ClearField("dim_param")
        axis.dim_value = batch
    onnx.save(model, project.path / "model.onnx")
    result = project.load().build()
    assert result.decision.verdict is Verdict.PASS
    assert {each.dataset.sample_count for each in result.record.evaluations} == {120}
    verified = project.load().verify()
    blob = next(each for each in verified.blobs if each.title == "golden.npz")
    with np.load(blob.path) as arrays:
        assert arrays["input:picture"].shape == (16, 1, 6, 6)


def test_a_project_without_targets_is_built_for_this_machine(built: ProjectFolder) -> None:
    built.edit("[targets.host]", "")
    assert [each.target for each in built.load().gate().targets] == ["host"]


def test_a_device_or_engine_that_does_not_exist_is_named(project: ProjectFolder) -> None:
    project.edit("[targets.host]", '[targets.host]\ndevice = "raspberry-pi-44"')
    with pytest.raises(DeviceProfileError, match="raspberry-pi-4"):
        project.load().optimize()
    project.edit('device = "raspberry-pi-44"', 'runtimes = ["onnxruntim"]')
    with pytest.raises(UsageError, match="onnxruntime"):
        project.load().measure()
