"""A gate decision in words, the same in every kind of report."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.gate import GateDecision, RequirementResult, Verdict
from edgeworthy.reports.wording import plural

_WORDS = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.INCONCLUSIVE: "not settled"}
_GRAVITY = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
_HEADLINES = {
    Verdict.PASS: "Fit to ship",
    Verdict.FAIL: "Refused",
    Verdict.INCONCLUSIVE: "Not settled",
}
_PARTICIPLES = {
    Verdict.PASS: "met",
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "not settled",
}


def verdict_word(verdict: Verdict) -> str:
    """A verdict where it stands alone."""
    return _WORDS[verdict]


def verdict_headline(verdict: Verdict) -> str:
    """A verdict as the title of a report."""
    return _HEADLINES[verdict]


def chosen_results(decision: GateDecision) -> tuple[RequirementResult, ...]:
    """Results of the variant that was chosen, or came closest, on each target."""
    chosen = {(target.target, target.variant) for target in decision.targets}
    return tuple(r for r in decision.results if (r.target, r.variant) in chosen)


def worst_first(results: Sequence[RequirementResult]) -> tuple[RequirementResult, ...]:
    """What failed, then what is not settled, then what is met; else in the order given."""
    return tuple(sorted(results, key=lambda result: _GRAVITY.index(result.verdict)))


def summary_of(decision: GateDecision) -> str:
    """How the chosen variants stand, in a sentence."""
    results = chosen_results(decision)
    where = plural(len(decision.targets), "target")
    if not results:
        return f"No requirement was held against {where}."
    counts = {verdict: sum(r.verdict is verdict for r in results) for verdict in Verdict}
    if counts[Verdict.PASS] == len(results):
        met = (
            "The only requirement is"
            if len(results) == 1
            else f"All {len(results)} requirements are"
        )
        return f"{met} met on {where}."
    parts = [f"{count} {_PARTICIPLES[verdict]}" for verdict, count in counts.items() if count]
    return f"{plural(len(results), 'requirement')} on {where}: {', '.join(parts)}."
