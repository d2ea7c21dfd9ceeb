"""One thread inside, what was before outside."""

from __future__ import annotations

import pytest

from edgeworthy.optimization import blas_threads as module
from edgeworthy.optimization.blas_threads import blas_threads, one_blas_thread


def test_one_thread_inside_and_the_old_number_afterwards() -> None:
    before = blas_threads()
    if before is None:
        pytest.skip("ANOTHER BLAS: numpy did not bring OpenBLAS, threads are NOT checked")
    with one_blas_thread():
        assert blas_threads() == 1
    assert blas_threads() == before


def test_an_error_passes_through_and_the_old_number_comes_back() -> None:
    before = blas_threads()
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == before


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_openblas", lambda: None)
    assert blas_threads() is None
    with one_blas_thread():
        pass
