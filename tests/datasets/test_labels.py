from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.datasets import check_labels
from edgeworthy.datasets.base import Declaration
from edgeworthy.datasets.labels import LabelReader
from edgeworthy.documents.dataset import DatasetReference, DatasetSummary
from edgeworthy.documents.project import DataSection, Task
from edgeworthy.errors import DatasetError, ProjectFileError


def _reader(labels: Sequence[str] = (), task: Task = "classification") -> LabelReader:
    section = DataSection(path="x.npz")
    return LabelReader(Declaration("evaluation", section, Path(), task, tuple(labels)))


@pytest.mark.parametrize(
    ("labels", "stored", "expected"),
    [
        (("cat", "dog"), ["dog", "cat"], [1, 0]),
        (("cat", "dog"), np.array([1, 0], np.uint8), [1, 0]),
        (("cat", "dog"), np.array([[1], [0]]), [1, 0]),
        (("cat", "dog"), np.array([1.0, 0.0]), [1, 0]),
        (("cat", "dog"), ["1", "0.0"], [1, 0]),
        (("cat", "dog"), np.array([True, False]), [1, 0]),
        (("cat", "dog"), np.array([b"dog"]), [1]),
        (("1", "2"), np.array([1, 2]), [0, 1]),
        (("1", "2"), ["1", "2"], [0, 1]),
        (("0", "1"), np.array([1, 0]), [1, 0]),
        ((), np.array([7, 0]), [7, 0]),
    ],
)
def test_names_and_integers_become_indices(
    labels: tuple[str, ...], stored: list[str] | NDArray[Any], expected: list[int]
) -> None:
    read = _reader(labels).read(stored, 0)
    assert read.tolist() == expected
    assert read.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "stored", "message"),
    [
        (("cat", "dog"), np.array([0, 2]), "sample 11: label out of range. Expected 0 to 1"),
        (("cat", "dog"), np.array([-1, 0]), "sample 10: label out of range"),
        ((), np.array([-1, 0]), "Expected 0 or more, found -1"),
        (("cat", "dog"), ["cat", "dgo"], "sample 11: unknown label `dgo`"),
        (("1", "2"), np.array([0, 1]), "unknown label `0`"),
        ((), ["cat"], "Expected a class index"),
        (("cat", "dog"), np.array([0.5]), "unknown label `0.5`"),
        (("cat", "dog"), np.array([np.nan]), "unknown label `nan`"),
        (("cat", "dog"), np.eye(2), "become indices with argmax"),
    ],
)
def test_a_label_that_is_none(
    labels: tuple[str, ...], stored: list[str] | NDArray[Any], message: str
) -> None:
    with pytest.raises(DatasetError) as error:
        _reader(labels).read(stored, 10)
    assert message in str(error.value)


def test_regression_takes_finite_figures() -> None:
    reader = _reader(task="regression")
    assert reader.read(["1.5", "-2"], 0).tolist() == [1.5, -2.0]
    assert reader.read(np.array([[-3], [400]]), 0).tolist() == [-3.0, 400.0]
    for wrong in ("inf", "nan", "high", "1_0"):
        with pytest.raises(DatasetError, match="sample 1: a regression label must be a finite"):
            reader.read(["1", wrong], 0)


def test_anomalies_are_normal_or_not() -> None:
    assert _reader(task="anomaly").read(["normal", "anomalous", "1"], 0).tolist() == [0, 1, 1]
    assert _reader(("ok", "broken"), "anomaly").read(["broken"], 0).tolist() == [1]
    with pytest.raises(DatasetError, match="out of range"):
        _reader(task="anomaly").read(np.array([2]), 0)
    with pytest.raises(ProjectFileError, match="two labels, normal first"):
        _reader(("a", "b", "c"), "anomaly")


def _summary(counts: tuple[int, ...]) -> DatasetSummary:
    reference = DatasetReference(name="evaluation", digest="sha256:0", sample_count=sum(counts))
    return DatasetSummary(reference=reference, data_format="npz", label_counts=counts)


def test_every_declared_label_needs_a_sample() -> None:
    check_labels(_summary((3, 1)), ("cat", "dog"))
    check_labels(_summary(()), ("cat", "dog"))
    with pytest.raises(DatasetError, match=r"data\.evaluation.*none of `dog`, `eel`"):
        check_labels(_summary((3, 0, 0)), ("cat", "dog", "eel"))
    with pytest.raises(DatasetError, match="none of `eel`"):
        check_labels(_summary((3, 2)), ("cat", "dog", "eel"))
