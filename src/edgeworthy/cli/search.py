"""What a search found, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from edgeworthy.cli.output import console, figure, folded, interval, marked, note, stacked, table
from edgeworthy.documents.search import Search, Trial

if TYPE_CHECKING:
    from edgeworthy.workflow.search.session import SearchResult

_BASES = {
    "agreement-classes": "the samples have no labels: the metric is agreement with the float "
    "model, not accuracy",
    "agreement-vectors": "the samples have no labels: the metric is the mean cosine between the "
    "outputs and the float model's, of several outputs the one that is furthest off",
}
_MOST_REMARKS = 8
_METRIC_WIDTH = 14
_NAME_WIDTH = 15


def print_search(result: SearchResult) -> None:
    """The versions, the choice and why, and where everything lies."""
    search = result.search
    out = console()
    made = table(
        f"Versions for {search.target} ({search.instruction_set}), {search.prefer}",
        "version",
        folded(search.metric, _METRIC_WIDTH),
        "loss",
        "x original",
        "KiB",
        "front",
        right=("KiB",),
    )
    made.columns[0].no_wrap = True
    for each in search.trials:
        if not each.failure:
            made.add_row(*_row(search, each, out.width))
    out.print(made)
    for each in search.trials:
        if each.failure:
            out.print(marked("passed over", "yellow", f"{each.name}: {each.failure}"))
    _print_notes(search)
    if search.self_check is not None:
        check = interval(search.self_check)
        out.print(f"The original against itself: x {check}. {search.sample_count} samples judge.")
    out.print(marked("chosen", "green", f"{search.chosen}: {search.reason}."))
    for remark in search.remarks[:_MOST_REMARKS]:
        out.print(marked("why", "dim", f"{remark.node or 'the machine'}: {remark.sentence}"))
    left = len(search.remarks) - _MOST_REMARKS
    if left > 0:
        out.print(f"{left} more reasons stand on the page.")
    out.print(f"Ended: {search.ended}. Trials took {figure(search.spent_s)} s.")
    out.print(f"{result.artifact}")
    if result.recipe is not None:
        out.print(f"{result.recipe}")
    out.print(f"{result.page}")


def _print_notes(search: Search) -> None:
    """What a reader must know of the figures and of the files."""
    if search.basis in _BASES:
        console().print(note(_BASES[search.basis]))
    if search.pinned:
        sizes = ", ".join(f"{each.axis} of {each.input} = {each.size}" for each in search.pinned)
        console().print(note(f"every version takes inputs of the samples' size: {sizes}"))


def _row(search: Search, trial: Trial, width: int) -> tuple[str | Text, ...]:
    chosen = trial.name == search.chosen
    figures = ["-" if e is None else interval(e) for e in (trial.metric, trial.loss, trial.ratio)]
    return (
        Text(folded(trial.name, _NAME_WIDTH), style="bold green" if chosen else ""),
        *(stacked(each, width) for each in figures),
        figure(trial.size_bytes / 1024),
        ("chosen" if chosen else "yes") if trial.on_front else ("chosen" if chosen else ""),
    )
