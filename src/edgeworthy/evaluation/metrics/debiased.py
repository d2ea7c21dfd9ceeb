"""The calibration error without its bias.

Rules:

1. Bins as for the plain error: fifteen of equal width over the confidence of the predicted class.
2. A bin's squared gap is too large by the variance of its noise, so that variance is taken off
   (Kumar et al. 2019). Squares, because only their bias can be taken off exactly; the figure is the
   root of their mean, and 0 where noise explains everything.
3. The interval holds every error under which the observed squares would not surprise: their
   variance grows with the error itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation.metrics.base import IntervalPlan, Metric, MetricDefinition
from edgeworthy.evaluation.metrics.calibration import BIN_COUNT, bins_of
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.statistics.distributions import normal_quantile
from edgeworthy.statistics.replicates import clipped, unseen_share, widened


class DebiasedCalibrationError(Metric[Decisions]):
    """Root mean squared distance between confidence and accuracy over bins, its bias taken off."""

    definition = MetricDefinition(
        name="debiased_calibration_error",
        unit="ratio",
        higher_is_better=False,
        title="Calibration error, bias taken off",
        source="Kumar, Liang and Ma, NeurIPS 2019 (arXiv 1909.10155): debiased estimator, 15 bins",
    )

    def estimates(
        self,
        subject: Decisions,
        original: Decisions,  # noqa: ARG002 - nothing to compare with
        plan: IntervalPlan,
    ) -> tuple[Estimate, ...]:
        """The error with an interval that reaches 0 where the model may be calibrated."""
        squares = _squares(subject)
        return tuple(_estimate(squares, len(subject), level) for level in plan.confidences)


@dataclass(frozen=True)
class _Squares:
    """The debiased mean square and how its variance depends on the truth.

    Attributes:
        mean: May be below 0.
        noise: Its variance where nothing is miscalibrated.
        growth: Added to the variance per unit of the true mean square.
    """

    mean: float
    noise: float
    growth: float


def _squares(samples: Decisions) -> _Squares:
    bins = bins_of(samples.confidence)
    counts = np.bincount(bins, minlength=BIN_COUNT)
    filled = counts > 0
    counts = counts[filled].astype(np.float64)
    gaps = samples.confidence - samples.right
    mean = np.bincount(bins, gaps, minlength=BIN_COUNT)[filled] / counts
    square = np.bincount(bins, gaps**2, minlength=BIN_COUNT)[filled] / counts
    expected = samples.confidence * (1.0 - samples.confidence)
    alone = np.bincount(bins, expected, minlength=BIN_COUNT)[filled] / counts
    spread = np.where(counts > 1, (square - mean**2) * counts / np.maximum(counts - 1, 1), alone)
    variance = spread / counts
    possible = (np.maximum(spread, alone) + 0.25 / counts) / counts
    weights = counts / len(samples)
    real = np.maximum(mean**2 - variance, 0.0)
    total = float((weights * real).sum())
    shares = weights * real / total if total > 0 else weights
    return _Squares(
        mean=float((weights * (mean**2 - variance)).sum()),
        noise=float((2.0 * weights**2 * possible**2).sum()),
        growth=float((4.0 * weights * possible * shares).sum()),
    )


def _estimate(squares: _Squares, n: int, level: float) -> Estimate:
    z_squared = normal_quantile((1 + level) / 2) ** 2
    center = squares.mean + z_squared * squares.growth / 2
    arm = math.sqrt(max(0.0, center**2 - squares.mean**2 + z_squared * squares.noise))
    low, value, high = (
        math.sqrt(max(0.0, each)) for each in (center - arm, squares.mean, center + arm)
    )
    estimate = Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        confidence=level,
        n=n,
        method="debiased",
        unit="ratio",
    )
    unseen = unseen_share(n, confidence=level)
    wide = widened(estimate, below=0.0, above=unseen, floor="rule-of-three")
    return clipped(wide, smallest=0.0, largest=1.0)
