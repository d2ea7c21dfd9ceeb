"""How often the intervals of resampled figures hold the truth, on models that are known."""

from __future__ import annotations

import numpy as np
import pytest

from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.samples import Decisions
from edgeworthy.evaluation.tasks import find_task


def decisions(
    n: int, generator: np.random.Generator, *, sharpness: float
) -> tuple[Decisions, Decisions]:
    """A noisy version and a calibrated original of five classes."""
    labels = generator.integers(0, 5, n)
    seen = generator.standard_normal((n, 5))
    seen[np.arange(n), labels] += 2.0
    made = []
    for view in (seen + 0.5 * generator.standard_normal(seen.shape), seen):
        logits = view * (2.0 * sharpness / 1.25 if view is not seen else 2.0)
        best = logits.argmax(axis=1)
        confidence = 1 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
        made.append(Decisions(labels, best, confidence, (best != labels).astype(np.int64), 5))
    return made[0], made[1]


#: Figure and drop, from two million samples of :func:`decisions`.
_RECALL = (0.7350, 0.0527)
_CALIBRATION = {1.0: (0.0, 0.0), 2.0: (0.1315, 0.1308)}


@pytest.mark.parametrize(("n", "sharpness"), [(30, 1.0), (150, 2.0)])
def test_figures_and_their_drops_are_covered(n: int, sharpness: float) -> None:
    # Four standard errors of a simulation below 95 %; longer ones are in the documentation.
    least = 0.95 - 4 * (0.95 * 0.05 / 120) ** 0.5
    truth = {
        "balanced_accuracy": _RECALL,
        "macro_f1": _RECALL,
        "expected_calibration_error": _CALIBRATION[sharpness],
    }
    metrics = [m for m in find_task("classification").metrics if m.definition.name in truth]
    generator = np.random.default_rng(2)
    hits = np.zeros((len(metrics), 2))
    for seed in range(120):
        subject, original = decisions(n, generator, sharpness=sharpness)
        plan = IntervalPlan((0.95,), seed, 200)
        for row, metric in enumerate(metrics):
            both = (
                metric.estimates(subject, original, plan),
                metric.drops(subject, original, plan),
            )
            for column, (found,) in enumerate(both):
                value = truth[metric.definition.name][column]
                hits[row, column] += found.low <= value <= found.high
    assert (hits / 120).min() >= least
