"""The parts that a window's throughput is a product of, and which of them fell.

Rules:

1. Throughput is queries per second of processor time, times the share of the time in which the
   process was able to run, times the share of that in which it had a core. A slower clock takes
   from the first, a quota or a signal from the second, other processes from the third.
2. The three are looked at one by one: a core that others keep busy makes no throttle and hides
   none.
3. Queries per second of processor time also fall when others thrash the caches. On a machine where
   that goes up and down, only a fall that is larger than those ups and downs is called one; and
   beside work of others it is put down to them, unless the clock explains most of it.
4. A limit also costs the wait for a core each time that it lets go. Where the process hardly
   waited before, what it waits in the seconds after the onset and did not in those before it is a
   part of the depth; waiting that begins later is put down to others.
5. Where the kernel does not tell, the throughput itself is the one part.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.sustained import FallKind, SustainedWindow
from edgeworthy.measurement.sustained_levels import SHORTEST_LEVEL, Level, find_levels

#: A smaller loss is not called a fall.
LEAST_DEPTH = 0.05
_NOISE_FACTOR = 3.0
_FEWEST_BLOCKS = 6
_MAD_TO_SIGMA = 1.4826
#: Others that keep so many cores busy may slow a query down by what they do to the caches.
_BUSY_CORES = 0.25
_TINY = 1e-9
#: A process that had a core for this share of the time in which it was able to run hardly waited.
_HARDLY_WAITED = 0.9
_WAITING_WINDOWS = 6
#: Whether a process may run is counted by the kernel; its speed moves for many reasons.
_SURENESS: tuple[FallKind, ...] = ("limited", "slower", "unknown", "others")


@dataclass(frozen=True)
class Part:
    """One factor of the throughput.

    Attributes:
        kind: What a fall of it means.
        figures: ``(n,)``, one per window, above 0.
    """

    kind: FallKind
    figures: NDArray[np.float64]


@dataclass(frozen=True)
class Fall:
    """A lasting fall of a part.

    Attributes:
        kind: What it means.
        before: Index of the first window of the level before it.
        first: Index of its first window.
        end: Index of the window in which the level is back, or the number of windows.
        depth_ratio: Share of the part that was lost.
    """

    kind: FallKind
    before: int
    first: int
    end: int
    depth_ratio: float


def parts_of(windows: Sequence[SustainedWindow]) -> tuple[Part, ...]:
    """The parts, those that speak of the machine itself first."""
    counts = np.array([each.query_count for each in windows], dtype=np.float64)
    known = [
        (each.load_s, each.cpu_s, each.waited_s)
        for each in windows
        if each.load_s and each.cpu_s and each.waited_s is not None
    ]
    if len(known) < len(windows):
        rates = np.array([each.throughput_per_s for each in windows])
        return (Part("unknown", rates),)
    load_s, cpu_s, waited_s = np.array(known, dtype=np.float64).T
    able_s = cpu_s + waited_s
    return (
        Part("limited", np.maximum(able_s / load_s, _TINY)),
        Part("slower", counts / cpu_s),
        Part("others", cpu_s / able_s),
    )


def first_fall(windows: Sequence[SustainedWindow]) -> Fall | None:
    """The fall to tell of: the surest kind that there is, and the first of its kind."""
    found = [fall for part in parts_of(windows) if (fall := _fall_of(part)) is not None]
    falls = [_with_its_waiting(_put_down(fall, windows), windows) for fall in found]
    return min(falls, key=lambda fall: (_SURENESS.index(fall.kind), fall.first), default=None)


def is_beside_others(window: SustainedWindow) -> bool:
    """Whether others kept so many cores busy that they may have slowed its queries down."""
    return (window.others_cores or 0.0) >= _BUSY_CORES


def _fall_of(part: Part) -> Fall | None:
    least = LEAST_DEPTH if part.kind != "slower" else max(LEAST_DEPTH, _ups_and_downs(part.figures))
    levels = find_levels(part.figures, least_change=least)
    for before, level in itertools.pairwise(levels):
        if level.height < before.height * (1 - least):
            return _described(part, levels, before, level)
    return None


def _described(part: Part, levels: Sequence[Level], before: Level, fallen: Level) -> Fall:
    back = [
        level
        for level in levels
        if level.first >= fallen.first and level.height > before.height * (1 - LEAST_DEPTH)
    ]
    end = back[0].first if back else len(part.figures)
    inner = _inner(fallen.first, end)
    lost = 1 - float(part.figures[inner].mean() / part.figures[before.first : before.end].mean())
    return Fall(part.kind, before.first, fallen.first, end, lost)


def _put_down(fall: Fall, windows: Sequence[SustainedWindow]) -> Fall:
    """A slowdown beside work of others is theirs, unless the clock explains most of it."""
    if fall.kind != "slower":
        return fall
    before, during = windows[fall.before : fall.first], windows[fall.first : fall.end]
    others = [_mean([each.others_cores for each in part]) for part in (before, during)]
    clocks = [_mean([each.frequency_mhz for each in part]) for part in (before, during)]
    if max(others) < _BUSY_CORES:
        return fall
    if clocks[0] and math.log(clocks[0] / clocks[1]) > -math.log1p(-fall.depth_ratio) / 2:
        return fall
    return replace(fall, kind="others")


def _with_its_waiting(fall: Fall, windows: Sequence[SustainedWindow]) -> Fall:
    """What a limit took of the whole time, the wait for a core after each pause with it."""
    if fall.kind != "limited":
        return fall
    before, during = slice(fall.before, fall.first), _inner(fall.first, fall.end)
    counts = [(each.cpu_s or 0.0, each.waited_s or 0.0, each.duration_s) for each in windows]
    cpu_s, waited_s, duration_s = np.array(counts, dtype=np.float64).T
    able = (cpu_s + waited_s) / duration_s
    left = float(able[during].mean() / able[before].mean())
    had_core = cpu_s / (cpu_s + waited_s)
    usual, just_before = (
        np.median(had_core[: fall.first]),
        had_core[before][-_WAITING_WINDOWS:].mean(),
    )
    if min(usual, just_before) >= _HARDLY_WAITED:
        just_after = had_core[during][:_WAITING_WINDOWS].mean()
        left *= min(float(just_after / just_before), 1.0)
    return replace(fall, depth_ratio=1 - left)


def _inner(first: int, end: int) -> slice:
    """Windows of a level without that of its onset, which is half one and half the other."""
    return slice(first + 1, end) if end - first > SHORTEST_LEVEL else slice(first, end)


def _mean(figures: Sequence[float | None]) -> float:
    known = [each for each in figures if each is not None]
    return sum(known) / len(known) if known else 0.0


def _ups_and_downs(figures: NDArray[np.float64]) -> float:
    """How large a change from stretch to stretch is usual, as a share."""
    logs = np.log(figures)
    count = len(logs) // SHORTEST_LEVEL
    if count < _FEWEST_BLOCKS:
        return 0.0
    blocks = np.median(logs[: count * SHORTEST_LEVEL].reshape(count, SHORTEST_LEVEL), axis=1)
    steps = np.diff(blocks)
    usual = _MAD_TO_SIGMA * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2)
    return float(1 - np.exp(-_NOISE_FACTOR * usual))
