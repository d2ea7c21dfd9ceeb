"""Which samples timed queries take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from bands import band_model
from edgeworthy.runtimes import Tensors
from edgeworthy.workflow.search.sources import BareSource, Bench, open_source
from edgeworthy.workflow.search.timing_samples import first_samples, spread_samples

COUNT = 103


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A model, and pictures that hold their own number."""
    band_model(tmp_path / "bands.onnx")
    shape = onnx.load(tmp_path / "bands.onnx").graph.input[0].type.tensor_type.shape
    sizes = [axis.dim_value for axis in shape.dim[1:]]
    numbers = np.arange(2 * COUNT, dtype=np.float32).reshape(-1, *[1] * len(sizes))
    np.savez(tmp_path / "samples.npz", picture=np.broadcast_to(numbers, (2 * COUNT, *sizes)))
    np.savez(tmp_path / "others.npz", picture=np.broadcast_to(-numbers - 1, (2 * COUNT, *sizes)))
    source = BareSource(
        model=str(tmp_path / "bands.onnx"),
        data=str(tmp_path / "samples.npz"),
        calibration=str(tmp_path / "others.npz"),
    )
    return open_source(source)


def numbers_of(samples: list[Tensors]) -> list[int]:
    return [int(number) for each in samples for number in each["picture"][:, 0, 0, 0]]


def test_the_first_ones_come_one_by_one(bench: Bench) -> None:
    assert numbers_of(first_samples(bench, 3)) == [0, 1, 2]


def test_spread_ones_come_from_all_over_the_set_and_by_chance(bench: Bench) -> None:
    found = numbers_of(spread_samples(bench, 64, seed=3))
    assert len(set(found)) == 64
    assert found == sorted(found)
    assert found[0] < COUNT / 4
    assert found[-1] > 7 * COUNT / 4
    assert len(set(np.diff(found).tolist())) > 4
    assert numbers_of(spread_samples(bench, 64, seed=3)) == found
    assert numbers_of(spread_samples(bench, 64, seed=4)) != found


def test_fewer_samples_than_asked_for_are_all_taken_once(bench: Bench) -> None:
    assert numbers_of(spread_samples(bench, 1000, seed=0)) == list(range(2 * COUNT))


def test_a_fixed_batch_is_filled_and_what_is_left_over_left_out(bench: Bench) -> None:
    fixed = tuple(
        msgspec.structs.replace(each, shape=(4, *each.shape[1:])) for each in bench.signature.inputs
    )
    of_four = replace(bench, signature=msgspec.structs.replace(bench.signature, inputs=fixed))
    groups = spread_samples(of_four, 1000, seed=0)
    assert [len(each["picture"]) for each in groups] == [4] * (2 * COUNT // 4)
    assert len(set(numbers_of(groups))) == 4 * (2 * COUNT // 4)
    assert numbers_of(first_samples(of_four, 2)) == list(range(8))
