"""One thread for numpy's matrix arithmetic, for as long as it takes.

Rules:

1. Many small matrices gain nothing from threads: on a busy machine they wait for one another. And
   sums that are split among threads add up in another order, so that the same inputs would give
   other bytes on a machine with other cores.
2. What was set before is set again afterwards, also when an error passes through.
3. Only the OpenBLAS that numpy's own wheels bring is known; with another library nothing is done,
   and :func:`blas_threads` says so by giving ``None``.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

_GET = "scipy_openblas_get_num_threads64_"
_SET = "scipy_openblas_set_num_threads64_"


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute in one thread inside the block."""
    library = _openblas()
    if library is None:
        yield
        return
    before = int(library[_GET]())
    library[_SET](1)
    try:
        yield
    finally:
        library[_SET](before)


def blas_threads() -> int | None:
    """How many threads numpy's matrix arithmetic uses; None when its library is not known."""
    library = _openblas()
    return None if library is None else int(library[_GET]())


@cache
def _openblas() -> ctypes.CDLL | None:
    """The library that numpy has loaded already, looked up by its path."""
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    for path in sorted(folder.glob("libscipy_openblas64_*.so")):
        library = ctypes.CDLL(str(path))
        if hasattr(library, _GET) and hasattr(library, _SET):
            return library
    return None
