"""From scores under each condition to figures with intervals, and to what a person should know.

Rules:

1. Means are over conditions of equal weight; the observation is the sample.
2. A finding is that the artefact loses more under a corruption than it loses on the samples as they
   are: the original under the same corruption is the measure, not a fixed bound. The corruptions of
   an artefact are tested together (Holm, 5 %), and a loss below two points is not worth a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.corruption import CorruptionFigure, StudiedCorruption
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Finding
from edgeworthy.evaluation.corruptions.scoring import RELATIVE_ERROR, ScoreTable, Scoring
from edgeworthy.statistics.clustered import ratio_of_means, student_mean
from edgeworthy.statistics.distributions import normal_probability
from edgeworthy.statistics.multiplicity import holm

#: Further loss under a corruption that is not worth a sentence.
TOLERATED_LOSS = 0.02
#: Chance of a sentence where there is nothing, for all corruptions together.
FALSE_ALARM_RATIO = 0.05
_CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of one artefact.

    Attributes:
        clean: ``(1, n)``: on the samples as they are.
        corrupted: Per corruption ``(severities, n)``.
    """

    clean: ScoreTable
    corrupted: Mapping[str, ScoreTable]

    def selected(self, names: Sequence[str], severity: int | None = None) -> ScoreTable:
        """Scores under some corruptions, at all severities or at the one of this position."""
        tables = [self.corrupted[name] for name in names]
        rows = slice(None) if severity is None else slice(severity, severity + 1)
        return np.concatenate([table[rows] for table in tables])


@dataclass(frozen=True, eq=False)
class Question:
    """What the scores are about.

    Attributes:
        scoring: How answers were scored.
        labels: ``(n,)``.
        corruptions: In order.
        severities: In order.
        confidences: One interval for each.
    """

    scoring: Scoring
    labels: NDArray[np.int64]
    corruptions: tuple[StudiedCorruption, ...]
    severities: tuple[int, ...]
    confidences: tuple[float, ...]

    @property
    def metric(self) -> str:
        """Name of the metric under corruption."""
        return f"corruption_{self.scoring.metric}"


def corruption_figures(
    question: Question, subject: Scored, original: Scored | None
) -> tuple[CorruptionFigure, ...]:
    """All figures of one artefact.

    Args:
        question: What the scores are about.
        subject: The artefact's.
        original: The original's under the same conditions; None for the original itself.
    """
    found: list[CorruptionFigure] = []
    for name, severity, table, reference in _selections(question, subject, original):
        for confidence in question.confidences:
            found += _figures(question, (name, severity, confidence), table, reference)
    return tuple(found)


def _selections(
    question: Question, subject: Scored, original: Scored | None
) -> Iterator[tuple[str, int | None, ScoreTable, ScoreTable | None]]:
    yield "", 0, subject.clean, original.clean if original else None
    names = [each.name for each in question.corruptions]
    groups = dict.fromkeys(each.group for each in question.corruptions)
    chosen = [("", names)]
    chosen += [
        (group, [each.name for each in question.corruptions if each.group == group])
        for group in groups
    ]
    chosen += [(name, [name]) for name in names]
    for label, some in chosen:
        places = [(None, None), *enumerate(question.severities)]
        for position, severity in places if label not in groups else places[:1]:
            yield (
                label,
                severity,
                subject.selected(some, position),
                original.selected(some, position) if original else None,
            )


def _figures(
    question: Question,
    which: tuple[str, int | None, float],
    table: ScoreTable,
    reference: ScoreTable | None,
) -> Iterator[CorruptionFigure]:
    scoring, labels = question.scoring, question.labels
    corruption, severity, confidence = which
    estimate = scoring.estimate(table, labels, confidence=confidence)
    if estimate is None:
        return
    drop = None
    if reference is not None:
        drop = scoring.drop(table, reference, labels, confidence=confidence)
    yield CorruptionFigure(
        metric=question.metric,
        corruption=corruption,
        severity=severity,
        estimate=estimate,
        drop=drop,
    )
    if reference is None or severity is not None:
        return
    ratio = ratio_of_means(
        scoring.errors(table, labels), scoring.errors(reference, labels), confidence=confidence
    )
    if ratio is not None:
        yield CorruptionFigure(
            metric=RELATIVE_ERROR, corruption=corruption, severity=None, estimate=ratio
        )


def corruption_findings(
    question: Question, subject: Scored, original: Scored
) -> tuple[Finding, ...]:
    """Corruptions that the artefact takes worse than the original does (rule 2)."""
    if question.scoring.unit != "ratio" or len(question.labels) < 2:  # noqa: PLR2004 - one sample has no spread
        return ()
    losses = {
        each.name: _further_loss(question, subject, original, each.name)
        for each in question.corruptions
    }
    adjusted = holm([_p_value(loss) for loss in losses.values()])
    found = []
    for each, p_value in zip(question.corruptions, adjusted, strict=True):
        estimate = student_mean(losses[each.name], confidence=_CONFIDENCE, unit="ratio")
        if estimate is None or p_value > FALSE_ALARM_RATIO or estimate.value < TOLERATED_LOSS:
            continue
        found.append((estimate, p_value, each))
    found.sort(key=lambda entry: -entry[0].value)
    return tuple(
        Finding(
            kind="corruption-loss",
            slice=f"corruption={each.name}",
            sentence=_sentence(question, subject, original, each, estimate),
            estimate=estimate,
            adjusted_p_value=p_value,
        )
        for estimate, p_value, each in found
    )


def _further_loss(
    question: Question, subject: Scored, original: Scored, name: str
) -> NDArray[np.float64]:
    scoring, labels = question.scoring, question.labels
    under = scoring.losses(subject.selected([name]), original.selected([name]), labels)
    return np.asarray(under - scoring.losses(subject.clean, original.clean, labels))


def _p_value(losses: NDArray[np.float64]) -> float:
    """One-sided, that the mean is not above 0."""
    error = float(losses.std(ddof=1)) / math.sqrt(len(losses))
    mean = float(losses.mean())
    if error <= 0.0:
        return 1.0 if mean <= 0.0 else 0.0
    return 1.0 - normal_probability(mean / error)


def _sentence(
    question: Question,
    subject: Scored,
    original: Scored,
    corruption: StudiedCorruption,
    estimate: Estimate,
) -> str:
    scoring, labels = question.scoring, question.labels
    after, before = (
        float(scoring.means(each.selected([corruption.name]), labels).mean())
        for each in (subject, original)
    )
    return (
        f"{corruption.title} ({corruption.name}): {scoring.metric} {after:.3f} against the "
        f"original's {before:.3f}, which is {estimate.value:.1%} more than is lost on the samples "
        "as they are."
    )
