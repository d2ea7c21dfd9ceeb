"""What an evaluation is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.project import Scores, Task


@dataclass(frozen=True)
class EvaluationSettings:
    """How outputs are read and how sure the intervals must be.

    Attributes:
        task: What the outputs mean.
        scores: Whether a classifier's outputs are logits or probabilities.
        label_count: Number of classes; 0 takes it from the outputs.
        confidences: Coverage of the intervals, each in (0, 1); each metric is given at each.
        seed: Seed of the bootstrap.
        is_original: The subject is the original itself: nothing to compare with.
        resamples: Resamples of the bootstrap.
        threshold: Anomaly score from which an alarm is raised.
        temperature: What a classifier's logits are divided by before the softmax.

    >>> EvaluationSettings(task="classification", confidences=(0.95, 0.9)).confidences
    (0.95, 0.9)
    """

    task: Task
    scores: Scores = "logits"
    label_count: int = 0
    confidences: tuple[float, ...] = (0.95,)
    seed: int = 0
    is_original: bool = False
    resamples: int = 1000
    temperature: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no interval can be made for."""
        if not self.confidences or not all(0.0 < level < 1.0 for level in self.confidences):
            raise ValueError(f"confidences must lie between 0 and 1: {self.confidences}")
        if min(self.label_count, self.seed, self.resamples - 1) < 0:
            raise ValueError("label_count and seed cannot be negative, resamples must be positive")
        if not self.temperature > 0.0:
            raise ValueError(f"a temperature is above 0: {self.temperature}")
