from __future__ import annotations

import numpy as np
import pytest

from edgeworthy.documents.sustained import SustainedWindow
from edgeworthy.measurement.sustained_findings import findings_of
from edgeworthy.measurement.sustained_watch import ThrottleWatch

WINDOW_S = 0.5


def windows_of(
    rates: list[float],
    *,
    noise: float = 0.03,
    seed: int = 0,
    clocks: list[float] | None = None,
    heats: list[float] | None = None,
    cores: list[float] | None = None,
) -> list[SustainedWindow]:
    """A window per rate, whose throughput is noisy."""
    generator = np.random.default_rng(seed)
    return [
        SustainedWindow(
            start_s=index * WINDOW_S,
            duration_s=WINDOW_S,
            query_count=round(rate * WINDOW_S * float(np.exp(noise * generator.standard_normal()))),
            p50_ms=1000 / rate,
            p90_ms=1100 / rate,
            frequency_mhz=clocks[index] if clocks else None,
            temperature_c=heats[index] if heats else None,
            cpu_cores=cores[index] if cores else None,
        )
        for index, rate in enumerate(rates)
    ]


def watched(windows: list[SustainedWindow]) -> list[float]:
    watch = ThrottleWatch()
    for window in windows:
        watch.see(window)
    return watch.alarms_s


@pytest.mark.parametrize("depth", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_a_planted_throttle_is_found_with_its_onset_and_depth(depth: float, seed: int) -> None:
    windows = windows_of([4000.0] * 60 + [4000.0 * (1 - depth)] * 60, seed=seed)
    alarms = watched(windows)
    found = findings_of(windows, alarms_s=alarms).throttling
    assert found is not None
    assert found.onset_s == pytest.approx(30.0, rel=0.1)
    assert found.depth_ratio == pytest.approx(depth, rel=0.1)
    assert found.noticed_s is not None
    assert found.noticed_s - 30.0 <= 5.0
    assert found.end_s is None
    assert found.cause == ""


def test_nothing_is_found_in_a_noisy_run_without_throttling() -> None:
    for seed in range(30):
        windows = windows_of([4000.0] * 240, noise=0.05, seed=seed)
        found = findings_of(windows, alarms_s=watched(windows))
        assert found.throttling is None
        assert found.retention is not None
        assert found.retention.value == pytest.approx(1.0, abs=0.05)


def test_a_throttle_that_ends_has_an_end() -> None:
    windows = windows_of([4000.0] * 40 + [2000.0] * 40 + [4000.0] * 40)
    found = findings_of(windows).throttling
    assert found is not None
    assert (found.onset_s, found.end_s) == (20.0, 40.0)
    assert found.depth_ratio == pytest.approx(0.5, abs=0.02)
    assert found.noticed_s is None


def test_a_machine_that_warms_up_to_a_faster_level_is_not_throttled() -> None:
    assert findings_of(windows_of([2000.0] * 40 + [4000.0] * 40)).throttling is None


def test_the_cause_is_told_by_clock_and_temperature() -> None:
    rates = [4000.0] * 40 + [2600.0] * 40
    hot = findings_of(
        windows_of(rates, clocks=[1800.0] * 40 + [1200.0] * 40, heats=[60.0] * 40 + [82.0] * 40)
    ).throttling
    assert hot is not None
    assert hot.cause == (
        "the clock fell from 1800 to 1200 MHz; the temperature went from 60 to 82 C"
    )
    limited = findings_of(windows_of(rates, clocks=[1800.0] * 80)).throttling
    assert limited is not None
    assert limited.cause == "the clock stayed at 1800 MHz"
    assert not limited.taken_away


def test_time_that_others_took_is_told_from_slower_queries() -> None:
    rates = [4000.0] * 40 + [2600.0] * 40
    taken = findings_of(windows_of(rates, cores=[0.99] * 40 + [0.64] * 40)).throttling
    assert taken is not None
    assert taken.taken_away
    assert taken.cause == (
        "the process got 0.64 cores instead of 0.99: other work or a limit took the time, not heat"
    )
    slower = findings_of(windows_of(rates, cores=[0.99] * 80)).throttling
    assert slower is not None
    assert not slower.taken_away
    assert slower.cause == (
        "the process got as much processor time as before, so each query was slower"
    )


def test_retention_is_the_last_part_against_the_first() -> None:
    windows = windows_of([4000.0] * 120 + [3000.0] * 120)
    found = findings_of(windows)
    assert found.retention is not None
    assert found.retention.value == pytest.approx(0.75, abs=0.02)
    assert found.retention.low < 0.75 < found.retention.high
    assert found.steady is not None
    assert found.steady.from_s == pytest.approx(60.0, abs=2.0)
    assert found.steady.throughput_per_s == pytest.approx(3000.0, rel=0.02)


def test_few_windows_are_a_refusal() -> None:
    found = findings_of(windows_of([4000.0] * 8))
    assert found.retention is None
    assert found.retention_refusal == "retention needs 28 windows, found 8"
    assert findings_of([]).retention_refusal == "retention needs 28 windows, found 0"


def test_one_window_that_stood_still_gives_no_alarm() -> None:
    assert watched(windows_of([4000.0] * 30 + [100.0] + [4000.0] * 30)) == []


def test_the_watch_says_while_the_throughput_is_down() -> None:
    watch = ThrottleWatch()
    rates = [4000.0] * 20 + [2000.0] * 20 + [4000.0] * 10 + [1500.0] * 20
    said = [watch.see(window) for window in windows_of(rates)]
    assert said[19] is None
    assert said[39] is not None
    assert said[49] is None
    assert said[69] is not None
    assert len(watch.alarms_s) == 2
