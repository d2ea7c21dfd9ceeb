"""How an artefact takes what goes wrong between the world and the model."""

from __future__ import annotations

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.project import SampleKind
from edgeworthy.documents.record import Record


class CorruptionFigure(Record, frozen=True, kw_only=True):
    """A figure under one corruption, or the mean over several.

    Attributes:
        metric: ``corruption_`` and the task's first metric, or ``relative_corruption_error``.
        corruption: Name of a corruption or of a group; empty for the mean over all.
        severity: 1 to 5, 0 for the same samples as they are; absent for the mean over all.
        estimate: The value with its interval; n counts samples, not answers.
        drop: How much worse than the original under the same conditions, on the same samples
            (positive is worse); absent for the original itself and for relative figures.
    """

    metric: str
    corruption: str
    severity: int | None
    estimate: Estimate
    drop: Estimate | None = None


class StudiedCorruption(Record, frozen=True, kw_only=True):
    """A corruption that was tried.

    Attributes:
        name: As in the project file.
        group: What causes it.
        title: For people.
    """

    name: str
    group: str
    title: str


class CorruptionStudy(Record, frozen=True, kw_only=True):
    """One artefact under corruptions of raw samples.

    Attributes:
        kind: What the samples were taken for.
        metric: The task's metric that was taken under each.
        sample_count: Samples that were corrupted, evenly spread over the set.
        severities: Those that were tried.
        corruptions: Those that were tried, group by group.
        figures: As they are first, then the means, then each severity; at each confidence.
        left_out: Corruptions that these samples cannot have, and why, one sentence each.
        seed: Of the random draws; with it, the same samples are corrupted alike.
    """

    kind: SampleKind
    metric: str
    sample_count: int
    severities: tuple[int, ...]
    corruptions: tuple[StudiedCorruption, ...]
    figures: tuple[CorruptionFigure, ...]
    left_out: tuple[str, ...]
    seed: int
