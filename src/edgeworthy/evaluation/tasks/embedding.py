"""Embedding: a vector per sample; what belongs together lies close together.

Rules:

1. Closeness is the cosine. A vector of zeros is close to nothing.
2. Every sample is a query against all others; those whose label no other sample has are no queries.
3. A slice takes queries; what they are held against stays all samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import ProjectFileError
from edgeworthy.evaluation.metrics.embedding import (
    CosineFidelity,
    NeighborAgreement,
    RecallAt1,
    RecallAt5,
)
from edgeworthy.evaluation.metrics.found import HurtSliceCount, WeakSliceCount
from edgeworthy.evaluation.predictions import Predictions
from edgeworthy.evaluation.samples import Embeddings, Losses
from edgeworthy.evaluation.settings import EvaluationSettings
from edgeworthy.evaluation.tasks.base import Task, whole_labels

_BLOCK_VALUES = 4_000_000
_MOST_LABELS = 1 << 31


class Embedding(Task[Embeddings]):
    """A vector per sample."""

    name = "embedding"
    metrics = (RecallAt1(), RecallAt5(), CosineFidelity(), NeighborAgreement())
    examined_metrics = (WeakSliceCount(), HurtSliceCount())

    def decode(
        self,
        predictions: Predictions,
        settings: EvaluationSettings,  # noqa: ARG002 - nothing to choose
    ) -> Embeddings:
        """Vectors of length 1 and what lies next to each."""
        vectors = predictions.outputs.reshape(len(predictions), -1).astype(np.float64)
        if vectors.shape[1] < 2:  # noqa: PLR2004 - one number has no direction
            raise ProjectFileError(
                "the output does not fit the task embedding",
                where="model.output",
                expected="a vector per sample",
                found="one number per sample",
                next_step="Choose another `output`, or another `task`, in [model]",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        labels = whole_labels(predictions.labels, count=_MOST_LABELS, task=self.name)
        nearest, rank = _neighbors(unit, labels)
        return Embeddings(labels, unit, nearest, rank)

    def losses(self, samples: Embeddings) -> Losses:
        """1 where the nearest other sample has another label."""
        wrong = (samples.rank > 0) & samples.queries
        return Losses(wrong.astype(np.float64), "recall at 1")


def _neighbors(
    unit: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nearest other sample, and how many others are nearer than the nearest of the same label.

    -1 where no other sample has the label. Among equally near ones the first comes first.
    """
    n = len(unit)
    nearest, rank = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    rows = max(1, _BLOCK_VALUES // n)
    places = np.arange(n)
    for first in range(0, n, rows):
        mine = places[first : first + rows]
        close = unit[mine] @ unit.T
        close[np.arange(len(mine)), mine] = -np.inf
        nearest[mine] = close.argmax(axis=1)
        same = (labels[mine][:, None] == labels[None, :]) & (mine[:, None] != places[None, :])
        mates = np.where(same, close, -np.inf)
        at = mates.argmax(axis=1)
        best = mates[np.arange(len(mine)), at][:, None]
        before = (close > best) | ((close == best) & (places[None, :] < at[:, None]))
        rank[mine] = np.where(same.any(axis=1), before.sum(axis=1), -1)
    return nearest, rank
