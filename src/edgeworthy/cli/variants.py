"""Variants that were made, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.cli.output import console, figure, marked, table
from edgeworthy.documents.variant import Variant, VariantRefusal


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
