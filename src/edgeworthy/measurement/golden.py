"""Are timed answers the right ones?

Rules:

1. Answers of timed queries at random positions are held against the golden answer of their sample;
   nobody can know in advance which ones. Source: MLPerf's audit TEST01.
2. A value is right within ``tolerance`` times the largest golden value of that output; whatever is
   not a number is wrong, and so is an output that is missing or has another shape.
3. One wrong answer makes the whole measurement void.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import MeasurementError

#: Outputs of one sample, by name.
Outputs = Mapping[str, NDArray[Any]]
_CHECKED_PER_RUN = 4


@dataclass(frozen=True)
class Checked:
    """What checking found.

    Attributes:
        checked_count: Answers that were checked.
        wrong_count: Those that were wrong.
        largest_miss: Largest difference over the largest golden value of that output.
    """

    checked_count: int = 0
    wrong_count: int = 0
    largest_miss: float = 0.0

    def joined(self, other: Checked) -> Checked:
        """Both together."""
        return Checked(
            self.checked_count + other.checked_count,
            self.wrong_count + other.wrong_count,
            max(self.largest_miss, other.largest_miss),
        )


NOTHING_CHECKED = Checked()


def positions_to_check(count: int, *, seed: int) -> frozenset[int]:
    """Queries of a run, from 0, whose answers are checked."""
    generator = np.random.default_rng(seed)
    drawn = generator.choice(count, size=min(count, _CHECKED_PER_RUN), replace=False)
    return frozenset(drawn.tolist())


def check(kept: Mapping[int, Outputs], golden: Sequence[Outputs], tolerance: float) -> Checked:
    """Hold kept answers against the golden ones.

    Args:
        kept: Answers by the position of their first sample in the cycle of samples; an answer to
            a batch holds one row per sample.
        golden: Answers to single samples, in their order.
        tolerance: Share of the largest golden value of an output.

    >>> check({3: {"y": np.array([[1.0]])}}, [{"y": np.array([[1.0]])}], 0.0)
    Checked(checked_count=1, wrong_count=0, largest_miss=0.0)
    """
    found = NOTHING_CHECKED
    for position, outputs in kept.items():
        for name in golden[0]:
            rows = max(len(outputs[name]) if name in outputs else 1, 1)
            own = [golden[(position + row) % len(golden)][name] for row in range(rows)]
            miss = _miss(outputs.get(name), np.concatenate(own))
            wrong = int(miss > tolerance)
            found = found.joined(Checked(0, wrong, miss))
        found = found.joined(Checked(checked_count=1))
    return found


def refuse_wrong(found: Checked, *, where: str, tolerance: float) -> None:
    """Refuse a measurement whose answers were wrong.

    Raises:
        MeasurementError: At least one was.
    """
    if found.wrong_count:
        raise MeasurementError(
            "gave wrong answers while it was timed, and a fast wrong answer is no result",
            where=where,
            expected=f"the golden outputs within {tolerance:g} of the largest value",
            found=f"{found.wrong_count} wrong outputs in {found.checked_count} checked answers, "
            f"off by up to {found.largest_miss:.3g} of the largest value",
            next_step="Check that the golden outputs belong to these samples and to this model, "
            "or allow more with --tolerance",
        )


def _miss(outputs: NDArray[Any] | None, expected: NDArray[Any]) -> float:
    if outputs is None or outputs.shape != expected.shape:
        return float(np.finfo(float).max)
    own, right = outputs.astype(np.float64), expected.astype(np.float64)
    scale = max(float(np.max(np.abs(right), initial=0.0)), np.finfo(float).tiny)
    difference = np.nan_to_num(np.abs(own - right), nan=np.inf)
    largest = float(np.max(difference, initial=0.0)) / scale if difference.size else 0.0
    return min(largest, float(np.finfo(float).max))
