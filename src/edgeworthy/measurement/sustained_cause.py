"""What a fall of the throughput came from, in words.

Rules:

1. A fall is put down to less processor time when that explains more than half of it, in
   logarithms; else each query became slower, as under heat.
2. Clock and temperature are told where there are sensors; what nothing tells is left open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from edgeworthy.documents.sustained import FallKind, SustainedWindow

_CLOCK_FELL = 0.03
_PERCENT = 100
_LITTLE = 0.005
_MORE_CORES = 0.25

Windows = Sequence[SustainedWindow]


def cause_of(kind: FallKind, before: Windows, during: Windows) -> str:
    """What clock, temperature and the share of the processor did; empty when nothing tells.

    Args:
        kind: What fell.
        before: Windows of the level before.
        during: Windows from the onset to the end.
    """
    said = list(_time_said(kind, before, during))
    clocks = [_mean([each.frequency_mhz for each in part]) for part in (before, during)]
    heats = [_mean([each.temperature_c for each in part]) for part in (before, during)]
    if clocks[0] and clocks[1]:
        fell = clocks[1] < clocks[0] * (1 - _CLOCK_FELL)
        course = f"fell from {clocks[0]:.0f} to" if fell else "stayed at"
        said.append(f"the clock {course} {clocks[1]:.0f} MHz")
    if heats[0] is not None and heats[1] is not None:
        said.append(f"the temperature went from {heats[0]:.0f} to {heats[1]:.0f} C")
    return "; ".join(said)


def is_taken_away(before: Windows, during: Windows) -> bool:
    """Whether most of the loss is processor time that the process did not get."""
    cores = [_mean([each.cpu_cores for each in part]) for part in (before, during)]
    if not cores[0] or not cores[1]:
        return False
    lost = -math.log(_rate(during) / _rate(before))
    return -math.log(cores[1] / cores[0]) > lost / 2


def _time_said(kind: FallKind, before: Windows, during: Windows) -> Iterator[str]:
    if kind == "limited":
        paused = [_share(part, lambda each: each.paused_s) for part in (before, during)]
        able = [_share(part, _able_s) for part in (before, during)]
        if paused[1] > paused[0] + _LITTLE:
            yield (
                "a quota of its control group paused the process for "
                f"{_PERCENT * paused[1]:.0f} % of the time, not heat"
            )
        else:
            yield (
                f"the process was able to run in {_PERCENT * min(able[1], 1.0):.0f} % of the time "
                f"instead of {_PERCENT * min(able[0], 1.0):.0f} %: something stopped it, not heat"
            )
    elif kind == "slower":
        spent = [_cpu_ms(part) for part in (before, during)]
        yield (f"each query took {spent[1]:.3g} ms of processor time instead of {spent[0]:.3g}")
    elif kind == "others":
        yield from _others_said(before, during)
    else:
        yield from _cores_said(before, during)


def _others_said(before: Windows, during: Windows) -> Iterator[str]:
    cores = [_mean([each.others_cores for each in part]) or 0.0 for part in (before, during)]
    if cores[1] > cores[0] + _MORE_CORES:
        yield (f"other work came and kept {cores[1]:.1f} cores busy instead of {cores[0]:.1f}")
    else:
        yield f"other work took time or caches; it kept {cores[1]:.1f} cores busy"


def _cores_said(before: Windows, during: Windows) -> Iterator[str]:
    cores = [_mean([each.cpu_cores for each in part]) for part in (before, during)]
    if not cores[0] or not cores[1]:
        return
    if is_taken_away(before, during):
        yield (
            f"the process got {cores[1]:.2f} cores instead of {cores[0]:.2f}: other work or a "
            "limit took the time, not heat"
        )
    else:
        yield "the process got as much processor time as before, so each query was slower"


def _able_s(window: SustainedWindow) -> float | None:
    if window.cpu_s is None or window.waited_s is None:
        return None
    return window.cpu_s + window.waited_s


def _share(windows: Windows, part_s: Callable[[SustainedWindow], float | None]) -> float:
    """A part of the time under load, as a share."""
    whole_s = sum(each.load_s or 0.0 for each in windows)
    return sum(part_s(each) or 0.0 for each in windows) / whole_s if whole_s else 0.0


def _cpu_ms(windows: Windows) -> float:
    queries = sum(each.query_count for each in windows)
    return 1000 * sum(each.cpu_s or 0.0 for each in windows) / queries


def _rate(windows: Windows) -> float:
    return sum(each.query_count for each in windows) / sum(each.duration_s for each in windows)


def _mean(figures: Sequence[float | None]) -> float | None:
    known = [each for each in figures if each is not None]
    return sum(known) / len(known) if known else None
