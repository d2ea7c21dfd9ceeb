"""The search: which groups of samples, or pairs of groups, lose more than the rest.

Rules:

1. A slice is one group of a column, or the samples in which groups of two or three columns meet.
   It has at least 30 samples, and so has the rest.
2. What is found loses more than **the rest**: a loss that all samples share makes no slice.
3. The chance to find anything where there is nothing is at most the level, over everything that
   was looked at together: the losses are dealt out to the samples anew, many times, and a slice
   must stand out more than the best of all slices does in all but that share of the deals. This is
   exact whatever the overlap of the slices (Westfall and Young).
4. After a find, its samples are put aside and the search goes on in the rest. What is found then is
   told only if it also loses more than all other samples together, those put aside included: what
   is worse than the best alone is no weak slice.
5. Of two descriptions, the more general one is taken when what it adds loses more as well.

Source: Westfall and Young, *Resampling-Based Multiple Testing*, 1993; the scale of the statistic
follows Bernstein's inequality, so that small slices of rare losses do not crowd out large ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation.groups import LEAST_SLICE_SAMPLES
from edgeworthy.evaluation.slices.columns import Column

_BLOCK_VALUES = 4_000_000
_ADDS_BEYOND = 1.645  # one-sided 5 %: only chooses among descriptions of what was found


@dataclass(frozen=True)
class SearchPlan:
    """How far the search goes.

    Attributes:
        depth: Most columns that meet in a slice.
        deals: How often the losses are dealt out anew.
        level: Chance of a find where there is nothing.
        most: Slices after which it stops.
        seed: Of the deals.
    """

    depth: int = 2
    deals: int = 999
    level: float = 0.025
    most: int = 8
    seed: int = 0


@dataclass(frozen=True, eq=False)
class FoundGroup:
    """A slice that loses more than the rest.

    Attributes:
        literals: ``column=group``, one per column that meets.
        indices: ``(n,)``: its samples, all of them.
        p_value: Corrected for everything that was looked at.
        looked_at: Slices that were looked at.
    """

    literals: tuple[str, ...]
    indices: NDArray[np.int64]
    p_value: float
    looked_at: int


@dataclass(frozen=True, eq=False)
class _Meeting:
    """Columns that meet: the cell of each sample."""

    columns: tuple[Column, ...]
    cells: NDArray[np.int64]
    count: int

    def literals(self, cell: int) -> tuple[str, ...]:
        """What a cell is called."""
        parts = []
        for column in reversed(self.columns):
            cell, code = divmod(cell, len(column.names))
            parts.append(column.literal(code))
        return tuple(reversed(parts))


def search(
    losses: NDArray[np.float64], columns: Sequence[Column], plan: SearchPlan
) -> tuple[FoundGroup, ...]:
    """Slices that lose more than the rest, the worst first.

    Args:
        losses: ``(n,)``: any number that is larger where it is worse.
        columns: Where to look.
        plan: How far.
    """
    meetings = tuple(_meetings(columns, plan.depth))
    kept = np.arange(len(losses))
    found: list[FoundGroup] = []
    for turn in range(plan.most):
        best = _best(losses[kept], [_part(each, kept) for each in meetings], plan, turn)
        if best is None:
            break
        at, cell, p_value, looked_at = best
        meeting, cell = _generalized(losses, kept, meetings, meetings[at], cell)
        inside = meeting.cells == cell
        if losses[inside].mean() > losses[~inside].mean():
            members = np.flatnonzero(inside)
            found.append(FoundGroup(meeting.literals(cell), members, p_value, looked_at))
        kept = kept[meeting.cells[kept] != cell]
    return tuple(found)


def candidates_of(columns: Sequence[Column], depth: int) -> int:
    """Cells that a search would look at, empty ones included."""
    return sum(each.count for each in _meetings(columns, depth))


def _meetings(columns: Sequence[Column], depth: int) -> Iterator[_Meeting]:
    for size in range(1, depth + 1):
        for chosen in itertools.combinations(columns, size):
            cells = np.zeros(len(chosen[0].codes), dtype=np.int64)
            for column in chosen:
                cells = cells * len(column.names) + column.codes
            yield _Meeting(chosen, cells, math.prod(len(column.names) for column in chosen))


def _part(meeting: _Meeting, kept: NDArray[np.int64]) -> _Meeting:
    return _Meeting(meeting.columns, meeting.cells[kept], meeting.count)


class _Scale:
    """Sums per cell as a statistic: how far above its share, on the scale of chance."""

    def __init__(self, losses: NDArray[np.float64], meeting: _Meeting) -> None:
        n = len(losses)
        sizes = np.bincount(meeting.cells, minlength=meeting.count)
        self.large = np.flatnonzero(
            (sizes >= LEAST_SLICE_SAMPLES) & (n - sizes >= LEAST_SLICE_SAMPLES)
        )
        self._cells = meeting.cells
        self._count = meeting.count
        self._sizes = sizes[self.large].astype(np.float64)
        spread = float(losses.var())
        self._mean = float(losses.mean())
        self._variance = self._sizes * (n - self._sizes) / max(1, n - 1) * spread
        self._reach = max(float(losses.max()) - self._mean, 0.0) / 3.0

    def of(self, dealt: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(r, n)`` losses -> ``(r, cells)``."""
        rows = np.arange(len(dealt))[:, None] * self._count
        sums = np.bincount(
            (self._cells[None, :] + rows).ravel(),
            dealt.ravel(),
            minlength=len(dealt) * self._count,
        ).reshape(len(dealt), self._count)[:, self.large]
        above = np.maximum(sums - self._sizes * self._mean, 0.0)
        return np.asarray(above / np.sqrt(self._variance + above * self._reach))


def _best(
    losses: NDArray[np.float64], meetings: Sequence[_Meeting], plan: SearchPlan, turn: int
) -> tuple[int, int, float, int] | None:
    """Meeting, cell and corrected p-value of the slice that stands out most, if it does enough."""
    if len(losses) < 2 * LEAST_SLICE_SAMPLES or np.ptp(losses) == 0:
        return None
    scales = [_Scale(losses, meeting) for meeting in meetings]
    looked_at = sum(len(each.large) for each in scales)
    if not looked_at:
        return None
    observed = [each.of(losses[None, :])[0] for each in scales]
    heights = [float(each.max(initial=0.0)) for each in observed]
    at = int(np.argmax(heights))
    higher = 0
    allowed = plan.level * (plan.deals + 1) - 1
    generator = np.random.default_rng((plan.seed, turn))
    rows = max(1, _BLOCK_VALUES // len(losses))
    for first in range(0, plan.deals, rows):
        dealt = np.tile(losses, (min(rows, plan.deals - first), 1))
        dealt = generator.permuted(dealt, axis=1)
        highest = np.max([each.of(dealt).max(axis=1, initial=0.0) for each in scales], axis=0)
        higher += int(np.count_nonzero(highest >= heights[at] - 1e-12))
        if higher > allowed:
            return None
    cell = int(scales[at].large[int(np.argmax(observed[at]))])
    return at, cell, (higher + 1) / (plan.deals + 1), looked_at


def _generalized(
    losses: NDArray[np.float64],
    kept: NDArray[np.int64],
    meetings: Sequence[_Meeting],
    meeting: _Meeting,
    cell: int,
) -> tuple[_Meeting, int]:
    """The same slice with a column less, while what that adds loses more too (rule 5)."""
    inside = meeting.cells == cell
    sample = int(np.argmax(inside))
    for other in meetings:
        if len(other.columns) != len(meeting.columns) - 1:
            continue
        if not all(column in meeting.columns for column in other.columns):
            continue
        wider = other.cells == other.cells[sample]
        rest = losses[kept][~wider[kept]]
        added = losses[kept][(wider & ~inside)[kept]]
        if len(added) >= LEAST_SLICE_SAMPLES and _stands_out(added, rest):
            return _generalized(losses, kept, meetings, other, int(other.cells[sample]))
    return meeting, cell


def _stands_out(added: NDArray[np.float64], rest: NDArray[np.float64]) -> bool:
    if not len(rest):
        return True
    deviation = math.sqrt(added.var() / len(added) + rest.var() / len(rest))
    return bool(added.mean() - rest.mean() > _ADDS_BEYOND * deviation)
