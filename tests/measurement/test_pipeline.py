from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeworthy.documents.encoded import (
    EncodedArray,
    EncodedArrays,
    EncodedImage,
    EncodedSample,
    InputPreparation,
    PipelinePlan,
)
from edgeworthy.documents.model import TensorSignature
from edgeworthy.documents.project import InputSection, Scores
from edgeworthy.errors import MeasurementError
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.classification import Classification
from edgeworthy.measurement.pipeline import Pipeline, reader_of, run_pipeline

PLAN = PipelinePlan(
    samples=(EncodedArrays(arrays={"x": EncodedArray(dtype="|u1", shape=(1,), data=b"a")}),),
    inputs=(),
    task="classification",
    scores="logits",
)


class Clock:
    """Shows one nanosecond more at each look, and what a stage adds."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 1
        return self.now_ns

    def stage(self, cost_ns: int, result: object) -> Callable[[Any], Any]:
        def run(_given: object) -> object:
            self.now_ns += cost_ns
            return result

        return run


def test_each_stage_has_its_own_time_and_together_they_are_the_query() -> None:
    clock = Clock()
    pipeline = Pipeline(
        decode=clock.stage(100, "raw"),
        prepare=clock.stage(20, "tensors"),
        run=clock.stage(3000, {"y": np.zeros((1, 2))}),
        read=clock.stage(5, ("a", 1.0)),
    )
    found = run_pipeline(pipeline, PLAN.samples, first=0, count=3, clock=clock)
    assert found.stage_ns.tolist() == [[101, 21, 3001, 6]] * 3
    assert found.last_answer == ("a", 1.0)


def test_samples_take_turns_and_asked_answers_are_kept_by_position() -> None:
    samples: list[EncodedSample] = [EncodedImage(data=bytes([index])) for index in range(3)]
    seen: list[int] = []

    def decode(sample: EncodedSample) -> int:
        assert isinstance(sample, EncodedImage)
        seen.append(sample.data[0])
        return sample.data[0]

    pipeline = Pipeline(
        decode=decode,
        prepare=lambda raw: {"x": np.full((2, 1), raw)},
        run=lambda tensors: {"y": tensors["x"] * 10},
        read=lambda outputs: (float(outputs["y"][0, 0]),),
    )
    found = run_pipeline(pipeline, samples, first=2, count=4, keep=frozenset({1, 3}))
    assert seen == [2, 0, 1, 2]
    # The first row of a repeated sample answers it.
    assert {key: kept["y"].tolist() for key, kept in found.kept.items()} == {3: [[0]], 5: [[20]]}
    assert found.last_answer == (20.0,)


@pytest.mark.parametrize("scores", ["logits", "probabilities"])
@pytest.mark.parametrize("class_count", [1, 2, 7])
def test_an_answer_is_what_evaluating_would_say(class_count: int, scores: Scores) -> None:
    drawn = np.random.default_rng(3).random((20, class_count)).astype(np.float32)
    if scores == "probabilities" and class_count > 1:
        drawn /= drawn.sum(axis=1, keepdims=True)
    count = max(class_count, 2)
    settings = EvaluationSettings(task="classification", scores=scores, label_count=count)
    judged = Classification().decode(Predictions(drawn, np.zeros(20, dtype=int), {}), settings)
    plan = PipelinePlan(
        samples=PLAN.samples,
        inputs=(),
        task="classification",
        scores=scores,
        labels=tuple(f"class {index}" for index in range(count)),
    )
    read = reader_of(plan)
    for row, predicted, confidence in zip(drawn, judged.predicted, judged.confidence, strict=True):
        label, own = read({"y": row[np.newaxis]})
        assert label == f"class {predicted}"
        assert own == pytest.approx(confidence)


def test_figures_are_read_of_the_named_output() -> None:
    plan = PipelinePlan(samples=PLAN.samples, inputs=(), task="regression", output="b")
    outputs = {"a": np.zeros((1, 1)), "b": np.array([[1.5, 2.5]])}
    assert reader_of(plan)(outputs) == (1.5, 2.5)


def picture(value: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (20, 10), (value, value, value)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def picture_plan() -> PipelinePlan:
    """Small pictures for the convolutions, which take 8 channels: as raw arrays."""
    generator = np.random.default_rng(0)
    arrays = [generator.integers(0, 255, (8, 16, 16), dtype=np.uint8) for _ in range(4)]
    return PipelinePlan(
        samples=tuple(
            EncodedArrays(
                arrays={"": EncodedArray(dtype="|u1", shape=each.shape, data=each.tobytes())}
            )
            for each in arrays
        ),
        inputs=(
            InputPreparation(
                tensor=TensorSignature(name="image", dtype="float32", shape=("batch", 8, 16, 16)),
                section=InputSection(mean=(127.5,), std=(64.0,)),
                axes="",
                unnamed=True,
            ),
        ),
        task="regression",
    )


def test_forms_are_told_by_the_samples(picture_plan: PipelinePlan) -> None:
    assert picture_plan.form == "arrays"
    image = PipelinePlan(samples=(EncodedImage(data=picture(3)),), inputs=(), task="regression")
    assert image.form == "image"


def test_a_measurement_has_its_pipeline_beside_bare_inference(
    small_model: Path,
    batched_model: Path,
    picture_plan: PipelinePlan,
    measured_pipeline: Callable[..., Any],
) -> None:
    plain, fixed = measured_pipeline((small_model, batched_model), picture_plan)
    for found in (plain, fixed):
        pipeline = found.pipeline
        assert [each.stage for each in pipeline.stages] == [
            "decode",
            "pre-process",
            "inference",
            "post-process",
        ]
        assert sum(each.share_ratio for each in pipeline.stages) == pytest.approx(1.0)
        assert all(each.p50_ms.n == 6 for each in pipeline.stages)
        assert pipeline.query_count >= 6
        assert pipeline.checked_count >= 6
        assert found.checked_count >= 6
        assert pipeline.inference_ratio.n == 6
        # Decoders came after the memory of bare inference was read.
        assert pipeline.peak_memory_mib.value > found.peak_memory_mib.value
        assert pipeline.cold_start_ms.value > found.cold_start_ms.value
        assert found.cold_start_ms.value > found.time_to_first_inference_ms.value
        assert found.time_to_first_inference_ms.value > found.load_time_ms.value


def test_wrong_answers_make_the_measurement_void(
    small_model: Path, picture_plan: PipelinePlan, measured_pipeline: Callable[..., Any]
) -> None:
    with pytest.raises(MeasurementError, match="wrong answers while it was timed"):
        measured_pipeline((small_model,), picture_plan, spoil=0.1)
