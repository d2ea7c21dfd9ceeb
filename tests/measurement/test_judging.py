from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.comparison import SelfCheck
from edgeworthy.documents.estimate import Estimate
from edgeworthy.measurement import MeasurementPlan
from edgeworthy.measurement.interleaving import Observation
from edgeworthy.measurement.judging import (
    Judgment,
    judge,
    log_ratios,
    percent,
    sentence_of,
    verdict_of,
)
from edgeworthy.measurement.observations import LaunchObservation

PLAN = MeasurementPlan(variant="v", artifact=Path("v.onnx"), digest="sha256:v", target="host")


def observation(starts: Sequence[Sequence[float]]) -> Observation:
    """Starts of turns with three queries each, around the given medians in nanoseconds."""
    return Observation(
        plan=PLAN,
        launches=tuple(
            LaunchObservation(
                runtime_version="engine 1",
                runtime_memory_bytes=1,
                load_ns=1,
                first_inference_ns=1,
                stationary=True,
                peak_memory_bytes=1,
                turns=tuple(
                    np.array([turn - 5, turn, turn + 900]).astype(np.int64) for turn in one
                ),
            )
            for one in starts
        ),
    )


def noisy(middle: float, *, seed: int, count: int = 8, spread: float = 0.002) -> Observation:
    generator = np.random.default_rng(seed)
    scale = np.exp(generator.normal(0, spread, (count, 1)))
    return observation((middle * scale * np.ones((1, 6))).tolist())


def judged(subject: Observation, baseline: Observation, again: Observation) -> Judgment:
    return judge(subject, baseline, again, confidence=0.95, duration_s=8.0)


def varying(fast: float, slow: float, *, every: int, cycle: int) -> Observation:
    """Starts of five turns of four queries; of ``every`` samples the first takes long."""
    latencies = np.array([slow if n % (cycle or 20) % every == 0 else fast for n in range(20)])
    plain = observation([[1.0]] * 8)
    launches = tuple(
        replace(each, turns=tuple(np.split(latencies.astype(np.int64), 5)))
        for each in plain.launches
    )
    return replace(plain, launches=launches, cycle=cycle)


class TestWorkThatVaries:
    def test_the_ratio_is_one_of_means_over_the_samples(self) -> None:
        # One sample of five takes 900 instead of 100: 260 on the average, where a median says 100.
        subject = varying(100, 900, every=5, cycle=5)
        ratios = np.exp(log_ratios(subject, varying(200, 200, every=5, cycle=0)))
        np.testing.assert_allclose(ratios, 260 / 200)
        back = np.exp(log_ratios(varying(200, 200, every=5, cycle=0), subject))
        np.testing.assert_allclose(back, 200 / 260)

    def test_a_burst_in_one_round_of_a_sample_moves_nothing(self) -> None:
        subject, baseline = (varying(100, 100, every=5, cycle=5) for _ in range(2))
        launches = tuple(replace(each, turns=burst(each.turns)) for each in subject.launches)
        ratios = np.exp(log_ratios(replace(subject, launches=launches), baseline))
        np.testing.assert_allclose(ratios, 1.0)

    def test_the_self_check_goes_by_means_too(self) -> None:
        # All medians are 100; the means over five samples are 260, 180 and 100.
        baseline, again, subject = (
            varying(100, slow, every=5, cycle=5) for slow in (900, 500, 100)
        )
        found = judged(subject, baseline, again)
        assert found.self_check.ratio is not None
        assert found.self_check.ratio.value == pytest.approx(180 / 260)
        assert not found.self_check.passed
        assert found.ratio is not None
        assert found.ratio.value == pytest.approx(100 / 260)


def burst(turns: tuple[NDArray[np.int64], ...]) -> tuple[NDArray[np.int64], ...]:
    first = turns[0].copy()
    first[1] *= 50
    return (first, *turns[1:])


def estimate(low: float, value: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, confidence=0.95, n=8, method="m", unit="ratio")


def test_a_slower_model_is_called_slower_with_its_interval() -> None:
    found = judged(noisy(105e3, seed=0), noisy(100e3, seed=1), noisy(100e3, seed=2))
    assert found.verdict == "slower"
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(1.05, abs=0.005)
    assert found.ratio.n == 8
    assert found.sentence.startswith("Slower by 5")
    assert found.self_check.passed
    assert found.outlying_starts == ()
    assert found.disturbed_turn_ratio == 0.0


def test_a_faster_model_is_called_faster() -> None:
    found = judged(noisy(50e3, seed=0), noisy(100e3, seed=1), noisy(100e3, seed=2))
    assert found.verdict == "faster"
    assert found.sentence.startswith("Faster by 100 %") or "99" in found.sentence


def test_no_difference_comes_with_the_budget_that_could_see_one() -> None:
    found = judged(noisy(100e3, seed=3), noisy(100e3, seed=4), noisy(100e3, seed=5))
    assert found.verdict == "no visible difference"
    assert found.visible_difference_ratio is not None
    assert 0.001 < found.visible_difference_ratio < 0.01
    need = found.needs[0]
    assert need.start_count is not None
    assert need.start_count > 8
    assert need.duration_s == pytest.approx(need.start_count * 1.0)
    assert "would take" in found.sentence


def test_a_machine_that_tells_equal_things_apart_raises_the_bar() -> None:
    baseline = noisy(100e3, seed=1)
    found = judged(noisy(102e3, seed=0), baseline, noisy(103e3, seed=2))
    assert not found.self_check.passed
    assert found.ratio is not None
    assert found.ratio.low > 1
    assert found.verdict == "no visible difference"
    far = judged(noisy(110e3, seed=0), baseline, noisy(103e3, seed=2))
    assert (far.verdict, far.self_check.passed) == ("slower", False)


@pytest.mark.parametrize("own", [estimate(1.02, 1.03, 1.04), estimate(0.9615, 0.97, 0.98)])
def test_the_bar_of_a_failed_self_check_holds_on_both_sides(own: Estimate) -> None:
    failed = SelfCheck(ratio=own, passed=False)
    assert verdict_of(estimate(0.97, 0.98, 0.99), failed) == "no visible difference"
    assert verdict_of(estimate(0.90, 0.91, 0.92), failed) == "faster"
    assert verdict_of(estimate(1.05, 1.06, 1.07), failed) == "slower"


def test_too_few_starts_are_undecided() -> None:
    few = [noisy(100e3, seed=seed, count=5) for seed in range(3)]
    found = judged(*few)
    assert (found.verdict, found.ratio, found.drift) == ("undecided", None, None)
    assert found.self_check == SelfCheck(ratio=None, passed=True)
    assert "only 5 starts" in found.sentence


def test_drift_of_the_machine_cancels_and_drift_of_the_ratio_is_told_apart() -> None:
    ramp = np.linspace(1.0, 1.4, 8)[:, None]
    wobble = np.exp(np.random.default_rng(0).normal(0, 1e-3, (8, 1)))
    base = observation((100e3 * ramp * np.ones((1, 6))).tolist())
    again = observation((100e3 * ramp * wobble * np.ones((1, 6))).tolist())
    found = judged(again, base, again).drift
    assert found is not None
    assert found.baseline_change_ratio == pytest.approx(0.4, abs=0.03)
    assert found.baseline_p_value < 0.001
    assert found.ratio_p_value > 0.05
    growing = observation((100e3 * ramp**2 * np.ones((1, 6))).tolist())
    moved = judged(growing, base, again).drift
    assert moved is not None
    assert moved.ratio_change_ratio == pytest.approx(0.4, abs=0.03)
    assert moved.ratio_p_value < 0.001


def test_a_start_that_stands_apart_and_disturbed_turns_are_told_and_kept() -> None:
    subject = [[100e3 + 50 * start] * 6 for start in range(8)]
    subject[4] = [150e3] * 6
    subject[0] = [100e3] * 5 + [400e3]
    quiet = observation([[100e3] * 6] * 8)
    found = judged(observation(subject), quiet, quiet)
    assert found.outlying_starts == (5,)
    assert found.disturbed_turn_ratio == pytest.approx(1 / 96)
    assert found.ratio is not None
    assert found.ratio.high > 1.0


def test_two_equal_things_without_noise_have_no_smaller_question() -> None:
    same = observation([[100e3] * 6] * 8)
    found = judged(same, same, same)
    assert found.verdict == "no visible difference"
    assert found.needs == ()
    assert found.sentence.endswith("and more.")


def test_a_budget_beyond_reason_is_not_offered() -> None:
    noise = [noisy(1e12, seed=seed, spread=5.5) for seed in (7, 8, 9)]
    found = judged(*noise)
    assert [each.start_count for each in found.needs] == [None, None]
    assert found.sentence.endswith("and more.")


@pytest.mark.parametrize(
    ("start_s", "said"), [(1.0, "100 s"), (60.0, "100 minutes"), (3600.0, "100 hours")]
)
def test_long_budgets_are_told_in_minutes_and_hours(start_s: float, said: str) -> None:
    from edgeworthy.documents.comparison import BudgetNeed  # noqa: PLC0415 - one test needs it

    need = BudgetNeed(difference_ratio=0.01, start_count=100, duration_s=100 * start_s)
    text = sentence_of("no visible difference", estimate(0.9, 1.0, 1.1), 0.05, [need])
    assert said in text
    assert math.isclose(need.difference_ratio, 0.01)


def test_shares_are_told_with_two_digits() -> None:
    assert [percent(each) for each in (0.0, 0.0444, 0.1, 2.0)] == ["0 %", "4.4 %", "10 %", "200 %"]
