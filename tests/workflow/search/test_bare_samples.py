"""Bare models with open axes and with several outputs, searched as a user would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import parser

from edgeworthy.datasets import rows_of
from edgeworthy.documents.record import decode_document
from edgeworthy.documents.search import PinnedAxis, Search
from edgeworthy.errors import DatasetError, ModelFileError, UsageError
from edgeworthy.evaluation import Predictions
from edgeworthy.workflow.search.bare_samples import batch_size
from edgeworthy.workflow.search.judging import judge
from edgeworthy.workflow.search.sources import BareSource, Judging, open_source

Command = Callable[..., tuple[int, str, str]]

#: Two outputs: places of large numbers and scores of small ones, as detectors have them.
OPEN = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[n, 1, height, width] x) => (float[n, 2, a, b] places, float[n, 1, c, d] scores)
<float[2, 1, 3, 3] w = {9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2, 1},
 float[1, 2, 1, 1] v = {0.01, -0.01}>
{
    places = Conv <pads = [1, 1, 1, 1]> (x, w)
    mixed = Conv (places, v)
    scores = Sigmoid (mixed)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with open height and width, and samples of 8 x 6."""
    model = parser.parse_model(OPEN)
    (tmp_path / "open.onnx").write_bytes(model.SerializeToString())
    samples = np.random.default_rng(1).standard_normal((40, 1, 8, 6)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    return tmp_path


def source_of(folder: Path, *, output: str = "", calibration: str = "") -> BareSource:
    return BareSource(
        model=str(folder / "open.onnx"),
        data=str(folder / "samples.npz"),
        output=output,
        calibration=calibration,
    )


def test_open_axes_get_the_size_of_the_samples_and_the_search_says_so(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    options = ["--trials", "1", "--prefer", "size", "--out", "out"]
    code, out, _ = command("optimize", "open.onnx", "--data", "samples.npz", *options)
    assert code == 0
    assert "height of x = 8, width of x = 6" in " ".join(out.split())
    search = decode_document((folder / "out" / "search.json").read_bytes(), Search, where="out")
    assert search.pinned == (
        PinnedAxis(input="x", axis="height", size=8),
        PinnedAxis(input="x", axis="width", size=6),
    )
    assert search.basis == "agreement-vectors"
    assert "height of x is 8" in (folder / "out" / "search.html").read_text()
    made = onnx.load(folder / "out" / "float32.onnx")
    sizes = [dim.dim_value for dim in made.graph.input[0].type.tensor_type.shape.dim[1:]]
    assert sizes == [1, 8, 6]


def test_one_output_can_be_asked_for_and_a_wrong_name_is_said(folder: Path) -> None:
    bench = open_source(source_of(folder, output="scores"))
    assert bench.section.output == "scores"
    with pytest.raises(UsageError, match="no output `score`"):
        open_source(source_of(folder, output="score"))


def test_samples_of_another_shape_are_said_in_the_words_of_the_file(folder: Path) -> None:
    np.savez(folder / "samples.npz", x=np.zeros((40, 8, 6), dtype=np.float32))
    with pytest.raises(DatasetError) as caught:
        open_source(source_of(folder))
    assert caught.value.expected == "(samples, 1, height, width)"
    assert caught.value.found == "(40, 8, 6)"


def test_ranges_must_come_from_samples_of_the_same_size(folder: Path) -> None:
    np.savez(folder / "other.npz", x=np.zeros((40, 1, 8, 8), dtype=np.float32))
    with pytest.raises(DatasetError) as caught:
        open_source(source_of(folder, calibration=str(folder / "other.npz")))
    assert caught.value.expected == "(samples, 1, 8, 6)"


def test_an_output_of_small_numbers_is_not_hidden_by_one_of_large_ones() -> None:
    places = np.full((30, 50), 200.0)
    right, wrong = np.linspace(0.1, 0.9, 30), np.zeros(30)
    judging = Judging(basis="agreement-vectors", task="classification")
    float_rows = np.concatenate([places, np.tile(right, (30, 1))], axis=1)
    rows = np.concatenate([places, np.tile(wrong, (30, 1))], axis=1)
    labels = np.zeros(30, dtype=np.int64)
    original = Predictions(float_rows, labels, {}, shapes=((50,), (30,)))
    subject = Predictions(rows, labels, {}, shapes=((50,), (30,)))
    metric, loss = judge(subject, original, judging, confidence=0.95)
    assert metric.value == 0.0
    assert loss.low == 1.0
    own, none = judge(original, original, judging, confidence=0.95)
    assert (own.value, none.value) == (1.0, 0.0)


def test_scores_of_nothing_are_not_hidden_by_the_boxes_beside_them() -> None:
    generator = np.random.default_rng(5)
    boxes = generator.uniform(50.0, 300.0, (40, 4, 60))
    scores = generator.uniform(0.0, 0.9, (40, 6, 60)) ** 4
    scores[:8] = 1e-4  # pictures with nothing on them
    labels = np.zeros(40, dtype=np.int64)
    judging = Judging(basis="agreement-vectors", task="classification")
    original = Predictions(np.concatenate([boxes, scores], axis=1), labels, {})
    dead = Predictions(np.concatenate([boxes, np.zeros_like(scores)], axis=1), labels, {})
    noise = generator.normal(0.0, 1e-3, scores.shape)
    sound = Predictions(np.concatenate([boxes + 1.0, scores + noise], axis=1), labels, {})
    assert judge(dead, original, judging, confidence=0.95)[0].value == pytest.approx(0.2)
    assert judge(sound, original, judging, confidence=0.95)[0].value > 0.999
    # the other way around: anchors first
    turned = [
        Predictions(np.ascontiguousarray(each.outputs.transpose(0, 2, 1)), labels, {})
        for each in (dead, original)
    ]
    assert judge(turned[0], turned[1], judging, confidence=0.95)[0].value == pytest.approx(0.2)


def test_a_model_that_does_not_count_samples_first_is_told_before_its_samples(
    folder: Path,
) -> None:
    rated = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]>'
        "g (float[n, 6] x, float rate) => (float[n, 6] y) { y = Mul (x, rate) }"
    )
    (folder / "open.onnx").write_bytes(rated.SerializeToString())
    np.savez(folder / "samples.npz", x=np.zeros((40, 6), dtype=np.float32), rate=np.float32(2))
    with pytest.raises(ModelFileError, match="`rate` does not count samples"):
        open_source(source_of(folder))


def test_large_samples_run_in_smaller_batches(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "s.npz",
        small=np.zeros((4, 10), np.float32),
        picture=np.zeros((4, 3, 640, 640), np.float32),
        scan=np.zeros((4, 4, 1024, 1024), np.float32),
    )
    sizes = {name: batch_size(rows_of(tmp_path / "s.npz", [name])) for name in ("small", "picture")}
    assert sizes == {"small": 32, "picture": 1}
    assert batch_size(rows_of(tmp_path / "s.npz", ["scan"])) == 1


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x": np.zeros((2, 1, 8, 6), np.float32)}, "too few samples"),
        ({"x": np.zeros((8, 1, 8, 6), np.float32), "y": np.zeros(7)}, "same number of samples"),
        ({"x": np.float32(3.0)}, "no axis of samples"),
        ({"x": np.full((8, 1, 8, 6), "a")}, "another kind"),
        ({"x": np.zeros((8, 3, 8, 6), np.float32)}, "does not have the shape"),
    ],
)
def test_a_refusal_says_what_next(folder: Path, arrays: dict[str, Any], problem: str) -> None:
    np.savez(folder / "samples.npz", **arrays)
    with pytest.raises(DatasetError, match=problem) as refused:
        open_source(source_of(folder))
    assert refused.value.next_step
    assert refused.value.found
