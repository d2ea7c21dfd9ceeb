"""What the overall figures hide, in sentences.

Rules:

1. Negative flips: more than 1 in 100 right answers are lost, with 95 % confidence, whatever the
   accuracy does.
2. Slice regression: a slice loses more right answers than it gains, by McNemar's exact test, and
   loses more of them than the rest does, by Fisher's; each at 5 % for all slices together (Holm).
   A loss that all slices share is no regression of a slice.
3. Calibration loss: the expected calibration error rises by more than 0.01, with 95 % confidence.
4. Over-confidence: the mean confidence is more than 0.02 above the accuracy and rises by more than
   0.01 against the original, each with 95 % confidence.
5. Nothing here is a verdict: a requirement decides, a finding says where to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Finding, Flips, MetricValue

#: Share of lost right answers that is not worth a sentence.
TOLERATED_FLIP_RATIO = 0.01
#: Rise of the expected calibration error that is not worth a sentence.
TOLERATED_CALIBRATION_LOSS = 0.01
#: Confidence above accuracy that is not worth a sentence.
TOLERATED_OVERCONFIDENCE = 0.02
#: Chance of a sentence about slices where there is nothing, for all slices together.
FALSE_ALARM_RATIO = 0.05
_CONFIDENCE = 0.95


def find_regressions(metrics: Sequence[MetricValue], flips: Flips | None) -> tuple[Finding, ...]:
    """What got worse without showing in the overall figures.

    Args:
        metrics: Of the artefact, with drops against the original.
        flips: Against the original; None when there is nothing to compare with.
    """
    if flips is None:
        return ()
    return (
        *_negative_flips(metrics, flips),
        *_slice_regressions(metrics, flips),
        *_calibration_loss(metrics),
        *_overconfidence(metrics),
    )


def _negative_flips(metrics: Sequence[MetricValue], flips: Flips) -> Iterator[Finding]:
    value = _figure(metrics, "negative_flip_ratio", "")
    if value is None or value.estimate.low <= TOLERATED_FLIP_RATIO:
        return
    yield Finding(
        kind="negative-flips",
        slice="",
        sentence=f"{flips.negative_count} right answers are lost ({value.estimate.value:.1%} of "
        f"all samples), {flips.positive_count} are gained: the accuracy shows only the difference.",
        estimate=value.estimate,
    )


def _slice_regressions(metrics: Sequence[MetricValue], flips: Flips) -> Iterator[Finding]:
    for each in flips.slices:
        p_value = max(each.adjusted_p_value, each.excess_p_value or 0.0)
        if p_value > FALSE_ALARM_RATIO or each.negative_count <= each.positive_count:
            continue
        drop = _drop(metrics, "accuracy", each.slice)
        if drop is not None:
            yield Finding(
                kind="slice-regression",
                slice=each.slice,
                sentence=f"In {each.slice} ({each.sample_count} samples), {each.negative_count} "
                f"right answers are lost and {each.positive_count} gained: {drop.value:.1%} worse.",
                estimate=drop,
                adjusted_p_value=p_value,
            )


def _calibration_loss(metrics: Sequence[MetricValue]) -> Iterator[Finding]:
    drop = _drop(metrics, "expected_calibration_error", "")
    if drop is not None and drop.low > TOLERATED_CALIBRATION_LOSS:
        yield Finding(
            kind="calibration-loss",
            slice="",
            sentence="Confidence means less than before: it is farther from the accuracy by "
            f"{drop.value:.1%} on average.",
            estimate=drop,
        )


def _overconfidence(metrics: Sequence[MetricValue]) -> Iterator[Finding]:
    value = _figure(metrics, "overconfidence", "")
    if value is None or value.drop is None or value.estimate.low <= TOLERATED_OVERCONFIDENCE:
        return
    if value.drop.low > TOLERATED_CALIBRATION_LOSS:
        yield Finding(
            kind="over-confidence",
            slice="",
            sentence=f"The confidence is {value.estimate.value:.1%} above the accuracy on average, "
            f"{value.drop.value:.1%} more than the original's.",
            estimate=value.estimate,
        )


def _drop(metrics: Sequence[MetricValue], metric: str, part: str) -> Estimate | None:
    value = _figure(metrics, metric, part)
    return value.drop if value is not None else None


def _figure(metrics: Sequence[MetricValue], metric: str, part: str) -> MetricValue | None:
    """The figure at 95 %, or at the nearest confidence there is."""
    found = [each for each in metrics if (each.metric, each.slice) == (metric, part)]
    return min(found, key=lambda each: abs(each.estimate.confidence - _CONFIDENCE), default=None)
