"""What ``edgeworthy evaluate --compare OLD NEW`` prints."""

from __future__ import annotations

from edgeworthy.cli.output import console, figure, folded, interval, note, stacked, table
from edgeworthy.documents.evaluation import Evaluation, Finding, Flips, MetricValue
from edgeworthy.documents.model_comparison import ModelComparison

_SHOWN_CONFIDENCE = 0.95
_MOST_ROWS = 10
#: Characters that a name may always take, and that three figures with their intervals take.
_NAME_WIDTH, _FIGURES_WIDTH = 18, 68


def print_comparison(comparison: ModelComparison) -> None:
    """Metrics of both, what is lost and gained, where, and between which classes."""
    out = console()
    old, new = comparison.old, comparison.new
    before, after = _shown(old), _shown(new)
    out.print(f"{old.variant} -> {new.variant}, {new.dataset.sample_count} samples")
    made = table("", "metric", "old", "new", "worse by")
    made.columns[0].no_wrap = True
    for (name, part), value in after.items():
        if not part:
            was = before.get((name, part))
            made.add_row(
                folded(name, max(_NAME_WIDTH, out.width - _FIGURES_WIDTH)),
                stacked(interval(was.estimate), out.width) if was else "-",
                stacked(interval(value.estimate), out.width),
                stacked(interval(value.drop), out.width),
            )
    out.print(made)
    if new.flips is not None:
        print_flips(new.flips)
    print_findings(new.findings)


def print_flips(flips: Flips) -> None:
    """Right answers lost and gained: in all, per slice, per pair of classes."""
    out = console()
    out.print(
        f"{flips.negative_count} right answers lost, {flips.positive_count} gained, "
        f"{flips.changed_count} changed; McNemar p = {figure(flips.mcnemar_p_value)}"
    )
    if flips.slices:
        made = table("Slices, the surest losses first", "slice", "n", "lost", "gained", "p")
        for each in flips.slices[:_MOST_ROWS]:
            counts = (each.sample_count, each.negative_count, each.positive_count)
            made.add_row(each.slice, *map(str, counts), figure(each.adjusted_p_value))
        out.print(made)
    if flips.pairs:
        made = table("Class pairs", "before", "after", "changed", "lost", "gained")
        for pair in flips.pairs[:_MOST_ROWS]:
            row = (pair.before, pair.after, pair.changed_count)
            made.add_row(*map(str, (*row, pair.negative_count, pair.positive_count)))
        out.print(made)


def print_findings(findings: tuple[Finding, ...]) -> None:
    """What the overall figures hide."""
    for each in findings:
        console().print(note(each.sentence))


def _shown(evaluation: Evaluation) -> dict[tuple[str, str], MetricValue]:
    return {
        (each.metric, each.slice): each
        for each in evaluation.metrics
        if each.estimate.confidence in {_SHOWN_CONFIDENCE, 1.0}
    }
