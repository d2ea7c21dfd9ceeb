"""Samples of a bare npz file: the same values as numpy reads, in parts, and hostile files."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.datasets import array_names, rows_of
from edgeworthy.errors import DatasetError

VALUES = np.arange(60, dtype=np.int16).reshape(10, 3, 2)


@pytest.fixture(params=["stored", "compressed", "fortran", "big-endian"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same values, saved in several ways, behind another array."""
    found = tmp_path / "samples.npz"
    values = {
        "fortran": np.asfortranarray(VALUES),
        "big-endian": VALUES.astype(">i2"),
    }.get(request.param, VALUES)
    save = np.savez_compressed if request.param == "compressed" else np.savez
    save(found, first=np.zeros(7), x=values)
    return found


bounds = st.none() | st.integers(-12, 12)
slices = st.builds(slice, bounds, bounds, st.none() | st.sampled_from([1, 2, 3, -1, -2]))


@settings(max_examples=60)
@given(one=slices, other=slices)
def test_parts_of_parts_are_numpys(
    tmp_path_factory: pytest.TempPathFactory, one: slice, other: slice
) -> None:
    path = tmp_path_factory.mktemp("rows") / "samples.npz"
    np.savez(path, x=VALUES)
    rows = rows_of(path, ["x"])["x"][one][other]
    expected = VALUES[one][other]
    assert rows.shape == expected.shape
    assert len(rows) == len(expected)
    np.testing.assert_array_equal(rows.read(), expected)


def test_however_they_were_saved(path: Path) -> None:
    assert array_names(path) == ["first", "x"]
    rows = rows_of(path, ["x"])["x"]
    np.testing.assert_array_equal(rows.read(), VALUES)
    np.testing.assert_array_equal(rows[1::2].read(), VALUES[1::2])
    read = rows.astype("float32")[4:6].read()
    assert read.dtype == np.float32
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, VALUES[4:6].astype(np.float32))


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, x=VALUES)
    rows = rows_of(path, ["x"])["x"]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match="became shorter"):
        rows[8:].read()


def test_only_arrays_that_are_asked_for_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, x=VALUES, note=np.array({"any": "object"}, dtype=object), version=np.array(3))
    np.testing.assert_array_equal(rows_of(path, ["x"])["x"].read(), VALUES)
    with pytest.raises(DatasetError, match="Python objects"):
        rows_of(path, ["note"])
    with pytest.raises(DatasetError, match="no axis of samples"):
        rows_of(path, ["version"])


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez_compressed(path, x=np.zeros((300, 1 << 20), dtype=np.uint8))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DatasetError, match="zip bomb"):
        rows_of(path, ["x"])


def test_memory_is_that_of_the_part(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, x=np.ones((200, 1 << 18), dtype=np.float32))  # 200 MiB
    script = """
        import json, re, sys
        from pathlib import Path
        from edgeworthy.datasets import rows_of
        def peak():
            with open("/proc/self/status") as status:
                return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) >> 10
        before = peak()
        rows = rows_of(Path(sys.argv[1]), ["x"])["x"]
        total = sum(float(rows[first : first + 8].read().sum()) for first in range(0, 200, 8))
        print(json.dumps([total, peak() - before]))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    total, growth_mebibytes = json.loads(run.stdout)
    assert total == 200 * (1 << 18)
    assert growth_mebibytes < 60
