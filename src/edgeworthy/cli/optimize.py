"""``edgeworthy optimize``: make the variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import console, figure, marked, print_json, print_outcomes, table
from edgeworthy.cli.session import opened_project
from edgeworthy.documents.variant import Variant, VariantRefusal


def optimize(
    project: ProjectOption = Path(), as_json: JsonOption = False, explain: ExplainOption = False
) -> None:
    """Make the versions of the model that suit each target's class of CPU.

    Example: edgeworthy optimize --project digits
    """
    with opened_project(project) as opened:
        variants = opened.optimize()
    if as_json:
        print_json(variants)
        return
    print_variants(variants, opened.refusals())
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
