"""Worlds whose truth is known, and what the product finds in one set of samples of each.

A world draws a set by its size and number, so that a simulation can be cut into pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from coverage_models import Draw, alarms, classifier, detector, embedder, regressor, segmenter

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.project import Task
from edgeworthy.evaluation import EvaluationSettings
from edgeworthy.evaluation.metrics.base import IntervalPlan
from edgeworthy.evaluation.tasks import find_task
from edgeworthy.evaluation.temperature import fit_temperature
from edgeworthy.statistics import normal_quantile
from edgeworthy.statistics.clustered import clustered_share, ratio_of_means

_HOT = 2.0
_RESAMPLES = 400


@dataclass(frozen=True)
class World:
    """Something to be estimated, again and again.

    Attributes:
        part: What it belongs to; a run can be limited to it.
        title: What is known about the model.
        sizes: Samples per set.
        truths: Figure -> its true value.
        found: Size and number of a set -> figure -> what was found in it, or None.
        sets: Sets per size.
    """

    part: str
    title: str
    sizes: tuple[int, ...]
    truths: Callable[[], Mapping[str, float]]
    found: Callable[[int, int], Mapping[str, Estimate | None]]
    sets: int = 1000


@dataclass(frozen=True)
class Judged:
    """A model whose figures are known from one very large draw.

    Attributes:
        task: Of the model.
        title: What is known about it.
        draw: Its answers and the original's.
        metrics: What is held against the truth.
        sizes: Samples per set.
        large: Samples of the very large draw.
        sets: Sets per size.
    """

    task: Task
    title: str
    draw: Draw
    metrics: tuple[str, ...]
    sizes: tuple[int, ...]
    large: int = 400_000
    sets: int = 1000

    def world(self) -> World:
        """Its figures, and their drops."""
        return World(self.task, self.title, self.sizes, self._truths, self._found, self.sets)

    def _truths(self) -> dict[str, float]:
        found = self._figures((99,), self.large, 2)
        return {name: each.value for name, each in found.items() if each is not None}

    def _found(self, n: int, at: int) -> dict[str, Estimate | None]:
        return self._figures((n, at), n, _RESAMPLES)

    def _figures(self, seed: tuple[int, ...], n: int, resamples: int) -> dict[str, Estimate | None]:
        settings = EvaluationSettings(task=self.task, threshold=1.0)
        room = find_task(settings.task)
        drawn = self.draw(np.random.default_rng(seed), n)
        subject, original = (room.decode(each, settings) for each in drawn)
        plan = IntervalPlan((0.95,), seed[-1], resamples)
        found: dict[str, Estimate | None] = {}
        for each in room.metrics:
            name = each.definition.name
            if name in self.metrics:
                found[f"`{name}`"] = next(iter(each.estimates(subject, original, plan)), None)
                found[f"`{name}`, drop"] = next(iter(each.drops(subject, original, plan)), None)
        return found


def _temperature() -> World:
    """The temperature of a classifier that is twice as sharp as it should be."""
    settings = EvaluationSettings(task="classification")
    draw = classifier(_HOT, 1.5)

    def found(n: int, at: int) -> dict[str, Estimate | None]:
        said, _ = draw(np.random.default_rng((n, at)), n)
        return {"temperature": fit_temperature(said, settings).temperature}

    return World(
        "temperature", "twice as sharp", (50, 200, 1000), lambda: {"temperature": _HOT}, found
    )


def _conditions(share: float) -> World:
    """Means over 20 conditions on the same samples, and errors relative to the original's."""
    below = max(share - 0.05, 0.5)
    edge, worse = normal_quantile(share), normal_quantile(below)
    truth = {"mean over conditions": share, "relative error": (1 - below) / (1 - share)}

    def found(n: int, at: int) -> dict[str, Estimate | None]:
        random = np.random.default_rng((n, at))
        common = math.sqrt(0.5) * random.standard_normal(n)
        seen = common + math.sqrt(0.5) * random.standard_normal((20, n))
        before, after = seen < edge, seen < worse
        wrong = 1 - after.mean(axis=0), 1 - before.mean(axis=0)
        return {
            "mean over conditions": clustered_share(before, confidence=0.95),
            "relative error": ratio_of_means(*wrong, confidence=0.95),
        }

    return World("conditions", f"share of {share:g}", (20, 100, 500), lambda: truth, found)


_CLASSIFIED = (
    "expected_calibration_error",
    "debiased_calibration_error",
    "overconfidence",
    "balanced_accuracy",
    "macro_f1",
)
_RANKED = ("auroc", "average_precision", "partial_auroc", "f1_at_threshold")
_ERRORS = ("mean_absolute_error", "root_mean_squared_error", "r_squared", "mean_deviation")
_BOXES = ("mean_average_precision", "average_precision_50", "average_precision_75")
_AREAS = ("mean_iou", "pixel_accuracy")
_FEW = (20, 100, 500)
_MORE = (30, 100, 500)
_FEWER = (30, 100, 300)
MODELS = (
    Judged("classification", "74 % right, calibrated", classifier(1, 2), _CLASSIFIED, _FEW),
    Judged("classification", "74 % right, too sure", classifier(2, 2), _CLASSIFIED[:3], _FEW),
    Judged("classification", "99 % right, too sure", classifier(2, 4), _CLASSIFIED, _FEW),
    Judged(
        "classification",
        "one class of five is 2 %",
        classifier(1, 2.5, (0.4, 0.3, 0.2, 0.08, 0.02)),
        _CLASSIFIED[3:],
        (50, 200, 1000),
    ),
    Judged("anomaly", "half anomalous, area 0.92", alarms(0.5, 2.0), _RANKED, _FEW),
    Judged("anomaly", "half anomalous, 5 % of them lost", alarms(0.5, 2.0, 0.05), _RANKED, _FEW),
    Judged("anomaly", "2 % anomalous, area 0.92", alarms(0.02, 2.0), _RANKED, (200, 1000, 3000)),
    Judged("anomaly", "20 % anomalous, area 0.996", alarms(0.2, 3.8), _RANKED, (30, 100, 500)),
    Judged("regression", "normal errors", regressor(heavy=False), _ERRORS, (10, *_MORE), 2_000_000),
    Judged("regression", "heavy tails", regressor(heavy=True), _ERRORS, (10, *_MORE), 2_000_000),
    Judged("segmentation", "three classes alike", segmenter(1 / 3), _AREAS, (10, *_FEWER), 100_000),
    Judged("segmentation", "one class is 1 %", segmenter(0.01), _AREAS, (10, *_FEWER), 100_000),
    Judged("detection", "two boxes an image", detector(), _BOXES, (20, 50, 200), 15_000, 400),
    Judged(
        "detection",
        "two boxes an image, 5 % of images lost",
        detector(0.05),
        _BOXES,
        (20, 50, 200),
        15_000,
        400,
    ),
    Judged("embedding", "vectors of 8", embedder(0.1), ("cosine_fidelity",), _FEW, 20_000),
)
WORLDS = (
    *(model.world() for model in MODELS),
    _temperature(),
    *(_conditions(share) for share in (0.6, 0.9, 0.98)),
)
