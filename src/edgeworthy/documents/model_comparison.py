"""What changes when one model takes the place of another."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.record import Document


class ModelComparison(Document, frozen=True, kw_only=True):
    """Two models on the same samples.

    Attributes:
        old: The model that is in use, on its own.
        new: The model that would take its place: its drops, flips and findings are against
            ``old``, whose digest stands in ``original``.
    """

    KIND: ClassVar[str] = "model-comparison"

    old: Evaluation
    new: Evaluation
