"""What classes of CPU that were not at hand will see: estimates, and said to be."""

from __future__ import annotations

from edgeworthy.documents.prediction import Prediction
from edgeworthy.reports.blocks import Cell, Details, Note, Row, Section, Table
from edgeworthy.reports.formatting import estimate_text, number
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import plain, plural, sentence

_MOST_NODES = 10


def prediction_section(index: BuildIndex) -> Section | None:
    """One row per variant and class of CPU, the nodes that saturate folded below."""
    found = index.record.predictions
    if not found:
        return None
    details = tuple(_nodes(each) for each in found if each.saturation)
    return Section(
        key="classes",
        title="Other classes of CPU",
        lead="Estimates: the integer arithmetic of each class was emulated on the first evaluation "
        "samples. They are no evidence, and the gate takes none of them.",
        blocks=(_table(found), *details),
    )


def _table(found: tuple[Prediction, ...]) -> Table:
    return Table(
        caption="Estimates by class of CPU",
        columns=("Variant", "Class of CPU", "Samples", "Estimate", "Drop", "Saturates"),
        rows=tuple(_row(each) for each in found),
    )


def _row(found: Prediction) -> Row:
    metric = next(iter(found.metrics), None)
    estimate, drop = Cell(sentence(found.refusal), tone="absent"), Cell("")
    if metric is not None:
        estimate = Cell(estimate_text(metric.estimate), note=plain(metric.metric), tone="number")
        drop = Cell(estimate_text(metric.drop), tone="number") if metric.drop else Cell("")
    where = plural(len(found.saturation), "node") if found.saturation else "nowhere"
    return Row(
        (
            Cell(plain(found.variant)),
            Cell(plain(", ".join(found.instruction_sets))),
            Cell(str(found.sample_count), tone="number"),
            estimate,
            drop,
            Cell("unknown" if found.refusal else where),
        )
    )


def _nodes(found: Prediction) -> Details:
    rows = tuple(
        Row(
            (
                Cell(plain(each.node)),
                Cell(number(each.pair_ratio), tone="number"),
                Cell(number(each.output_ratio), tone="number"),
                Cell(number(each.mean_shift_steps), tone="number"),
                Cell(number(each.largest_shift_steps), tone="number"),
            )
        )
        for each in found.saturation[:_MOST_NODES]
    )
    name = f"{plain(found.variant)} on {plain(found.instruction_sets[0])}"
    table = Table(
        caption=f"Saturation of {name}",
        columns=("Node", "Pairs cut off", "Outputs changed", "Mean shift", "Largest shift"),
        rows=rows,
    )
    note = Note("Shares of the sums of two products and of the output numbers; shifts in steps.")
    return Details(f"Where {name} saturates", (table, note))
