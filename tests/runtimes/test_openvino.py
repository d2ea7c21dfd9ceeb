"""What is peculiar to OpenVINO; the laws hold for it as for every engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeworthy.errors import InferenceError, MissingExtraError
from edgeworthy.runtimes import find_runtime
from edgeworthy.runtimes.openvino_cpu import check_place

SAID = {"devices": "CPU", "threads": "2", "streams": "1", "precision": "f32"}


def test_what_was_asked_is_accepted() -> None:
    check_place(SAID, 2, where="m.onnx")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"devices": "GPU, CPU"}, "found devices GPU, CPU"),
        ({"threads": "1"}, "threads 1, streams 1"),
        ({"streams": "2"}, "streams 2"),
        ({"precision": "bf16"}, "precision bf16"),
    ],
)
def test_another_place_or_precision_is_no_result(change: dict[str, str], words: str) -> None:
    with pytest.raises(InferenceError, match="otherwise than asked") as caught:
        check_place({**SAID, **change}, 2, where="m.onnx")
    assert words in str(caught.value)


def test_more_threads_than_processors_are_refused_not_cut(linear: Path) -> None:
    try:
        engine = find_runtime("openvino")
    except MissingExtraError as error:
        pytest.skip(str(error))
    with pytest.raises(InferenceError, match="threads 4096"):
        engine.load(linear, threads=4096)


def test_an_axis_of_one_name_has_one_size(write_model: Callable[..., Path]) -> None:
    try:
        engine = find_runtime("openvino")
    except MissingExtraError as error:
        pytest.skip(str(error))
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[n, 2] x, float[n, 2] b)'
        "=> (float[n, 2] y) { y = Add (x, b) }"
    )
    with engine.load(path) as session:
        x = np.ones((3, 2), np.float32)
        with pytest.raises(InferenceError, match="the axis `n` has two sizes"):
            session.run({"x": x, "b": x[:1]})
        assert session.run({"x": x, "b": x})["y"].tolist() == [[2, 2]] * 3
