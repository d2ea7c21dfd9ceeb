from __future__ import annotations

import numpy as np
import pytest

from edgeworthy.errors import MeasurementError
from edgeworthy.measurement.golden import Checked, check, positions_to_check, refuse_wrong

GOLDEN = [{"y": np.array([[1.0, 10.0]])}, {"y": np.array([[2.0, 20.0]])}]


def test_right_answers_are_right_wherever_they_stand_in_the_cycle() -> None:
    kept = {0: GOLDEN[0], 3: GOLDEN[1], 4: GOLDEN[0]}
    assert check(kept, GOLDEN, 0.0) == Checked(3, 0, 0.0)


def test_a_batch_is_held_against_the_samples_that_it_was_made_of() -> None:
    batch = {"y": np.array([[2.0, 20.0], [1.0, 10.0], [2.0, 20.0]])}
    assert check({1: batch}, GOLDEN, 0.0) == Checked(1, 0, 0.0)
    assert check({0: batch}, GOLDEN, 0.1).wrong_count == 1


def test_the_tolerance_is_a_share_of_the_largest_golden_value() -> None:
    off = {0: {"y": np.array([[1.0, 10.5]])}}
    assert check(off, GOLDEN, 0.05) == Checked(1, 0, 0.05)
    assert check(off, GOLDEN, 0.049) == Checked(1, 1, 0.05)


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"y": np.zeros((1, 3))},
        {"y": np.array([[np.nan, 10.0]])},
        {"y": np.zeros((0, 2))},
    ],
)
def test_missing_outputs_other_shapes_and_nan_are_wrong(outputs: dict[str, np.ndarray]) -> None:
    assert check({0: outputs}, GOLDEN, 0.5).wrong_count == 1


def test_empty_outputs_are_right_when_they_should_be_empty() -> None:
    empty = {"y": np.zeros((1, 0))}
    assert check({0: empty}, [empty], 0.0).wrong_count == 0


def test_positions_differ_from_run_to_run_and_lie_inside() -> None:
    drawn = {positions_to_check(1000, seed=seed) for seed in range(20)}
    assert len(drawn) == 20
    assert all(len(each) == 4 and max(each) < 1000 for each in drawn)
    assert positions_to_check(2, seed=0) == {0, 1}


def test_one_wrong_answer_is_an_error_that_says_how_wrong() -> None:
    refuse_wrong(Checked(9, 0, 0.0), where="m", tolerance=0.1)
    with pytest.raises(MeasurementError, match="no result") as caught:
        refuse_wrong(Checked(9, 2, 0.5), where="m", tolerance=0.1)
    assert "2 wrong outputs in 9 checked answers, off by up to 0.5" in str(caught.value)
