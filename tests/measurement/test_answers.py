from __future__ import annotations

import numpy as np
import pytest

from edgeworthy.measurement.answers import agreement_of


def scores(*rows: list[float]) -> list[dict[str, np.ndarray]]:
    return [{"y": np.array([row], np.float32)} for row in rows]


def test_how_far_answers_are_apart_and_how_often_they_choose_alike() -> None:
    found = agreement_of(scores([1.0, 2.0], [4.0, 3.0]), scores([1.0, 2.5], [2.0, 3.0]))
    assert found is not None
    assert found.sample_count == 2
    assert found.largest_difference == 2.0
    assert found.largest_output == 3.0
    assert found.same_choice_ratio == 0.5


def test_other_names_or_shapes_do_not_compare() -> None:
    assert agreement_of(scores([1.0, 2.0]), [{"z": np.zeros((1, 2))}]) is None
    assert agreement_of(scores([1.0, 2.0]), scores([1.0, 2.0, 3.0])) is None
    assert agreement_of([{"y": np.array(["a"])}], [{"y": np.array(["a"])}]) is None


def test_a_value_that_is_no_number_is_the_largest_difference() -> None:
    found = agreement_of(scores([float("nan"), 1.0]), scores([0.0, 1.0]))
    assert found is not None
    assert found.largest_difference == np.finfo(float).max


@pytest.mark.parametrize("shape", [(1, 1), (1, 2, 2), (1,)])
def test_without_a_vector_of_scores_there_is_no_choice(shape: tuple[int, ...]) -> None:
    one = [{"y": np.zeros(shape)}]
    found = agreement_of(one, one)
    assert found is not None
    assert found.same_choice_ratio is None


def test_empty_outputs_agree() -> None:
    one = [{"y": np.zeros((1, 0))}]
    found = agreement_of(one, one)
    assert found is not None
    assert found.largest_difference == 0.0
