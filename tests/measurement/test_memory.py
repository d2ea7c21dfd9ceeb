from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeworthy.measurement.memory import peak_memory_bytes, reset_peak, resident_memory_bytes

MIB = 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text(
        "Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n",
        encoding="ascii",
    )
    return tmp_path


def test_figures_are_read_from_the_kernel(root: Path) -> None:
    assert peak_memory_bytes(root) == 2 * MIB
    assert resident_memory_bytes(root) == MIB


@pytest.mark.parametrize("content", [None, "Name:\tpython\n"])
def test_without_the_kernels_figures_the_library_is_asked(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/status").write_text(content, encoding="ascii")
    assert peak_memory_bytes(tmp_path) == resident_memory_bytes(tmp_path) > MIB


def test_the_library_counts_bytes_on_macos_and_kibibytes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = peak_memory_bytes(tmp_path)
    monkeypatch.setattr("sys.platform", "darwin")
    assert elsewhere / 1100 < peak_memory_bytes(tmp_path) < elsewhere / 900


def test_memory_that_is_touched_and_given_back_stays_in_the_peak() -> None:
    if not reset_peak():
        pytest.skip("this kernel does not let a process reset its peak")
    before = peak_memory_bytes()
    block = np.ones(40 * MIB // 8)
    assert block.sum() == 40 * MIB // 8
    del block
    assert peak_memory_bytes() - before > 30 * MIB
    assert peak_memory_bytes() - resident_memory_bytes() > 20 * MIB


def test_a_kernel_that_forbids_the_reset_is_no_error(tmp_path: Path) -> None:
    assert not reset_peak(tmp_path)


def test_the_reset_writes_what_the_kernel_expects(root: Path) -> None:
    assert reset_peak(root)
    assert (root / "proc/self/clear_refs").read_text(encoding="ascii") == "5"
