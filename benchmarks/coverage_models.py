"""Models with a known truth, from which ``coverage_worlds.py`` draws sets of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeworthy.evaluation import Predictions

#: The subject's and the original's answers on the same samples.
Draw = Callable[[np.random.Generator, int], tuple[Predictions, Predictions]]


def classifier(sharpness: float, apart: float, prior: Sequence[float] = (0.2,) * 5) -> Draw:
    """Calibrated at a sharpness of 1 and even priors; the original sees with more noise."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = random.choice(len(prior), n, p=np.array(prior))
        while len(np.unique(labels)) < len(prior):
            labels = random.choice(len(prior), n, p=np.array(prior))
        seen = random.standard_normal((n, len(prior)))
        seen[np.arange(n), labels] += apart
        other = seen + 0.3 * random.standard_normal(seen.shape)
        first = Predictions(apart * sharpness * seen, labels, {})
        return first, Predictions(apart * sharpness * other, labels, {})

    return draw


def detector(lost: float = 0.0) -> Draw:
    """Two true boxes an image, answers that wobble, miss and invent; some images wholly lost."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        corners = random.uniform(0, 60, (n, 2, 2))
        boxes = np.concatenate([corners, corners + random.uniform(10, 30, (n, 2, 2))], axis=2)
        numbers = random.integers(0, 2, (n, 2, 1)).astype(np.float64)
        labels = np.concatenate([numbers, boxes], axis=2)
        invented = np.array([5.0, 5.0, 25.0, 25.0]) + random.uniform(0, 40, (n, 2, 1))
        noise, missed = random.normal(0.0, 1.0, boxes.shape), random.random((n, 4))
        score, kinds = random.beta(2.0, 2.0, (n, 4)), random.integers(0, 2, (n, 2))
        gone = random.random((n, 1)) < lost

        def answered(wobble: float, missing: NDArray[np.bool_]) -> Predictions:
            answers = np.zeros((n, 4, 6))
            answers[:, :2, :4], answers[:, 2:, :4] = boxes + wobble * noise, invented
            answers[..., 4] = score + np.array([0.3, 0.3, 0.0, 0.0])
            answers[:, :2, 5], answers[:, 2:, 5] = numbers[..., 0], kinds
            answers[..., 5] = np.where(missing, -1.0, answers[..., 5])
            order = np.argsort(-answers[..., 4], axis=1, kind="stable")
            return Predictions(np.take_along_axis(answers, order[..., None], axis=1), labels, {})

        return answered(1.5, (missed < 0.2) | gone), answered(1.2, missed < 0.17)  # noqa: PLR2004

    return draw


def segmenter(rare: float) -> Draw:
    """Pictures of three classes, each as hard as it happens to be; one class may be rare."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        shares = np.array([(1 - rare) / 2, (1 - rare) / 2, rare])
        truth = random.choice(3, (n, 6, 6), p=shares).astype(np.uint8)
        hard = random.beta(1.0, 6.0, (n, 1, 1))
        seen, other = random.random(truth.shape), random.integers(0, 3, truth.shape)
        answers = [
            np.where(seen < factor * hard, other, truth).astype(np.uint8) for factor in (1.0, 0.8)
        ]
        return Predictions(answers[0], truth, {}), Predictions(answers[1], truth, {})

    return draw


def alarms(prevalence: float, apart: float, lost: float = 0.0) -> Draw:
    """Scores of anomalous samples are higher; a set without one is drawn again.

    A share of the anomalous samples may be of a kind that the version no longer recognizes.
    """

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = np.zeros(n, dtype=np.int64)
        while not labels.any() or labels.all():
            labels = (random.random(n) < prevalence).astype(np.int64)
        scores = random.standard_normal(n) + apart * labels
        noisy = scores + 0.3 * random.standard_normal(n)
        if lost:
            noisy -= apart * labels * (random.random(n) < lost)
        return Predictions(noisy, labels, {}), Predictions(scores, labels, {})

    return draw


def regressor(*, heavy: bool) -> Draw:
    """Normal errors, or Student's with five degrees of freedom."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = random.standard_normal(n)
        wrong = random.standard_t(5, n) if heavy else random.standard_normal(n)
        more = 0.2 * random.standard_normal(n)
        return (
            Predictions(labels + 0.5 * wrong + more, labels, {}),
            Predictions(labels + 0.5 * wrong, labels, {}),
        )

    return draw


def embedder(spread: float) -> Draw:
    """Unit vectors, and what a version makes of them: most move little, a few move far."""

    def draw(random: np.random.Generator, n: int) -> tuple[Predictions, Predictions]:
        labels = random.integers(0, 5, n)
        vectors = random.standard_normal((n, 8))
        moved = spread * random.standard_t(5, (n, 1)) * random.standard_normal((n, 8))
        return Predictions(vectors + moved, labels, {}), Predictions(vectors, labels, {})

    return draw
