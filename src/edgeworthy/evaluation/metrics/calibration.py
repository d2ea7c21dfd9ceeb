"""Expected calibration error: how far confidence and accuracy are apart.

Rules:

1. Fifteen bins of equal width over the confidence of the predicted class, each open below and
   closed above: (0, 1/15], (1/15, 2/15] and so on (Guo et al. 2017).
2. The value is the plain one, as everybody computes it. It is biased upwards: a perfectly
   calibrated model of n samples shows about 0.8 sqrt(filled bins * p * (1 - p) / n).
3. The interval knows about the bias: its lower arm allows for as much noise in the gaps as may well
   be there (``calibration_gaps.py``). It reaches 0 when the model may be calibrated.
4. Two models on the same samples share the bias of every bin in which they are alike. The interval
   of their difference is longer by what they may not share, and no longer than it would be if in
   every bin that may be calibrated they shared no bias but what their gaps must.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import ReliabilityBin
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.calibration_gaps import (
    ResampledGaps,
    drop_arms,
    error_arms,
)
from edgeworthy.evaluation.metrics.resampled import Grouping
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.replicates import Replicates, clipped, unseen_share
from edgeworthy.statistics.resampling import resampled_weights

BIN_COUNT = 15
# Cells of the bootstrap: confidences closer than 1/60 that were both right or both wrong.
_PARTS_PER_BIN = 4
# Standard deviations within which a bin may be perfectly calibrated.
_CALIBRATED_WITHIN = 3.0


def bins_of(confidence: NDArray[np.float64], count: int = BIN_COUNT) -> NDArray[np.int64]:
    """Index of the bin of each confidence in (0, 1].

    >>> bins_of(np.array([0.05, 1 / 15, 0.07, 1.0]))
    array([ 0,  0,  1, 14])
    """
    edges = np.arange(1, count) / count
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def reliability_bins(samples: Decisions) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram behind the expected calibration error."""
    bins = bins_of(samples.confidence)
    counts = np.bincount(bins, minlength=BIN_COUNT)
    filled = np.maximum(counts, 1)
    confidence = np.bincount(bins, samples.confidence, minlength=BIN_COUNT) / filled
    accuracy = np.bincount(bins, samples.right, minlength=BIN_COUNT) / filled
    return tuple(
        ReliabilityBin(
            lowest=index / BIN_COUNT,
            highest=(index + 1) / BIN_COUNT,
            sample_count=int(counts[index]),
            mean_confidence=float(confidence[index]),
            accuracy=float(accuracy[index]),
        )
        for index in range(BIN_COUNT)
    )


class ExpectedCalibrationError(Metric[Decisions]):
    """Mean distance between confidence and accuracy over fifteen bins."""

    definition = MetricDefinition(
        name="expected_calibration_error",
        unit="ratio",
        higher_is_better=False,
        title="Expected calibration error",
        source="Guo et al., ICML 2017 (arXiv 1706.04599): 15 bins of equal width",
    )

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The error with an interval that takes its bias off."""
        (gaps,) = _resampled((subject,), plan, self.definition.name)
        value = float(np.abs(gaps.observed).sum())
        found = []
        for level in plan.confidences:
            below, above = error_arms(gaps, tail=(1.0 - level) / 2)
            unseen = unseen_share(len(subject), confidence=level)
            estimate = Estimate(
                value=value,
                low=value - below,
                high=value + max(above, unseen),
                confidence=level,
                n=len(subject),
                method="bootstrap-debiased",
                unit="ratio",
            )
            found.append(clipped(estimate, smallest=0.0, largest=1.0))
        return tuple(found)

    def drops(
        self, subject: Decisions, original: Decisions, plan: IntervalPlan
    ) -> tuple[Estimate, ...]:
        """Subject's error minus the original's, resampled together."""
        after, before = _resampled((subject, original), plan, f"{self.definition.name} drop")
        distances = [np.abs(each.draws).sum(axis=1) for each in (after, before)]
        value = float(np.abs(after.observed).sum() - np.abs(before.observed).sum())
        n = len(subject)
        drawn = Replicates(value, distances[0] - distances[1], 0.0, n=n, scarce_n=n)
        possible = np.abs(after.observed - before.observed)
        bias_after = float(np.minimum(_largest_bias(subject), possible).sum())
        bias_before = float(np.minimum(_largest_bias(original), possible).sum())
        found = []
        for level in plan.confidences:
            spread = drawn.centered_interval(confidence=level, unit="ratio")
            below, above = drop_arms(after, before, tail=(1.0 - level) / 2)
            unseen = unseen_share(n, confidence=level)
            ends = {
                "low": value - max(min(value - spread.low + bias_after, below), unseen),
                "high": value + max(min(spread.high - value + bias_before, above), unseen),
            }
            wide = msgspec.structs.replace(spread, method="bootstrap-debiased", **ends)
            found.append(clipped(wide, smallest=-1.0, largest=1.0))
        return tuple(found)


class ScaledCalibrationError(ExpectedCalibrationError):
    """The expected calibration error with the temperature that ships with the artefact.

    Given where the confidence was examined and a temperature was found; without one a device
    applies none, and the plain figure holds.
    """

    definition = MetricDefinition(
        name="scaled_calibration_error",
        unit="ratio",
        higher_is_better=False,
        title="Expected calibration error, temperature applied",
        source="Guo et al., ICML 2017 (arXiv 1706.04599): temperature scaling, 15 bins",
    )


def _cells(
    *models: Decisions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Group samples that count alike: bins per cell and model, sizes, and each sample's cell."""
    keys = []
    for samples in models:
        part = bins_of(samples.confidence, BIN_COUNT * _PARTS_PER_BIN)
        keys += [bins_of(samples.confidence), part, samples.right.astype(np.int64)]
    table, sample_cells, counts = np.unique(
        np.stack(keys), axis=1, return_inverse=True, return_counts=True
    )
    return table[::3], counts, sample_cells.ravel()


def _mean_per_cell(
    samples: Decisions, sample_cells: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean of confidence minus correctness in each cell."""
    gaps = samples.confidence - samples.right
    return np.bincount(sample_cells, gaps, minlength=len(counts)) / counts


def _resampled(
    models: Sequence[Decisions], plan: IntervalPlan, purpose: str
) -> tuple[ResampledGaps, ...]:
    """Gaps of some models on the same resamples."""
    cells, counts, sample_cells = _cells(*models)
    means = [_mean_per_cell(each, sample_cells, counts) for each in models]
    groupings = [Grouping(bins, BIN_COUNT) for bins in cells]
    n = len(models[0])
    generator = np.random.default_rng(plan.seed_of(purpose))
    drawn = [
        [grouping.sums(block * mean) / n for mean, grouping in zip(means, groupings, strict=True)]
        for block in resampled_weights(counts, plan.resamples, generator)
    ]
    return tuple(
        ResampledGaps(_gaps(each), np.concatenate([block[at] for block in drawn]), _alone(each), n)
        for at, each in enumerate(models)
    )


def _gaps(samples: Decisions) -> NDArray[np.float64]:
    """Sum of confidence minus correctness per bin, as a share of all samples."""
    sums = np.bincount(
        bins_of(samples.confidence), samples.confidence - samples.right, minlength=BIN_COUNT
    )
    return sums / len(samples)


def _largest_bias(samples: Decisions) -> NDArray[np.float64]:
    """Bias that each bin adds if every bin that may be perfectly calibrated is.

    A bin with no gap shows the mean absolute value of its noise, sqrt(2 / pi) standard deviations;
    a bin with a gap of many shows next to none.
    """
    deviations = np.sqrt(_alone(samples))
    maybe_calibrated = np.abs(_gaps(samples)) <= _CALIBRATED_WITHIN * deviations
    return np.asarray(math.sqrt(2 / math.pi) * deviations * maybe_calibrated)


def _alone(samples: Decisions) -> NDArray[np.float64]:
    """Variance of the gap of each bin if the confidence were right."""
    variances = np.bincount(
        bins_of(samples.confidence),
        samples.confidence * (1 - samples.confidence),
        minlength=BIN_COUNT,
    )
    return np.asarray(variances / len(samples) ** 2)
