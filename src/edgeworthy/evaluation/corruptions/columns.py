"""Corruptions of rows of a table: ``(n, columns)`` in the units of each column."""

from __future__ import annotations

from edgeworthy.evaluation.corruptions.base import Corruption, LevelT


class TableCorruption(Corruption[LevelT]):
    """A corruption of rows of a table: ``(n, columns)``."""

    kind = "table"
