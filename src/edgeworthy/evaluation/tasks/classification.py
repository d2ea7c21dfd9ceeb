"""Classification: one class per sample.

Rules:

1. The decision is the highest score, the first among equals.
2. Logits go through a softmax in float64; a single output is the logit or the probability of
   class 1 of two.
3. Probabilities are taken as they are: an integer model's need not add up to exactly 1. Values
   that cannot be probabilities are an error.
4. With a temperature, logits are divided by it before the softmax; of probabilities, the logarithms
   are, none taken below that of one in a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.evaluation import Flips, ReliabilityBin
from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.groups import (
    DemographicParityDifference,
    EqualizedOddsDifference,
    WorstSliceAccuracy,
    WorstSliceDrop,
)
from edgeworthy.evaluation.metrics.balanced import BalancedAccuracy, MacroF1
from edgeworthy.evaluation.metrics.calibration import (
    ExpectedCalibrationError,
    ScaledCalibrationError,
    reliability_bins,
)
from edgeworthy.evaluation.metrics.debiased import DebiasedCalibrationError
from edgeworthy.evaluation.metrics.flips import Agreement, NegativeFlipRatio, PositiveFlipRatio
from edgeworthy.evaluation.metrics.found import (
    HurtSliceCount,
    HurtSliceDrop,
    WeakSliceAccuracy,
    WeakSliceCount,
)
from edgeworthy.evaluation.metrics.overconfidence import Overconfidence
from edgeworthy.evaluation.metrics.shares import Accuracy, TopFiveAccuracy
from edgeworthy.evaluation.parts import Part
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.regressions import flips_between
from edgeworthy.evaluation.samples import Decisions, Losses
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task, whole_labels

_MOST_CONFUSION_CLASSES = 256
_BLOCK_VALUES = 4_000_000
# What the coarsest output quantization in use (1/128) can add to a probability of 1.
_PROBABILITY_SLACK = 0.01
_LEAST_PROBABILITY = 1e-6


class Classification(Task[Decisions]):
    """One class per sample."""

    name = "classification"
    metrics = (
        Accuracy(),
        BalancedAccuracy(),
        MacroF1(),
        TopFiveAccuracy(),
        ExpectedCalibrationError(),
        DebiasedCalibrationError(),
        Overconfidence(),
        Agreement(),
        NegativeFlipRatio(),
        PositiveFlipRatio(),
    )
    scaled_metrics = (ScaledCalibrationError(),)
    examined_metrics = (
        *scaled_metrics,
        WeakSliceCount(),
        WeakSliceAccuracy(),
        HurtSliceCount(),
        HurtSliceDrop(),
    )
    group_metrics = (
        WorstSliceAccuracy(),
        WorstSliceDrop(),
        DemographicParityDifference(),
        EqualizedOddsDifference(),
    )

    def decode(self, predictions: Predictions, settings: EvaluationSettings) -> Decisions:
        """Decisions with their confidence; see the rules of this module."""
        scores = _score_table(predictions.outputs, settings)
        labels = whole_labels(predictions.labels, count=scores.shape[1], task=self.name)
        rows = max(1, _BLOCK_VALUES // scores.shape[1])
        parts = [
            _decide(scores[first : first + rows], labels[first : first + rows], settings)
            for first in range(0, len(labels), rows)
        ]
        predicted, confidence, rank = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        return Decisions(labels, predicted, confidence, rank, scores.shape[1])

    def losses(self, samples: Decisions) -> Losses:
        """1 for a wrong answer, 0 for a right one."""
        return Losses((~samples.right).astype(np.float64), "accuracy")

    def flips(self, subject: Decisions, original: Decisions, slices: Sequence[Part]) -> Flips:
        """Counts, tests, class pairs, slices, and the worst new mistakes."""
        return flips_between(subject, original, slices)

    def reliability(self, subject: Decisions) -> tuple[ReliabilityBin, ...]:
        """Fifteen bins of equal width."""
        return reliability_bins(subject)

    def confusion(self, subject: Decisions) -> tuple[tuple[int, ...], ...]:
        """Counts ``[true][predicted]``; left out above 256 classes, where nobody reads it."""
        count = subject.class_count
        if count > _MOST_CONFUSION_CLASSES:
            return ()
        cells = np.bincount(subject.labels * count + subject.predicted, minlength=count * count)
        return tuple(tuple(row) for row in cells.reshape(count, count).tolist())


def logits_of(
    predictions: Predictions, settings: EvaluationSettings
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits ``(n, classes)`` and true classes ``(n,)``, as a temperature divides them (rule 4).

    Raises:
        DatasetError: A label does not fit the task.
        ProjectFileError: The outputs do not fit the task.
    """
    scores = _score_table(predictions.outputs, settings).astype(np.float64)
    labels = whole_labels(predictions.labels, count=scores.shape[1], task=Classification.name)
    if settings.scores == "probabilities":
        _check_probabilities(scores)
        scores = np.log(np.maximum(scores, _LEAST_PROBABILITY))
    return scores, labels


def _score_table(outputs: NDArray[Any], settings: EvaluationSettings) -> NDArray[Any]:
    """Outputs as ``(n, classes)``."""
    table = outputs.reshape(len(outputs), -1)
    binary = table.shape[1] == 1
    classes = 2 if binary else table.shape[1]
    axes_of_size_above_one = sum(size > 1 for size in outputs.shape[1:])
    if axes_of_size_above_one > 1 or settings.label_count not in {0, classes}:
        raise ProjectFileError(
            "the output does not fit the task classification",
            where="model.output",
            expected=f"{settings.label_count or 'as many as there are classes'} scores per sample",
            found=f"shape {('n', *outputs.shape[1:])}".replace("'", ""),
            next_step="Choose another `output`, or correct the list of `labels`, in [model]",
        )
    if not binary:
        return table
    other = -table if settings.scores == "logits" else 1.0 - table
    # The sigmoid of x is the softmax of (0, x), here taken apart evenly: (-x / 2, x / 2).
    return np.hstack([other, table]) / (2 if settings.scores == "logits" else 1)


def _decide(
    scores: NDArray[Any], labels: NDArray[np.int64], settings: EvaluationSettings
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Class, confidence and rank of the true class of some samples."""
    scores = scores.astype(np.float64)
    predicted = np.argmax(scores, axis=1)
    confidence = _confidence(scores, predicted, settings)
    true = scores[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    rank = np.count_nonzero((scores > true) | ((scores == true) & earlier), axis=1)
    return predicted, confidence, rank


def _confidence(
    scores: NDArray[np.float64], predicted: NDArray[np.int64], settings: EvaluationSettings
) -> NDArray[np.float64]:
    """Probability of the predicted class."""
    at = np.arange(len(predicted)), predicted
    if settings.scores == "probabilities":
        _check_probabilities(scores)
        if settings.temperature == 1.0:
            return np.minimum(scores[at], 1.0)
        scores = np.log(np.maximum(scores, _LEAST_PROBABILITY))
    scaled = scores / settings.temperature
    return np.asarray(1.0 / np.exp(scaled - scaled[at][:, None]).sum(axis=1))


def _check_probabilities(scores: NDArray[np.float64]) -> None:
    lowest, highest = float(scores.min()), float(scores.max())
    if lowest < -_PROBABILITY_SLACK or highest > 1.0 + _PROBABILITY_SLACK:
        raise ProjectFileError(
            "the outputs are no probabilities",
            where="model.scores",
            expected="values from 0 to 1",
            found=f"values from {lowest:.6g} to {highest:.6g}",
            next_step='Set scores = "logits" in [model]',
        )
