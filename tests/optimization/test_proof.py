"""Proofs by trial: what is tried, what counts as equal, what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from edgeworthy.graph import model_signature
from edgeworthy.optimization.proof import SAMPLE_LIMIT, Proof, difference, gather_proof

Arrays = dict[str, NDArray[Any]]
RELU = "g (float[n,2] x) => (float[n,2] y) { y = Relu (x) }"


def batches(count: int, size: int) -> Iterator[Arrays]:
    for index in range(count):
        yield {"x": np.full((size, 2), index, np.float32)}


def test_the_first_samples_and_generated_ones_are_tried(parse: Callable[..., ModelProto]) -> None:
    read: list[int] = []

    def counted() -> Iterator[Arrays]:
        for batch in batches(9, 10):
            read.append(len(batch["x"]))
            yield batch

    proof = gather_proof(model_signature(parse(RELU)), counted(), seed=1)
    assert [len(batch["x"]) for batch in proof.batches] == [10, 10, 10, 2, 4]
    assert proof.sample_count == SAMPLE_LIMIT + 4
    assert len(read) == 4  # the rest of the samples was not even read


def test_a_fixed_batch_is_not_cut(parse: Callable[..., ModelProto]) -> None:
    signature = model_signature(parse("g (float[20,2] x) => (float[20,2] y) { y = Relu (x) }"))
    proof = gather_proof(signature, batches(9, 20), seed=1)
    assert [len(batch["x"]) for batch in proof.batches] == [20, 20, 20]


def test_the_seed_decides_what_is_generated(parse: Callable[..., ModelProto]) -> None:
    model = parse(RELU)
    records = [
        gather_proof(model_signature(model), batches(1, 1), seed=seed).compare(model, model)
        for seed in (1, 1, 2)
    ]
    assert records[0] == records[1]
    assert records[0].inputs_digest != records[2].inputs_digest
    assert (records[0].seed, records[0].sample_count, records[0].largest_difference) == (1, 5, 0.0)


def test_the_largest_difference_of_all_batches_is_recorded(
    parse: Callable[..., ModelProto],
) -> None:
    right = parse("g (float[n,2] x) => (float[n,2] y) { y = Abs (x) }")
    proof = Proof([{"x": np.array([[v, 4.0]], np.float32)} for v in (1, -2, -1)], seed=None)
    record = proof.compare(parse(RELU), right)
    assert record.largest_difference == pytest.approx(0.5)
    assert record.seed is None


def test_no_batches_no_difference(parse: Callable[..., ModelProto]) -> None:
    assert Proof([], seed=None).compare(parse(RELU), parse(RELU)).largest_difference == 0.0


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.inf], [1.0, np.inf], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([2.0, 1.0], [2.0, 0.0], 0.5),
    ],
)
def test_difference(left: list[float], right: list[float], expected: float) -> None:
    assert difference({"y": np.array(left)}, {"y": np.array(right)}) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"y": np.zeros(2)}, {"y": np.zeros(3)}),
        ({"y": np.zeros(2)}, {"z": np.zeros(2)}),
        ({"y": np.array([1.0])}, {"y": np.array([np.nan])}),
    ],
)
def test_what_cannot_be_compared_is_as_far_as_can_be(left: Arrays, right: Arrays) -> None:
    assert difference(left, right) == np.finfo(np.float64).max
