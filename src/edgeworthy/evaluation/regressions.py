"""What one classifier gets wrong that another got right: in all, per slice, per pair of classes.

Rules:

1. A negative flip was right and is wrong; a positive flip was wrong and is right; a change is
   any other class. Equal accuracy says nothing about either.
2. Tests are McNemar's exact one, and Fisher's for whether a slice loses more than the rest. Those
   of slices are corrected for the number of slices (Holm).
3. Upper limits of the slices' negative flips hold all together with 95 % confidence: a slice in
   which nothing was seen still has a limit, and a small slice has a high one.
4. What is shown first is what lost most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.evaluation import FlippedPair, FlippedSample, Flips, SliceFlips
from edgeworthy.evaluation.parts import Part
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.fisher import fisher_upper_p_value
from edgeworthy.statistics.mcnemar import exact_p_value
from edgeworthy.statistics.multiplicity import holm
from edgeworthy.statistics.proportions import clopper_pearson

_MOST_SAMPLES = 24
_MOST_PAIRS = 24
_MISS_RATIO = 0.05


def flips_between(subject: Decisions, original: Decisions, slices: Sequence[Part] = ()) -> Flips:
    """Everything that changed.

    Args:
        subject: The new decisions.
        original: The old ones, on the same samples.
        slices: Groups to count in.

    Source: Yan et al., CVPR 2021 (arXiv 2011.09161), for negative flips; McNemar 1947.
    """
    negative, positive, changed = _counts(subject, original)
    return Flips(
        negative_count=negative,
        positive_count=positive,
        changed_count=changed,
        mcnemar_p_value=exact_p_value(negative, positive),
        samples=_worst(subject, original),
        pairs=_pairs(subject, original),
        slices=_slices(subject, original, slices),
    )


def _counts(subject: Decisions, original: Decisions) -> tuple[int, int, int]:
    negative = np.count_nonzero(original.right & ~subject.right)
    positive = np.count_nonzero(~original.right & subject.right)
    changed = np.count_nonzero(original.predicted != subject.predicted)
    return int(negative), int(positive), int(changed)


def _slices(
    subject: Decisions, original: Decisions, slices: Sequence[Part]
) -> tuple[SliceFlips, ...]:
    counts = [_counts(subject.take(part.indices), original.take(part.indices)) for part in slices]
    p_values = [exact_p_value(negative, positive) for negative, positive, _ in counts]
    total, everything = _counts(subject, original)[0], len(subject)
    excess = [
        fisher_upper_p_value(negative, len(part.indices), total, everything)
        for part, (negative, _, _) in zip(slices, counts, strict=True)
    ]
    # Both tails of an interval may miss: the upper one alone may use up the whole of its share.
    level = 1.0 - 2.0 * _MISS_RATIO / max(len(slices), 2)
    made = [
        SliceFlips(
            slice=part.name,
            sample_count=len(part.indices),
            negative_count=negative,
            positive_count=positive,
            changed_count=changed,
            mcnemar_p_value=p_value,
            adjusted_p_value=adjusted,
            negative_flip_limit=clopper_pearson(negative, len(part.indices), confidence=level).high,
            excess_p_value=more,
        )
        for part, (negative, positive, changed), p_value, adjusted, more in zip(
            slices, counts, p_values, holm(p_values), holm(excess), strict=True
        )
    ]
    return tuple(sorted(made, key=_gravity))


def _gravity(flips: SliceFlips) -> tuple[bool, float, int, str]:
    """Losses before gains, the surest first."""
    lost = flips.negative_count - flips.positive_count
    return lost <= 0, flips.mcnemar_p_value, -lost, flips.slice


def _pairs(subject: Decisions, original: Decisions) -> tuple[FlippedPair, ...]:
    moved = np.flatnonzero(original.predicted != subject.predicted)
    cells, group = np.unique(
        np.stack([original.predicted[moved], subject.predicted[moved]]), axis=1, return_inverse=True
    )
    group = group.reshape(-1)

    def counts(kept: NDArray[np.bool_]) -> list[int]:
        counted: list[int] = np.bincount(group[kept[moved]], minlength=cells.shape[1]).tolist()
        return counted

    everything = counts(np.ones(len(subject), dtype=np.bool_))
    negative, positive = counts(original.right), counts(subject.right)
    made = [
        FlippedPair(
            before=int(cells[0, at]),
            after=int(cells[1, at]),
            changed_count=everything[at],
            negative_count=negative[at],
            positive_count=positive[at],
        )
        for at in range(cells.shape[1])
    ]
    made.sort(key=lambda each: (-each.negative_count, -each.changed_count))
    return tuple(made[:_MOST_PAIRS])


def _worst(subject: Decisions, original: Decisions) -> tuple[FlippedSample, ...]:
    """New mistakes: right before first, then wrong in another way; most confident first."""
    flipped = np.flatnonzero((original.predicted != subject.predicted) & ~subject.right)
    order = np.lexsort((-subject.confidence[flipped], ~original.right[flipped]))
    return tuple(
        FlippedSample(
            index=int(index),
            label=int(subject.labels[index]),
            before=int(original.predicted[index]),
            after=int(subject.predicted[index]),
            confidence_before=float(original.confidence[index]),
            confidence_after=float(subject.confidence[index]),
        )
        for index in flipped[order][:_MOST_SAMPLES]
    )
