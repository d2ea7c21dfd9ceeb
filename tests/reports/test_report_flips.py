"""What was lost, where, and between which classes, in the report."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.estimate import exact
from edgeworthy.documents.evaluation import Evaluation, Finding, FlippedPair, SliceFlips

SENTENCE = "In digit=8 (67 samples), 3 right answers are lost and 0 gained: 4.5% worse."


def with_losses(evaluation: Evaluation) -> Evaluation:
    if evaluation.flips is None or not evaluation.flips.changed_count:
        return evaluation
    pair = FlippedPair(before=8, after=3, changed_count=2, negative_count=2, positive_count=0)
    part = SliceFlips(
        slice="digit=8",
        sample_count=67,
        negative_count=3,
        positive_count=0,
        changed_count=3,
        mcnemar_p_value=0.25,
        adjusted_p_value=0.75,
        negative_flip_limit=0.176,
    )
    found = Finding(
        kind="slice-regression",
        slice="digit=8",
        sentence=SENTENCE,
        estimate=exact(0.045, unit="ratio"),
        adjusted_p_value=0.01,
    )
    flips = replace(evaluation.flips, pairs=(pair,), slices=(part,))
    return replace(evaluation, flips=flips, findings=(found,))


def test_it_says_where_predictions_were_lost_and_what_the_mean_hides(
    page_of: Callable[[BuildRecord], str], record: BuildRecord
) -> None:
    assert "Which classes were exchanged" not in page_of(record)
    text = page_of(replace(record, evaluations=tuple(map(with_losses, record.evaluations))))
    assert "Which classes were exchanged" in text
    assert "at most 17.6%" in text
    assert SENTENCE in text
