from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bands import band_model
from edgeworthy.runtimes import find_runtime
from edgeworthy.runtimes.base import Runtime
from edgeworthy.runtimes.onnxruntime_arena import arena_in_log

LOG = """\
[I:onnxruntime:Default, bfc_arena.cc:281 Reserve] Reserving memory in BFCArena for Cpu size: 16384
[I:onnxruntime:Default, bfc_arena.cc:205 Extend] Extended allocation by 1048576 bytes.
[I:onnxruntime:Default, bfc_arena.cc:208 Extend] Total allocated bytes: 1064960
[I:onnxruntime:Default, bfc_arena.cc:281 Reserve] Reserving memory in BFCArena for Cpu size: 100
"""


def test_what_grew_and_what_was_reserved_since_is_the_arena() -> None:
    assert arena_in_log(LOG) == 1_065_060
    assert arena_in_log("") is None
    assert arena_in_log("[I:onnxruntime:Default] Creating BFCArena for Cpu") is None


def test_an_arena_holds_what_runs_in_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Larger batches need a larger arena; the log reaches nobody."""
    path = tmp_path / "bands.onnx"
    band_model(path)
    runtime = find_runtime("onnxruntime")
    sizes = []
    for batch in (1, 50_000):
        samples = [{"picture": np.zeros((batch, 1, 6, 6), dtype=np.float32)}]
        found = runtime.arena_bytes(path, samples)
        assert found is not None
        sizes.append(found)
    small, large = sizes
    # The result of the convolution alone: 4 channels of 3 floats.
    assert large - small >= 50_000 * 4 * 3 * 4 - (1 << 20)
    os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"


def test_an_engine_that_does_not_tell_says_so(tmp_path: Path) -> None:
    assert Runtime.arena_bytes(find_runtime("onnxruntime"), tmp_path, []) is None
