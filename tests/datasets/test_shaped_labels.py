"""True boxes and pictures of classes, as labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeworthy.datasets import open_dataset, sample_digests
from edgeworthy.datasets.digests import survey
from edgeworthy.datasets.shaped_labels import shaped_labels
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError, ProjectFileError

BOXES = np.array([[[0, 1, 2, 3, 4], [-1, 0, 0, 0, 0]], [[1, 5, 5, 9, 9], [0, 0, 0, 1, 1]]])


def test_boxes_are_read_from_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=np.ones((2, 4, 4)), labels=BOXES, place=["a", "b"])
    section = DataSection(path="d.npz", slices=("place",))
    dataset = open_dataset(section, folder=tmp_path, name="x", task="detection", labels=("a", "b"))
    (batch,) = dataset.batches(8)
    np.testing.assert_array_equal(batch.labels, BOXES)
    assert batch.slices == {"place": ("a", "b")}
    found = survey(dataset, task="detection", labels=("a", "b"))
    moved = BOXES.copy()
    moved[0, 0, 1] = 0
    np.savez(tmp_path / "d.npz", images=np.ones((2, 4, 4)), labels=moved, place=["a", "b"])
    other = open_dataset(section, folder=tmp_path, name="x", task="detection", labels=("a", "b"))
    assert survey(other, task="detection", labels=("a", "b")).digest != found.digest
    assert sample_digests(other) == found.sample_digests


def test_pictures_of_classes_are_read(tmp_path: Path) -> None:
    masks = np.array([[[0, 1], [255, 1]]] * 2)
    np.savez(tmp_path / "d.npz", images=np.ones((2, 4, 4)), labels=masks)
    dataset = open_dataset(
        DataSection(path="d.npz"), folder=tmp_path, name="x", task="segmentation", labels=("a", "b")
    )
    (batch,) = dataset.batches(8)
    assert batch.labels.dtype == np.uint8
    np.testing.assert_array_equal(batch.labels, masks)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ([2, 0, 0, 1, 1], "classes 0 to 1"),
        ([0.5, 0, 0, 1, 1], "classes 0 to 1"),
        ([0, 5, 0, 1, 1], "x1 <= x2"),
        ([0, np.nan, 0, 1, 1], "finite"),
        ([-2, 0, 0, 1, 1], "classes 0 to 1"),
    ],
)
def test_a_wrong_box_is_refused_and_the_sample_named(label: list[float], message: str) -> None:
    boxes = np.array([[[0, 0, 0, 1, 1]], [label]])
    with pytest.raises(DatasetError, match=message) as caught:
        shaped_labels(boxes, "detection", 2, "data.x", 10)
    assert "sample 11" in str(caught.value)


def test_other_shapes_and_classes_are_refused() -> None:
    with pytest.raises(DatasetError, match="Fill boxes up"):
        shaped_labels([np.ones((1, 5)), np.ones((2, 5))], "detection", 2, "data.x", 0)
    with pytest.raises(DatasetError, match=r"\(n, height, width\)"):
        shaped_labels(np.ones((2, 4)), "segmentation", 2, "data.x", 0)
    with pytest.raises(DatasetError, match="classes 0 to 1"):
        shaped_labels(np.full((1, 2, 2), 2), "segmentation", 2, "data.x", 0)


def test_formats_that_hold_no_arrays_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,label\n1,0\n2,1\n")
    with pytest.raises(ProjectFileError, match="in one npz file"):
        open_dataset(
            DataSection(path="d.csv"), folder=tmp_path, name="x", task="detection", labels=("a",)
        )
