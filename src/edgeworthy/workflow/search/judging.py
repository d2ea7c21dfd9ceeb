"""How much worse than the original a version is, with labels or without.

Rules:

1. With labels: the first metric of the task, and its paired drop.
2. Without labels, on classes: what the original says takes the place of the truth. The metric is
   the share of samples on which both say the same, and the original's own is 1 by definition.
3. Without labels, on vectors: the mean cosine between both outputs; of several outputs, or of an
   output that holds things of different sizes, each sample's smallest.
4. All samples and nothing but samples: slices are the evaluation's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.estimate import Estimate
from edgeworthy.evaluation import EvaluationSettings, Predictions, evaluate, metrics_of
from edgeworthy.statistics import bootstrap
from edgeworthy.workflow.search.output_parts import outputs_of, uneven_parts
from edgeworthy.workflow.search.sources import Judging

#: What metrics without labels are called.
AGREEMENT_CLASSES = "agreement_with_float"
AGREEMENT_VECTORS = "cosine_with_float"
_TINY = 1e-12
#: Share of the usual length below which a sample has nothing to say.
_QUIET = 0.1


@dataclass(frozen=True)
class JudgedAs:
    """What a metric is called and which way is better."""

    metric: str
    higher_is_better: bool
    unit: str


def metric_of(judging: Judging) -> JudgedAs:
    """The metric that decides."""
    if judging.basis == "agreement-classes":
        return JudgedAs(AGREEMENT_CLASSES, higher_is_better=True, unit="ratio")
    if judging.basis == "agreement-vectors":
        return JudgedAs(AGREEMENT_VECTORS, higher_is_better=True, unit="ratio")
    first = metrics_of(judging.task)[0]
    return JudgedAs(first.name, first.higher_is_better is not False, first.unit)


def judge(
    subject: Predictions, original: Predictions, judging: Judging, *, confidence: float
) -> tuple[Estimate, Estimate]:
    """The metric of a version and its loss against the original.

    Args:
        subject: What the version says.
        original: What the original says about the same samples.
        judging: How outputs are read.
        confidence: Coverage of both intervals.

    Raises:
        DatasetError: The two are not about the same samples, or there are too few.
        ProjectFileError: The outputs do not fit the task.
    """
    if judging.basis == "agreement-vectors":
        return _vectors(subject, original, confidence, judging.seed)
    if judging.basis == "agreement-classes":
        labels = original.outputs.reshape(len(original), -1).argmax(axis=1).astype(np.int64)
    else:
        labels = subject.labels
    settings = EvaluationSettings(
        task=judging.task,
        scores=judging.scores,
        label_count=judging.label_count,
        confidences=(confidence,),
        seed=judging.seed,
    )
    result = evaluate(
        Predictions(subject.outputs, labels, {}),
        Predictions(original.outputs, labels, {}),
        settings,
    )
    name = metrics_of(judging.task)[0].name
    first = next(each for each in result.metrics if each.metric == name and not each.slice)
    if first.drop is None:
        raise AssertionError("the first metric of a task has a drop")
    return first.estimate, first.drop


def judge_original(original: Predictions, judging: Judging, *, confidence: float) -> Estimate:
    """The original's own metric."""
    return judge(original, original, judging, confidence=confidence)[0]


def _vectors(
    subject: Predictions, original: Predictions, confidence: float, seed: int
) -> tuple[Estimate, Estimate]:
    cosines = _cosines(subject, original)

    def mean(values: NDArray[np.float64]) -> Estimate:
        return bootstrap(
            lambda weights: weights @ values / weights.sum(axis=1),
            len(values),
            confidence=confidence,
            seed=seed,
        )

    return mean(cosines), mean(1.0 - cosines)


def _cosines(subject: Predictions, original: Predictions) -> NDArray[np.float64]:
    """Per sample; that of the part of the outputs that is furthest off."""
    ours = subject.outputs.reshape(len(subject), -1)
    theirs = original.outputs.reshape(len(original), -1)
    shapes = original.shapes or (original.outputs.shape[1:],)
    whole = [_cosine(ours[:, part], theirs[:, part]) for part in outputs_of(shapes)]
    uneven = [_loud(ours[:, part], theirs[:, part]) for part in uneven_parts(theirs, shapes)]
    furthest: NDArray[np.float64] = np.stack([*whole, *uneven]).min(axis=0)
    return furthest


def _loud(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float64]:
    """Cosines, and 1 where a sample has next to nothing in either, such as an empty picture."""
    lengths = np.linalg.norm(theirs, axis=1)
    loudest = np.maximum(np.linalg.norm(ours, axis=1), lengths)
    quiet = loudest < _QUIET * np.sqrt(np.mean(lengths.astype(np.float64) ** 2))
    return np.where(quiet, 1.0, _cosine(ours, theirs))


def _cosine(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float64]:
    same = (ours == theirs).all(axis=1)
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines = (ours * theirs).sum(axis=1) / np.maximum(norms, _TINY)
    return np.where(same, 1.0, np.clip(cosines, -1.0, 1.0))
