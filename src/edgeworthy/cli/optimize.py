"""``edgeworthy optimize``: make the variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import (
    console,
    figure,
    interval,
    marked,
    print_json,
    print_outcomes,
    table,
)
from edgeworthy.cli.session import opened_project
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.variant import Variant, VariantRefusal

SamplesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=8,
        help="Evaluation samples to emulate the other classes of CPU on; few when left out.",
        metavar="N",
    ),
]


def optimize(
    project: ProjectOption = Path(),
    samples: SamplesOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Make the versions of the model that suit each target's class of CPU.

    Also says, as an estimate, what every class of CPU would see of them.

    Example: edgeworthy optimize --project digits
    """
    with opened_project(project) as opened:
        variants = opened.optimize()
        predictions = opened.predict(samples)
    if as_json:
        print_json([*variants, *predictions])
        return
    print_variants(variants, opened.refusals())
    print_predictions(predictions)
    if explain:
        print_outcomes(opened.outcomes)


def print_variants(variants: Sequence[Variant], refusals: Sequence[VariantRefusal]) -> None:
    """Variants as a table."""
    made = table("Variants", "variant", "KiB", "what was done", right=("KiB",))
    for each in variants:
        done = [one.name for one in each.passes if one.changed]
        made.add_row(each.name, figure(each.size_bytes / 1024), ", ".join(done) or "nothing")
    out = console()
    out.print(made)
    for refusal in refusals:
        out.print(marked("not made", "yellow", f"{refusal.recipe.name}: {refusal.reason}"))


def print_predictions(predictions: Sequence[Prediction]) -> None:
    """What each class of CPU will see, as a table; nothing when nothing was predicted."""
    if not predictions:
        return
    made = table(
        "Estimates by emulation",
        "variant",
        "class of CPU",
        "samples",
        "metric",
        "saturates in",
        right=("samples",),
    )
    for each in predictions:
        first = next(iter(each.metrics), None)
        said = f"{first.metric} {interval(first.estimate)}" if first else each.refusal
        nodes = [one.node for one in each.saturation]
        where = f"{len(nodes)} nodes, most in {nodes[0]}" if nodes else "nothing"
        made.add_row(
            each.variant,
            ", ".join(each.instruction_sets),
            str(each.sample_count),
            said,
            "-" if each.refusal else where,
        )
    console().print(made)
