"""The bounds of a self-test: known figures, and the figures on either side of each bound."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from agent.worker.releases import bounds_here, linear_release
from edgeworthy.agent.worker.golden_samples import golden_metric
from edgeworthy.agent.worker.self_test_checks import (
    check_latency,
    check_memory,
    check_metric,
    check_outputs,
)
from edgeworthy.documents.project import Scores

RIGHT = {"y": np.array([[1.0, -2.0], [0.5, 0.0]], np.float32)}


@pytest.mark.parametrize(("shift", "held"), [(0.0, True), (0.039, True), (0.041, False)])
def test_a_difference_is_relative_to_the_largest_value(shift: float, *, held: bool) -> None:
    (check,) = check_outputs({"y": RIGHT["y"] + np.float32(shift)}, RIGHT, 0.02)
    assert check.held is held
    assert check.found == pytest.approx(shift / 2, abs=1e-6)


def test_what_is_no_number_fails_with_its_count() -> None:
    own = RIGHT["y"].copy()
    own[0, 0], own[1, 1] = np.nan, np.inf
    (check,) = check_outputs({"y": own}, RIGHT, 0.02)
    assert (check.subject, check.held, check.found) == ("finite", False, 2.0)


def test_what_was_meant_to_be_infinite_stays_so() -> None:
    right = {"y": np.array([-np.inf, 1.0])}
    assert next(check_outputs(right, right, 0.0)).held
    assert not next(check_outputs({"y": np.array([1.0, 1.0])}, right, 0.5)).held


@pytest.mark.parametrize("own", [{}, {"y": RIGHT["y"][:1]}])
def test_an_output_that_is_missing_or_of_another_shape_fails(
    own: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
) -> None:
    (check,) = check_outputs(own, RIGHT, 1.0)
    assert not check.held
    assert "should have shape (2, 2)" in check.sentence


@pytest.mark.parametrize(
    ("slowdown", "p90_ms", "held"),
    [
        (1.0, 10.0, True),
        (1.0, 10.1, False),
        (0.5, 10.0, True),
        (2.0, 19.9, True),
        (2.0, 20.1, False),
        (100.0, 79.0, True),
        (100.0, 81.0, False),
    ],
)
def test_a_slower_machine_widens_the_latency_bound_eightfold_at_most(
    slowdown: float, p90_ms: float, *, held: bool
) -> None:
    check = check_latency(bounds_here(latency_bound_ms=10.0), p90_ms, slowdown)
    assert check.held is held
    assert ("reference load" in check.sentence) is (slowdown > 1)


def test_memory_is_held_against_its_bound() -> None:
    assert check_memory(100, 100).held
    assert not check_memory(100, 101).held


@pytest.mark.parametrize(
    ("name", "outputs", "labels", "scores", "value"),
    [
        ("accuracy", [[1, 9], [8, 2], [0, 1]], [1, 1, 1], "logits", 2 / 3),
        ("accuracy", [[-0.1], [0.1]], [0, 1], "logits", 1.0),
        ("accuracy", [[0.4], [0.6]], [0, 1], "probabilities", 1.0),
        ("mae", [[1.0], [2.0]], [2.0, 2.0], "logits", 0.5),
    ],
)
def test_golden_metrics(
    name: str, outputs: list[list[float]], labels: list[float], scores: Scores, value: float
) -> None:
    found = golden_metric(name, np.array(outputs), np.array(labels), scores=scores)
    assert found == pytest.approx(value)


def test_the_metric_is_held_against_its_bound_and_fails_without_labels() -> None:
    manifest = linear_release().manifest
    golden = msgspec.structs.replace(manifest.golden, metric="accuracy")
    manifest = msgspec.structs.replace(manifest, golden=golden)
    own = {"scores": np.array([[1.0, 0.0], [0.0, 1.0]])}
    bounds = bounds_here(metric_value=1.0, metric_bound=0.6)
    assert check_metric(manifest, bounds, own, np.array([0, 1])).held
    assert not check_metric(manifest, bounds, own, np.array([1, 1])).held
    assert not check_metric(manifest, bounds, own, None).held
