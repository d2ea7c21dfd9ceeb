"""Regressions that the accuracy does not show: planted ones are found, their clean twins pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped] # scipy ships no types

from edgeworthy.documents.evaluation import FlippedPair
from edgeworthy.evaluation import EvaluationResult, EvaluationSettings, Predictions, evaluate

Speaker = Callable[..., Predictions]

SETTINGS = EvaluationSettings(task="classification", resamples=200)
N = 2000
LABELS = np.arange(N) % 4


def spoiled(
    answers: NDArray[np.int64], candidates: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The answers with the first ``count`` of some candidates moved to the next class."""
    made = answers.copy()
    made[candidates[:count]] = (made[candidates[:count]] + 1) % 4
    return made


def sites(share: float = 0.1) -> Mapping[str, tuple[str, ...]]:
    """A tenth of the samples comes from the harbor, by chance; the shift groups half and half."""
    generator = np.random.default_rng(5)
    harbor = generator.random(N) < share
    late = generator.random(N) < 0.5
    return {
        "site": tuple("harbor" if each else "yard" for each in harbor),
        "shift": tuple("late" if each else "early" for each in late),
    }


def where(slices: Mapping[str, tuple[str, ...]], column: str, value: str) -> NDArray[np.int64]:
    return np.flatnonzero(np.array(slices[column]) == value)


def kinds(result: EvaluationResult) -> list[tuple[str, str]]:
    return [(each.kind, each.slice) for each in result.findings]


def test_a_slice_that_loses_ten_points_while_the_mean_stays_is_found(classifier: Speaker) -> None:
    slices = sites()
    harbor, yard = where(slices, "site", "harbor"), where(slices, "site", "yard")
    loss = len(harbor) // 10
    before = spoiled(LABELS, yard, 100)
    after = spoiled(spoiled(LABELS, yard[loss:], 100 - loss), harbor, loss)
    result = evaluate(
        classifier(after, LABELS, classes=4, slices=slices),
        classifier(before, LABELS, classes=4, slices=slices),
        SETTINGS,
    )
    accuracy = next(each for each in result.metrics if each.metric == "accuracy")
    assert accuracy.drop is not None
    assert accuracy.drop.value == 0.0
    found = [each for each in result.findings if each.kind == "slice-regression"]
    assert [each.slice for each in found] == ["site=harbor"]
    assert found[0].estimate.value == pytest.approx(0.1, abs=0.006)
    assert found[0].adjusted_p_value is not None
    assert found[0].adjusted_p_value < 1e-4
    assert f"{loss} right answers are lost and 0 gained" in found[0].sentence
    assert result.flips is not None
    assert result.flips.slices[0].slice == "site=harbor"


def test_the_same_losses_spread_over_all_slices_are_not_found(classifier: Speaker) -> None:
    slices = sites()
    order = np.random.default_rng(3).permutation(N)
    before = spoiled(LABELS, order[:100], 100)
    after = spoiled(LABELS, order[20:120], 100)
    result = evaluate(
        classifier(after, LABELS, classes=4, slices=slices),
        classifier(before, LABELS, classes=4, slices=slices),
        SETTINGS,
    )
    assert kinds(result) == []


def test_a_loss_that_all_slices_share_is_no_regression_of_a_slice(classifier: Speaker) -> None:
    slices = sites(0.5)
    after = spoiled(LABELS, np.random.default_rng(4).permutation(N), 200)
    result = evaluate(
        classifier(after, LABELS, classes=4, slices=slices),
        classifier(LABELS, LABELS, classes=4, slices=slices),
        SETTINGS,
    )
    assert result.flips is not None
    assert max(each.adjusted_p_value for each in result.flips.slices) < 1e-9, "each one loses"
    assert min(each.excess_p_value or 0.0 for each in result.flips.slices) > 0.05, "none loses more"
    assert "slice-regression" not in {each.kind for each in result.findings}


@pytest.mark.parametrize(
    ("lost", "expected"), [(80, [("negative-flips", "")]), (0, [])], ids=["four percent", "clean"]
)
def test_better_accuracy_with_negative_flips(
    lost: int, expected: list[tuple[str, str]], classifier: Speaker
) -> None:
    order = np.random.default_rng(7).permutation(N)
    before = spoiled(LABELS, order[:200], 200)
    # 200 mistakes before; afterwards ``lost`` new ones among 40 + lost.
    after = spoiled(LABELS, np.concatenate([order[:40], order[200 : 200 + lost]]), 40 + lost)
    result = evaluate(
        classifier(after, LABELS, classes=4), classifier(before, LABELS, classes=4), SETTINGS
    )
    accuracy = next(each for each in result.metrics if each.metric == "accuracy")
    assert accuracy.drop is not None
    assert accuracy.drop.high < 0.0
    # The confidence of these speakers is always the same, so a better one seems too modest.
    assert [each for each in kinds(result) if each[0] != "calibration-loss"] == expected
    assert result.flips is not None
    assert result.flips.negative_count == lost


@pytest.mark.parametrize(
    ("logit", "expected"),
    [(6.0, [("calibration-loss", ""), ("over-confidence", "")]), (2.2, [])],
    ids=["overconfident", "clean"],
)
def test_an_overconfident_variant_is_found(
    logit: float, expected: list[tuple[str, str]], classifier: Speaker
) -> None:
    order = np.random.default_rng(9).permutation(N)
    answers = spoiled(LABELS, order, 560)
    # softmax of (2.1, 0, 0, 0) says 0.73; 72 % are right.
    result = evaluate(
        classifier(answers, LABELS, classes=4, logit=logit),
        classifier(answers, LABELS, classes=4, logit=2.1),
        SETTINGS,
    )
    assert kinds(result) == expected


def test_flips_name_the_pairs_of_classes(classifier: Speaker) -> None:
    before = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    labels = np.array([0, 0, 0, 1, 2, 2, 3, 1])
    after = np.array([1, 1, 0, 2, 2, 2, 0, 0])
    result = evaluate(
        classifier(after, labels, classes=4), classifier(before, labels, classes=4), SETTINGS
    )
    assert result.flips is not None
    assert result.flips.pairs == (
        FlippedPair(before=0, after=1, changed_count=2, negative_count=2, positive_count=0),
        FlippedPair(before=1, after=2, changed_count=2, negative_count=1, positive_count=1),
        FlippedPair(before=3, after=0, changed_count=2, negative_count=1, positive_count=0),
    )


def test_slice_limits_hold_together(classifier: Speaker) -> None:
    slices = {"part": tuple("ab" * 10)}
    labels = np.zeros(20, dtype=np.int64)
    said = classifier(labels, labels, slices=slices)
    result = evaluate(said, said, SETTINGS)
    assert result.flips is not None
    # No flips in 10 samples, two slices: 1 - 0.025 ** (1 / 10).
    for each in result.flips.slices:
        assert each.negative_flip_limit == pytest.approx(
            stats.beta.ppf(1 - 0.05 / 2, 1, 10), abs=1e-9
        )
        assert each.sample_count == 10
        assert each.adjusted_p_value == 1.0


def test_other_tasks_have_no_findings() -> None:
    said = Predictions(np.arange(6.0), np.arange(6.0), {})
    result = evaluate(said, said, dataclasses.replace(SETTINGS, task="regression"))
    assert result.findings == ()
