"""Estimates for other classes of CPU are shown, and called estimates."""

from __future__ import annotations

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.documents.prediction import NodeSaturation, Prediction
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.reports.blocks import Details, Table
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.sections.prediction import prediction_section

FIGURE = Estimate(value=0.09, low=0.07, high=0.11, confidence=0.95, n=100, method="x", unit="ratio")


class Record:
    """The part of a build record that the section reads."""

    def __init__(self, *predictions: Prediction) -> None:
        self.predictions = predictions


def prediction(*, refusal: str = "") -> Prediction:
    return Prediction(
        artifact="sha256:" + "a" * 64,
        original="sha256:" + "b" * 64,
        variant="int8-u8s8",
        instruction_sets=("x86-avx2",),
        dataset=DatasetReference(name="evaluation", digest="sha256:" + "c" * 64, sample_count=100),
        sample_count=100,
        metrics=()
        if refusal
        else (MetricValue(metric="accuracy", slice="", estimate=FIGURE, drop=FIGURE),),
        saturation=()
        if refusal
        else (
            NodeSaturation(
                node="stem",
                pair_ratio=0.05,
                output_ratio=0.55,
                mean_shift_steps=25.2,
                largest_shift_steps=235.8,
            ),
        ),
        refusal=refusal,
        seed=1,
        tool_versions=("numpy 2",),
    )


def test_an_estimate_is_shown_with_what_saturates() -> None:
    section = prediction_section(BuildIndex(Record(prediction())))  # type: ignore[arg-type]
    assert section is not None
    assert "no evidence" in section.lead
    table, details = section.blocks
    assert isinstance(table, Table)
    texts = [cell.text for cell in table.rows[0].cells]
    assert texts[:3] == ["int8-u8s8", "x86-avx2", "100"]
    assert texts[3].startswith("0.090")
    assert texts[5] == "1 node"
    assert isinstance(details, Details)
    assert "stem" in str(details.blocks[0])


def test_a_refusal_is_said_and_nothing_is_no_section() -> None:
    section = prediction_section(
        BuildIndex(Record(prediction(refusal="the arithmetic is unknown")))  # type: ignore[arg-type]
    )
    assert section is not None
    (table,) = section.blocks
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[0].cells][3:] == [
        "The arithmetic is unknown.",
        "",
        "unknown",
    ]
    assert prediction_section(BuildIndex(Record())) is None  # type: ignore[arg-type]


def test_a_prediction_travels() -> None:
    made = prediction()
    assert decode_document(encode_document(made), Prediction, where="test") == made
