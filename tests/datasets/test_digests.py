from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.datasets import Dataset, check_overlap, sample_digests, summarize, survey
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError

OpenSection = Callable[..., Dataset]
SECTION = DataSection(path="samples.npz", license="CC0-1.0", origin="made up")
X = np.arange(8, dtype=np.float32).reshape(2, 4)


def _digest(open_section: OpenSection, section: DataSection = SECTION) -> str:
    return survey(open_section(section), task="classification", labels=("cat", "dog")).digest


def test_a_sample_digest_is_dtype_shape_and_values(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=X, y=[0, 1])
    kind = b"<f4(4,)"
    expected = hashlib.sha256(struct.pack("<I", len(kind)) + kind + X[1].tobytes()).hexdigest()
    assert sample_digests(open_section(SECTION))[1] == f"sha256:{expected}"


@pytest.mark.parametrize(
    "other",
    [
        {"x": X.astype(np.float64), "y": [0, 1]},
        {"x": X.reshape(2, 2, 2), "y": [0, 1]},
        {"x": X[::-1], "y": [0, 1]},
        {"x": X, "y": [1, 0]},
        {"x": X, "y": [0, 1], "hand": np.array(["l", "r"])},
    ],
)
def test_everything_counts_for_the_digest_of_a_set(
    write_npz: Callable[..., Path], open_section: OpenSection, other: dict[str, Any]
) -> None:
    write_npz(x=X, y=[0, 1])
    before = _digest(open_section)
    write_npz(**other)
    slices = ("hand",) if "hand" in other else ()
    assert _digest(open_section, DataSection(path="samples.npz", slices=slices)) != before


def test_the_name_of_an_only_input_does_not_count(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=X, y=[0, 1])
    named = DataSection(path="samples.npz", inputs={"input_1": "x"})
    assert _digest(open_section, named) == _digest(open_section)
    left = DataSection(path="samples.npz", inputs={"a": "x", "b": "x"})
    right = DataSection(path="samples.npz", inputs={"a": "x", "c": "x"})
    assert _digest(open_section, left) != _digest(open_section, right)


def test_a_summary_says_what_is_in_a_set(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=np.ones((5, 2)), y=[0, 2, 0, 2, 0], hand=np.array(["l", "r", "l", "l", "l"]))
    section = DataSection(path="samples.npz", slices=("hand",), license="CC0-1.0", origin="made up")
    labels = ("cat", "dog", "eel", "fox")
    dataset = open_section(section, labels=labels)
    summary = summarize(
        dataset, name="evaluation", section=section, task="classification", labels=labels
    )
    assert summary.reference.sample_count == 5
    assert summary.label_counts == (3, 0, 2, 0)
    assert [(s.column, s.value, s.sample_count) for s in summary.slices] == [
        ("hand", "l", 4),
        ("hand", "r", 1),
    ]
    assert (summary.data_format, summary.license, summary.origin) == ("npz", "CC0-1.0", "made up")


def test_regression_has_no_label_counts(
    write_npz: Callable[..., Path], open_section: OpenSection
) -> None:
    write_npz(x=X, y=np.array([0.5, 1.5]))
    dataset = open_section(SECTION, task="regression", labels=())
    first = survey(dataset, task="regression", labels=())
    assert first.label_counts == ()
    write_npz(x=X, y=np.array([0.5, 1.5000001]))
    dataset = open_section(SECTION, task="regression", labels=())
    assert survey(dataset, task="regression", labels=()).digest != first.digest


def test_overlap_names_how_many_and_which() -> None:
    check_overlap("calibration", ("a", "b"), "evaluation", ("c", "d"))
    with pytest.raises(DatasetError) as error:
        check_overlap("calibration", ("a", "b", "c", "c"), "evaluation", ("c", "d", "b", "c"))
    message = str(error.value)
    assert "3 of 4 samples of `calibration` are also in `evaluation`" in message
    assert "calibration[1] = evaluation[2], calibration[2] = evaluation[0]" in message


def test_overlap_lists_a_few_only() -> None:
    digests = [str(index) for index in range(9)]
    with pytest.raises(DatasetError, match=r"left\[2\] = right\[2\] and more"):
        check_overlap("left", digests, "right", digests)


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 20)))
def test_overlap_is_refused_if_and_only_if_there_is_some(left: list[int], right: list[int]) -> None:
    arguments = ("l", [str(i) for i in left], "r", [str(i) for i in right])
    if set(left) & set(right):
        with pytest.raises(DatasetError):
            check_overlap(*arguments)
    else:
        check_overlap(*arguments)
