from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.datasets import Dataset
from edgeworthy.documents.project import DataSection
from edgeworthy.errors import DatasetError, EdgeworthyError, ProjectFileError

OpenSection = Callable[..., Dataset]
SECTION = DataSection(function="data:load")


def _refusal(open_section: OpenSection, section: DataSection = SECTION) -> str:
    with pytest.raises(EdgeworthyError) as error:
        list(open_section(section).batches(2))
    assert isinstance(error.value, DatasetError | ProjectFileError)
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('disk on fire')", "failed with RuntimeError: disk on fire"),
        ("raise SystemExit(0)", "failed with SystemExit"),
        ("return 7", "returned no samples"),
        ("return None", "found NoneType"),
        ("return {'x': [[1, 2], [3]], 'y': [0, 1]}", "the function failed with ValueError"),
        ("return {'x': [[1, 2]], 'y': [0, 1]}", "differ in length. Expected one entry per sample"),
        ("return {'x': 3, 'y': [0, 1]}", "`x` 0, `y` 2"),
        ("return {'z': [1, 2], 'q': [2, 3]}", "no array with the labels"),
        ("return [1, 2, 3]", "sample 0: not a sample with a label"),
        ("return [(1.0,), (2.0,)]", "Expected a tuple (sample, label)"),
        ("return [([], 0), ([], 1)]", "sample 0: the input holds no values"),
        ("return [('a', 0), ('b', 1)]", "does not hold numbers"),
        ("yield (1.0, 0); yield (1.0, 0); raise KeyError('x')", "failed with KeyError"),
        ("return [(1.0, 0), (2.0, 2)]", "sample 1: label out of range"),
        ("return [(1.0, 0), (float('inf'), 1)]", "sample 1: the input holds NaN or infinity"),
    ],
)
def test_what_a_function_does_wrong_is_one_error(
    tmp_path: Path, open_section: OpenSection, body: str, message: str
) -> None:
    (tmp_path / "data.py").write_text(f"def load():\n    {body}\n")
    assert message in _refusal(open_section)


def test_a_declared_slice_must_come_along(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "data.py").write_text("def load():\n    return [(1.0, 0), (2.0, 1)]\n")
    section = DataSection(function="data:load", slices=("hand",))
    assert "the sample has no slice `hand`" in _refusal(open_section, section)


def test_named_inputs(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "data.py").write_text(
        "def load():\n    return [({'a': [1, 2], 'b': [3]}, 0), ({'a': [4, 5], 'b': [6]}, 1)]\n"
    )
    (batch,) = open_section(SECTION).batches(9)
    assert batch.inputs["a"].tolist() == [[1, 2], [4, 5]]
    assert batch.inputs["b"].tolist() == [[3], [6]]


def test_a_module_may_import_its_neighbors(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "neighbor_of_data.py").write_text("SAMPLES = [(1.0, 0), (2.0, 1)]\n")
    (tmp_path / "package/data.py").write_text(
        "from neighbor_of_data import SAMPLES\n\ndef load():\n    return SAMPLES\n"
    )
    before = list(sys.path)
    assert len(open_section(DataSection(function="package.data:load"))) == 2
    assert sys.path == before
    del sys.modules["neighbor_of_data"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("data", "malformed name of a function"),
        ("data:", "malformed name of a function"),
        ("../data:load", "malformed name of a function"),
        ("json:loads", "there is no module `json` in the project's folder"),
        ("dta:load", "Did you mean `data.py`"),
        ("data:laod", "there is no function `laod` in `data.py`. Did you mean `load`"),
        ("data:NUMBER", "there is no function `NUMBER`"),
    ],
)
def test_a_name_that_leads_nowhere(
    tmp_path: Path, open_section: OpenSection, function: str, message: str
) -> None:
    (tmp_path / "data.py").write_text("NUMBER = 7\n\ndef load():\n    return {}\n")
    assert message in _refusal(open_section, DataSection(function=function))


def test_a_module_that_does_not_import(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "data.py").write_text("def load(:\n")
    assert "failed with SyntaxError" in _refusal(open_section)
    (tmp_path / "data.py").write_text("import no_such_module_anywhere\n")
    assert "failed with ModuleNotFoundError" in _refusal(open_section)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("first=5", "batches out of order"),
        ("labels=np.array([0])", "the input and the labels differ in length"),
        ("slices={'hand': ('l',)}", "slice `hand` and the labels differ in length"),
        ("inputs={}", "a batch without inputs"),
        ("inputs={'': np.array(['a', 'b'])}", "does not hold numbers"),
        ("labels=np.array([0, 9])", "label out of range"),
    ],
)
def test_a_data_set_of_ones_own_is_checked(
    tmp_path: Path, open_section: OpenSection, change: str, message: str
) -> None:
    (tmp_path / "data.py").write_text(
        f"""
import dataclasses
import numpy as np
from edgeworthy.datasets import Dataset, RawBatch

class Mine(Dataset):
    data_format = "mine"
    axes = "C"
    def __len__(self):
        return 2
    def batches(self, size):
        batch = RawBatch(0, {{"": np.ones((2, 3))}}, np.array([0, 1]), {{}})
        yield dataclasses.replace(batch, {change})

def load():
    return Mine()
"""
    )
    assert message in _refusal(open_section)


def test_a_set_that_changes_while_it_is_read(tmp_path: Path, open_section: OpenSection) -> None:
    (tmp_path / "data.py").write_text(
        "calls = []\n\ndef load():\n    calls.append(1)\n"
        "    return [(1.0, 0)] * (4 if len(calls) < 3 else 3)\n"
    )
    assert "changed while it was read. Expected 4 samples, found 3" in _refusal(open_section)
