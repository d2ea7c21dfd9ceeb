"""Which of two artefacts is faster, and how that is known."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import Document, Record

#: ``undecided``: too few starts were finished for any verdict.
ComparisonVerdict = Literal["faster", "slower", "no visible difference", "undecided"]


class SelfCheck(Record, frozen=True, kw_only=True):
    """The baseline against itself, in the same rounds: what the machine makes of equal things.

    Attributes:
        ratio: One set of starts of the baseline over another; absent with too few starts.
        passed: Whether the interval holds 1. If not, the comparison's interval must clear this
            one too before there is a verdict.
    """

    ratio: Estimate | None
    passed: bool


class BudgetNeed(Record, frozen=True, kw_only=True):
    """What it would take to see a difference in 8 of 10 comparisons on a machine like this.

    Attributes:
        difference_ratio: 0.01 for one per cent.
        start_count: Starts of each artefact; absent beyond 100,000.
        duration_s: Time for all of it, at the pace of this comparison.
    """

    difference_ratio: float
    start_count: int | None
    duration_s: float | None


class Drift(Record, frozen=True, kw_only=True):
    """A change over the run, by Kendall's test over the starts.

    Attributes:
        baseline_change_ratio: Of the baseline's latency from first to last start: 0.1 for ten
            per cent slower.
        baseline_p_value: Chance of such an order without drift.
        ratio_change_ratio: Of the ratio itself, which turns do not cancel.
        ratio_p_value: The same for the ratio.
    """

    baseline_change_ratio: float
    baseline_p_value: float
    ratio_change_ratio: float
    ratio_p_value: float


class OutputAgreement(Record, frozen=True, kw_only=True):
    """How far the answers of both are apart on the same samples.

    Attributes:
        sample_count: Samples that both answered.
        largest_difference: Largest absolute difference of any output value.
        largest_output: Largest absolute value of the baseline's outputs, to hold it against.
        same_choice_ratio: Share of samples whose largest output is at the same place; absent when
            the first output is no vector of scores.
    """

    sample_count: int
    largest_difference: float
    largest_output: float
    same_choice_ratio: float | None


class Comparison(Document, frozen=True, kw_only=True):
    """Two artefacts that took turns in random order, and the verdict.

    Attributes:
        subject: Figures of the one in question.
        baseline: Figures of the one that it is held against.
        ratio: Subject over baseline, below 1 is faster; absent with too few starts.
        verdict: ``faster`` or ``slower`` when the whole interval says so.
        sentence: The verdict in plain English, with what this budget could and could not see.
        self_check: The baseline against itself.
        visible_difference_ratio: The smallest difference that this budget sees in 8 of 10
            comparisons, from the spread at hand; absent with too few starts.
        needs: Budgets that would see smaller ones.
        drift: What changed over the run; absent with too few starts.
        disturbed_turn_ratio: Share of turns that took far longer than the others of their start.
        outlying_starts: Starts (from 1) whose ratio stands apart from the others'.
        outputs: Whether both give the same answers; absent when their signatures differ.
        start_count: Starts of each artefact.
        duration_s: Time that the comparison took.
        seed: Of the random order.
        partial: Whether Ctrl-C ended it early.
    """

    KIND: ClassVar[str] = "comparison"

    subject: Measurement
    baseline: Measurement
    ratio: Estimate | None
    verdict: ComparisonVerdict
    sentence: str
    self_check: SelfCheck
    visible_difference_ratio: float | None
    needs: tuple[BudgetNeed, ...]
    drift: Drift | None
    disturbed_turn_ratio: float
    outlying_starts: tuple[int, ...]
    outputs: OutputAgreement | None
    start_count: int
    duration_s: float
    seed: int
    partial: bool = False
