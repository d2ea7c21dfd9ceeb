from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest

from edgeworthy.datasets import Dataset
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError, MissingExtraError

OpenSection = Callable[..., Dataset]
CSV = DataSection(path="t.csv")
SERIES = DataSection(path="t.csv", series="take", slices=("hand",))

PLAIN = "ax,ay,label\n1,2,cat\n3,4,dog\n"
TAKES = (
    "take,ax,ay,hand,label\n"
    "a,1,2,left,cat\na,3,4,left,cat\n"
    "b,5,6,right,dog\nb,7,8,right,dog\n"
)  # fmt: skip


def _refusal(open_section: OpenSection, section: DataSection = CSV) -> str:
    with pytest.raises(DatasetError) as error:
        list(open_section(section).batches(2))
    return str(error.value)


def test_a_row_is_a_sample(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_text("\ufeff" + PLAIN + "\n\n", encoding="utf-8")
    dataset = open_section(CSV)
    (batch,) = dataset.batches(9)
    assert dataset.axes == "C"
    assert batch.inputs[""].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert batch.inputs[""].dtype == np.float64
    assert batch.labels.tolist() == [0, 1]


def test_rows_of_a_series_are_a_sample(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_text(TAKES)
    dataset = open_section(SERIES)
    (batch,) = dataset.batches(9)
    assert dataset.axes == "TC"
    assert batch.inputs[""].tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert batch.slices == {"hand": ("left", "right")}


def test_columns_by_model_input(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_text(TAKES)
    inputs: dict[str, str | tuple[str, ...]] = {"second": "ay", "both": ("ay", "ax")}
    section = DataSection(path="t.csv", series="take", inputs=inputs)
    (batch,) = open_section(section).batches(9)
    assert batch.inputs["second"].tolist() == [[[2], [4]], [[6], [8]]]
    assert batch.inputs["both"].tolist() == [[[2, 1], [4, 3]], [[6, 5], [8, 7]]]


def test_regression_labels_are_figures(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_text("a,target\n1,2.5\n2,-3e2\n")
    (batch,) = open_section(CSV, task="regression", labels=()).batches(9)
    assert batch.labels.tolist() == [2.5, -300.0]
    assert batch.labels.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header line"),
        ("\n\n", "no header line"),
        ("a,a,label\n1,2,cat\n", "names `a` twice"),
        ("a,label\n", "at least 2 samples, found 0"),
        ("a,label\n1,cat\n", "at least 2 samples, found 1"),
        ("a,label\n1,cat\n2\n", "line 3: a line of another width"),
        ("a,label\n1,cat\nx,dog\n", "line 3, column `a`: a cell is not a number. Found `x`"),
        ("a,label\n1,cat\n1_0,dog\n", "a cell is not a number. Found `1_0`"),
        ("a,label\n1,cat\n,dog\n", "line 3, column `a`: a cell is empty"),
        ("a,label\n1,cat\n2,\n", "line 3, column `label`: a cell is empty"),
        ("a,label\n1,cat\nnan,dog\n", "sample 1: the input holds NaN or infinity"),
        ("a,label\n1,cat\n2,dogg\n", "sample 1: unknown label `dogg`"),
        ('a,label\n1,"cat\n', "not a CSV file"),
        ("label\ncat\ndog\n", "no feature column"),
        ("a,b\n1,2\n3,4\n", "no column with the labels"),
        ("a;label\n1;cat\n", "no column with the labels"),
    ],
)
def test_a_bad_csv_file_is_one_error(
    tmp_path: Path, open_section: OpenSection, text: str, message: str
) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert message in _refusal(open_section)


def test_binary_data_is_no_csv_file(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,label\n\xff\xfe,cat\n")
    assert "not a CSV file" in _refusal(open_section)


def test_declared_columns_must_exist(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "t.csv").write_text(TAKES)
    section = DataSection(path="t.csv", series="taek")
    assert "Did you mean `take`" in _refusal(open_section, section)
    section = DataSection(path="t.csv", inputs={"x": ("ax", "az")})
    assert "no column `az`" in _refusal(open_section, section)
    section = DataSection(path="t.csv", inputs={"x": ()})
    assert "no column is left for input `x`" in _refusal(open_section, section)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TAKES + "a,9,9,left,cat\n", "at least 2"),
        (TAKES + "c,9,9,left,cat\n", "it has 1 rows where the first series has 2"),
        (TAKES + "a,9,9,left,cat\na,9,9,left,cat\n", "series `a`: its rows do not lie together"),
        (TAKES.replace("7,8,right,dog", "7,8,right,cat"), "disagree about its label"),
        (TAKES.replace("7,8,right", "7,8,left"), "disagree about its label or slices"),
    ],
)
def test_a_broken_series_is_named(
    tmp_path: Path, open_section: OpenSection, text: str, message: str
) -> None:
    (tmp_path / "t.csv").write_text(text)
    if message == "at least 2":
        message = "do not lie together"
    assert message in _refusal(open_section, SERIES)


def test_many_rows_cross_chunks(tmp_path: Path, open_section: OpenSection) -> None:
    rows = [f"{take},{take * 10 + step},{'cat' if take % 2 else 'dog'}" for take in range(700)
            for step in range(3)]  # fmt: skip
    (tmp_path / "t.csv").write_text("take,a,label\n" + "\n".join(rows) + "\n")
    section = DataSection(path="t.csv", series="take", rows=(300, 690))
    values = np.concatenate([b.inputs[""] for b in open_section(section).batches(100)])
    expected = np.arange(300, 690)[:, None] * 10.0 + np.arange(3)
    np.testing.assert_array_equal(values[:, :, 0], expected)


def _write_parquet(path: Path, **columns: object) -> None:
    pq.write_table(pa.table(columns), path)


PARQUET = DataSection(path="t.parquet")


def test_any_number_type_of_parquet_becomes_float64(
    tmp_path: Path, open_section: OpenSection
) -> None:
    _write_parquet(
        tmp_path / "t.parquet",
        a=pa.array([1, 2], pa.int8()),
        b=pa.array([0.5, 0.25], pa.float32()),
        c=pa.array([True, False]),
        label=pa.array([1, 0]),
    )
    (batch,) = open_section(PARQUET).batches(9)
    assert batch.inputs[""].tolist() == [[1.0, 0.5, 1.0], [2.0, 0.25, 0.0]]
    assert batch.labels.tolist() == [1, 0]


def test_a_bad_parquet_file_is_one_error(tmp_path: Path, open_section: OpenSection) -> None:
    path = tmp_path / "t.parquet"
    _write_parquet(path, a=[1.0, None], label=["cat", "dog"])
    assert "row 1, column `a`: a value is missing" in _refusal(open_section, PARQUET)
    _write_parquet(path, a=[1.0, 2.0], label=["cat", None])
    assert "row 1, column `label`: a value is missing" in _refusal(open_section, PARQUET)
    _write_parquet(path, a=["x", "y"], label=["cat", "dog"])
    assert "column `a`: a column does not hold numbers" in _refusal(open_section, PARQUET)
    path.write_bytes(path.read_bytes()[:-5])
    assert "not a whole Parquet file" in _refusal(open_section, PARQUET)
    path.unlink()
    assert "no such file" in _refusal(open_section, PARQUET)


def test_damage_inside_a_parquet_file(tmp_path: Path, open_section: OpenSection) -> None:
    path = tmp_path / "t.parquet"
    _write_parquet(
        path, a=np.random.default_rng(1).normal(size=999), label=["cat", "dog", "cat"] * 333
    )
    data = bytearray(path.read_bytes())
    data[4:60] = b"\xff" * 56
    path.write_bytes(data)
    assert "t.parquet: cannot be read" in _refusal(open_section, PARQUET)


def test_without_pyarrow_the_error_is_the_command(
    tmp_path: Path, open_section: OpenSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeworthy\[parquet\]'"):
        open_section(PARQUET)
