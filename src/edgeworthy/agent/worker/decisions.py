"""From a model's raw outputs to what a person asked for: label and probability, value, or score.

Rules:

1. The same arithmetic by which the release was evaluated, in float64: the decision is the highest
   score, the first among equals; a single output is the logit or the probability of class 1 of
   two.
2. Logits are divided by the variant's temperature before the softmax; of probabilities the
   logarithms are, none taken below that of one in a million. A temperature of 1 leaves
   probabilities as they are.
3. A task that has no rule here gives the model's outputs as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.project import Scores
from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest
from edgeworthy.errors import InferenceError

_LEAST_PROBABILITY = 1e-6

Outputs = dict[str, NDArray[Any]]


class Decisions:
    """How the outputs of one variant are read.

    Args:
        manifest: Task, output, scores and labels.
        variant: Its temperature.
    """

    def __init__(self, manifest: ReleaseManifest, variant: ReleasedVariant) -> None:
        self._manifest = manifest
        self._temperature = variant.temperature

    @property
    def outputs(self) -> tuple[tuple[str, str, int], ...]:
        """Name, protocol data type and number of axes of each output."""
        task = str(self._manifest.task)
        if task == "classification":
            return (
                ("label", "BYTES", 1),
                ("index", "INT64", 1),
                ("probability", "FP64", 1),
                ("probabilities", "FP64", 2),
            )
        if task == "regression":
            return (("value", "FP64", 1),)
        if task == "anomaly":
            return (("score", "FP64", 1),)
        return ()

    def of(self, outputs: Mapping[str, NDArray[Any]], count: int) -> Outputs:
        """Decisions about ``count`` samples.

        Args:
            outputs: Of the model, ``(count, ...)`` each.
            count: Samples.

        Raises:
            InferenceError: The output does not fit the task, or is not a finite number.
        """
        if not self.outputs:
            return dict(outputs)
        values = outputs[self._manifest.output]
        table = values.reshape(count, -1).astype(np.float64)
        if not np.isfinite(table).all():
            raise InferenceError("the model's output is not a finite number")
        if self._manifest.task == "classification":
            return self._classes(table)
        if table.shape[1] != 1:
            raise InferenceError("the model gives more than one value per sample")
        return {self.outputs[0][0]: table[:, 0]}

    def _classes(self, table: NDArray[np.float64]) -> Outputs:
        chances = probabilities(table, self._manifest.scores, self._temperature)
        # Of the scores, not of the chances: rounding must not make equals of them.
        index = np.argmax(chances if table.shape[1] == 1 else table, axis=1)
        names = self._manifest.labels or tuple(str(each) for each in range(chances.shape[1]))
        if len(names) != chances.shape[1]:
            raise InferenceError("the model has another number of classes than labels")
        label = np.empty(len(index), object)
        label[:] = [names[each].encode() for each in index]
        return {
            "label": label,
            "index": index.astype(np.int64),
            "probability": chances[np.arange(len(index)), index],
            "probabilities": chances,
        }


def probabilities(
    table: NDArray[np.float64], scores: Scores, temperature: float
) -> NDArray[np.float64]:
    """Probabilities of classes.

    Args:
        table: ``(n, classes)``, or ``(n, 1)`` for class 1 of two.
        scores: What the values are.
        temperature: Above 0.

    Returns:
        ``(n, classes)``; logits give rows that add up to 1.

    >>> probabilities(np.array([[0.0, 0.0]]), "logits", 2.0).tolist()
    [[0.5, 0.5]]
    """
    if table.shape[1] == 1:
        other = -table if scores == "logits" else 1.0 - table
        table = np.hstack([other, table]) / (2 if scores == "logits" else 1)
    if scores == "probabilities":
        if temperature == 1.0:
            return np.clip(table, 0.0, 1.0)
        table = np.log(np.maximum(table, _LEAST_PROBABILITY))
    table = table / temperature
    raised = np.exp(table - table.max(axis=1, keepdims=True))
    chances: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return chances
