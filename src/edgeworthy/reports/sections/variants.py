"""How each variant was made."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.variant import EquivalenceRecord, Recipe, Variant, VariantRefusal
from edgeworthy.reports.blocks import Block, Cell, Details, Heading, Note, Row, Section, Table
from edgeworthy.reports.formatting import bytes_text, digest_short, number
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import plain, plural, sentence


def variants_section(index: BuildIndex) -> Section:
    """One row per variant, its passes folded below."""
    variants = index.record.variants
    refused = _refusals(index.record.refusals)
    if not variants:
        blocks = (Note("No variant was made."), *refused)
        return Section("variants", "Variants", "", blocks)
    details = [passes_details(variant) for variant in variants if variant.passes]
    return Section(
        key="variants",
        title="Variants",
        lead="With the original, the calibration samples and these tools, each can be made again.",
        blocks=(variant_table(variants), *details, *refused),
    )


def _refusals(refusals: Sequence[VariantRefusal]) -> tuple[Block, ...]:
    if not refusals:
        return ()
    rows = tuple(
        Row(
            (
                Cell(plain(entry.recipe.name)),
                Cell(_recipe_text(entry.recipe)),
                Cell(sentence(entry.reason)),
            )
        )
        for entry in refusals
    )
    table = Table(
        caption="Recipes that made no variant", columns=("Recipe", "What", "Why not"), rows=rows
    )
    return (Heading("Recipes that made no variant"), table)


def variant_table(variants: tuple[Variant, ...]) -> Table:
    """Recipe, artefact, size and proof of each."""
    return Table(
        caption="Variants and how they were made",
        columns=("Variant", "Recipe", "Artefact", "File", "Calibration", "Equivalence"),
        rows=tuple(_row(variant) for variant in variants),
    )


def _row(variant: Variant) -> Row:
    calibration = (
        Cell(digest_short(variant.calibration), tone="code", hint=variant.calibration)
        if variant.calibration
        else Cell("none needed", tone="absent")
    )
    return Row(
        (
            Cell(plain(variant.name)),
            Cell(_recipe_text(variant.recipe)),
            Cell(digest_short(variant.artifact), tone="code", hint=variant.artifact),
            Cell(bytes_text(variant.size_bytes)),
            calibration,
            _equivalence(variant.equivalence),
        )
    )


def _recipe_text(recipe: Recipe) -> str:
    found = recipe.quantization
    if found is None:
        return plain(recipe.precision)
    scales = "a scale per channel" if found.per_channel else "a scale per tensor"
    reduced = ", weights in 7 bits" if found.reduced_range else ""
    return plain(
        f"{recipe.precision}: {found.activation_type} activations, {found.weight_type} weights, "
        f"{scales}{reduced}, {found.calibration_method} ranges"
    )


def _equivalence(found: EquivalenceRecord | None) -> Cell:
    if found is None:
        return Cell("changes outputs", note="judged by its metrics", tone="absent")
    seed = "given samples" if found.seed is None else f"seed {found.seed}"
    return Cell(
        f"differs by at most {number(found.largest_difference)}",
        note=f"allowed {number(found.tolerance)}; {plural(found.sample_count, 'input')}, {seed}, "
        f"{digest_short(found.inputs_digest)}",
        hint=found.inputs_digest,
    )


def passes_details(variant: Variant) -> Details:
    """What was done, in order."""
    changed = sum(entry.changed for entry in variant.passes)
    rows = tuple(
        Row(
            (
                Cell(plain(entry.name)),
                Cell("changed the graph" if entry.changed else "changed nothing"),
                Cell(plain(entry.detail)),
            )
        )
        for entry in variant.passes
    )
    table = Table(
        caption=f"Passes of {plain(variant.name)}", columns=("Pass", "Effect", "Detail"), rows=rows
    )
    title = f"Passes of {plain(variant.name)}: {changed} of {len(rows)} changed the graph"
    tools = plain(", ".join(variant.tool_versions))
    return Details(title, (table, Note(f"Made with {tools}.")) if tools else (table,))
