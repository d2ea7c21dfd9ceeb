"""Throttles told from other work, by what the kernel says of the process's time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edgeworthy.documents.sustained import SustainedWindow
from edgeworthy.measurement.sustained_findings import findings_of
from edgeworthy.measurement.sustained_parts import parts_of
from edgeworthy.measurement.sustained_watch import ThrottleWatch

WINDOW_S = 0.5
CALM = [0.02] * 80


def windows_of(
    *,
    able: Sequence[float] = (1.0,) * 80,
    others: Sequence[float] = CALM,
    speed: Sequence[float] = (4000.0,) * 80,
    busy: Sequence[float] = (0.0,) * 80,
    noise: float = 0.02,
    seed: int = 0,
    paused: Sequence[float] = (),
    clocks: Sequence[float] = (),
) -> list[SustainedWindow]:
    """Windows of a process that is able to run for a share of the time and shares its core.

    Args:
        able: Share of the time in which it could run.
        others: Share of that in which others had its core.
        speed: Queries per second of processor time.
        busy: Cores that others keep busy.
        noise: Of the speed.
        seed: Of the noise.
        paused: Share of the time for which a quota paused it.
        clocks: MHz.
    """
    generator = np.random.default_rng(seed)
    made = []
    for index, (may, share, rate, cores) in enumerate(zip(able, others, speed, busy, strict=True)):
        cpu_s = WINDOW_S * may * (1 - share)
        count = max(1, round(cpu_s * rate * float(np.exp(noise * generator.standard_normal()))))
        made.append(
            SustainedWindow(
                start_s=index * WINDOW_S,
                duration_s=WINDOW_S,
                query_count=count,
                p50_ms=1.0,
                p90_ms=1.1,
                load_s=WINDOW_S,
                cpu_s=cpu_s,
                waited_s=WINDOW_S * may * share,
                paused_s=WINDOW_S * paused[index] if paused else None,
                others_cores=cores,
                frequency_mhz=clocks[index] if clocks else None,
            )
        )
    return made


def wild(seed: int) -> list[float]:
    """What others take of a core on a machine that many share."""
    generator = np.random.default_rng(seed)
    steps = np.repeat(generator.uniform(0.05, 0.75, 16), 5)
    shares: list[float] = np.clip(steps + generator.normal(0, 0.05, 80), 0.0, 0.9).tolist()
    return shares


def test_the_three_parts_are_the_throughput() -> None:
    windows = windows_of(others=wild(1), able=np.linspace(1.0, 0.5, 80).tolist())
    whole = np.prod([part.figures for part in parts_of(windows)], axis=0)
    assert whole == pytest.approx([each.throughput_per_s for each in windows])
    assert [part.kind for part in parts_of(windows)] == ["limited", "slower", "others"]


@pytest.mark.parametrize("depth", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(6))
def test_a_throttle_is_found_whatever_others_take(depth: float, seed: int) -> None:
    """Onset and depth within a tenth, the alarm within five seconds, under a load that swings."""
    windows = windows_of(
        able=[1.0] * 37 + [1.0 - depth] * 43,
        others=wild(seed),
        busy=[1.5] * 80,
        noise=0.1,
        seed=seed,
    )
    watch = ThrottleWatch()
    for window in windows:
        watch.see(window)
    found = findings_of(windows, alarms_s=watch.alarms_s).throttling
    assert found is not None
    assert found.kind == "limited"
    assert found.onset_s == pytest.approx(18.5, rel=0.1)
    assert found.depth_ratio == pytest.approx(depth, rel=0.1)
    assert found.noticed_s is not None
    assert found.noticed_s - 18.5 <= 5.0
    assert found.cause.endswith("something stopped it, not heat")


@pytest.mark.parametrize("seed", range(10))
def test_what_others_take_is_no_throttle(seed: int) -> None:
    windows = windows_of(others=wild(seed), busy=[1.5] * 80, noise=0.1, seed=seed)
    found = findings_of(windows).throttling
    assert found is None or (found.kind == "others" and found.taken_away)
    watch = ThrottleWatch()
    assert [watch.see(window) for window in windows] == [None] * 80


def test_others_that_come_are_told_as_others() -> None:
    windows = windows_of(others=[0.05] * 40 + [0.5] * 40, busy=[0.1] * 40 + [1.6] * 40)
    found = findings_of(windows).throttling
    assert found is not None
    assert (found.kind, found.taken_away, found.onset_s) == ("others", True, 20.0)
    assert found.depth_ratio == pytest.approx(1 - 0.5 / 0.95, rel=0.05)
    assert found.cause == ("other work came and kept 1.6 cores busy instead of 0.1")


def test_heat_on_a_quiet_machine_makes_queries_slower() -> None:
    windows = windows_of(
        speed=[4000.0] * 40 + [3000.0] * 40, clocks=[1800.0] * 40 + [1350.0] * 40, noise=0.0
    )
    found = findings_of(windows).throttling
    assert found is not None
    assert (found.kind, found.taken_away) == ("slower", False)
    assert found.onset_s == 20.0
    assert found.depth_ratio == pytest.approx(0.25, rel=0.1)
    assert found.cause == (
        "each query took 0.333 ms of processor time instead of 0.25; "
        "the clock fell from 1800 to 1350 MHz"
    )


def test_slower_queries_beside_other_work_are_put_down_to_it_unless_the_clock_fell() -> None:
    speed, busy = [4000.0] * 40 + [3000.0] * 40, [0.1] * 40 + [1.5] * 40
    beside = findings_of(windows_of(speed=speed, busy=busy)).throttling
    assert beside is not None
    assert (beside.kind, beside.taken_away) == ("others", True)
    hot = findings_of(
        windows_of(speed=speed, busy=busy, clocks=[1800.0] * 40 + [1400.0] * 40)
    ).throttling
    assert hot is not None
    assert (hot.kind, hot.taken_away) == ("slower", False)


def test_a_quota_is_named() -> None:
    windows = windows_of(able=[1.0] * 40 + [0.6] * 40, paused=[0.0] * 40 + [0.4] * 40)
    found = findings_of(windows).throttling
    assert found is not None
    assert found.kind == "limited"
    assert found.cause == (
        "a quota of its control group paused the process for 40 % of the time, not heat"
    )


def test_waiting_for_a_core_after_each_pause_is_a_part_of_the_depth() -> None:
    """Recorded on a shared machine: a quota of 80 % made a process wait that had not waited."""
    able = [1.0] * 40 + [0.85] * 40
    found = findings_of(windows_of(able=able, others=[0.01] * 40 + [0.05] * 40)).throttling
    assert found is not None
    assert found.kind == "limited"
    assert found.depth_ratio == pytest.approx(1 - 0.85 * 0.95 / 0.99, rel=0.01)


def test_others_that_come_after_a_limit_do_not_deepen_it() -> None:
    others = [0.02] * 50 + [0.4] * 30
    found = findings_of(
        windows_of(able=[1.0] * 40 + [0.7] * 40, others=others, busy=[0.1] * 50 + [1.5] * 30)
    ).throttling
    assert found is not None
    assert (found.kind, found.onset_s) == ("limited", 20.0)
    assert found.depth_ratio == pytest.approx(0.3, rel=0.05)


def test_time_between_two_requests_is_time_that_a_limit_does_not_take() -> None:
    """A process that rests for a tenth of the time anyway loses less than its quota says."""
    windows = [
        msgspec.structs.replace(each, load_s=0.9 * WINDOW_S, cpu_s=cpu_s, waited_s=0.0)
        for each, cpu_s in zip(windows_of(), [0.45] * 40 + [0.4] * 40, strict=True)
    ]
    found = findings_of(windows).throttling
    assert found is not None
    assert found.depth_ratio == pytest.approx(1 - 0.4 / 0.45, rel=0.01)


def test_a_speed_that_always_goes_up_and_down_seldom_makes_a_throttle() -> None:
    """Ups and downs of 10 % that last three windows each: as bad as a series can be."""
    found = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        wandering = (4000 * np.exp(np.repeat(generator.normal(0, 0.1, 27), 3)[:80])).tolist()
        found += findings_of(windows_of(speed=wandering, seed=seed)).throttling is not None
    assert found <= 10


def test_counts_that_are_missing_in_one_window_leave_the_throughput_alone() -> None:
    windows = windows_of()
    first = SustainedWindow(
        start_s=0.0, duration_s=WINDOW_S, query_count=2000, p50_ms=1.0, p90_ms=1.1
    )
    (part,) = parts_of([first, *windows[1:]])
    assert part.kind == "unknown"
