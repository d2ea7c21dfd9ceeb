"""Which variant of a release a device runs: the rule that the manifest states, applied.

Rules:

1. The lines of ``selection`` are read from the first to the last; the first that fits decides, and
   nothing else does: no name of a CPU, no size, no guess.
2. A line fits when its class of CPU is the device's (``generic`` is every device's), when the
   device has the line's engine, and, where the device knows its target, when the line is for it.
3. The most specific class stands first and ``generic`` last, so that a device takes the variant
   that was judged on its own arithmetic wherever there is one.
4. A release from before the rule was written down has none; its variants then stand for it, in
   their own order.
5. Where no line fits there is no variant, and the reason names what the release is for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import get_args

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest, SelectionRule
from edgeworthy.errors import VerificationError

#: Classes of CPU in the order in which their lines stand (rule 3).
ORDER: tuple[InstructionSet, ...] = (
    "x86-vnni",
    "x86-avx2",
    "arm-dotprod",
    "arm-neon",
    "generic",
)


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The variant that a device runs.

    Attributes:
        variant: The variant.
        runtime: The engine to run it with.
        line: Which line of the rule fitted, from 0.
    """

    variant: ReleasedVariant
    runtime: str
    line: int


@dataclass(frozen=True)
class NoneFits:
    """No line of the rule fits the device.

    Attributes:
        reason: One sentence: what the release is for.
    """

    reason: str


def select_variant(
    manifest: ReleaseManifest,
    instruction_set: InstructionSet,
    *,
    runtimes: Collection[str] | None = None,
    target: str = "",
) -> Selected | NoneFits:
    """Apply the rule of a release on a device.

    Args:
        manifest: Of a release that was verified.
        instruction_set: How the device's CPU multiplies 8-bit integers.
        runtimes: Names of the engines that the device has; None to not look at engines.
        target: The target of the project that the device stands for, if it knows.
    """
    variants = {each.name: each for each in manifest.variants}
    rules = selection_of(manifest)
    for line, rule in enumerate(rules):
        if rule.instruction_set not in {instruction_set, "generic"}:
            continue
        if runtimes is not None and rule.runtime not in runtimes:
            continue
        if target and rule.target != target:
            continue
        return Selected(variant=variants[rule.variant], runtime=rule.runtime, line=line)
    offered = dict.fromkeys(f"{each.instruction_set} with {each.runtime}" for each in rules)
    meant = f" as target {target}" if target else ""
    return NoneFits(
        f"the release is for {', '.join(offered) or 'nothing'}; this device is "
        f"{instruction_set}{meant}"
    )


def selection_of(manifest: ReleaseManifest) -> tuple[SelectionRule, ...]:
    """The lines of the rule, those of older releases included (rule 4)."""
    return manifest.selection or selection_rules(manifest.variants)


def selection_rules(
    variants: Sequence[ReleasedVariant],
    *,
    classes: dict[str, InstructionSet] | None = None,
    runtimes: dict[str, str] | None = None,
) -> tuple[SelectionRule, ...]:
    """Write the rule down, in order.

    Args:
        variants: What ships.
        classes: Class of CPU by target; without it each target of a variant has every class of it.
        runtimes: Engine by target; without it the variant's own.
    """
    lines = [
        SelectionRule(
            instruction_set=each,
            target=target,
            runtime=(runtimes or {}).get(target, variant.runtime),
            variant=variant.name,
        )
        for variant in variants
        for target in variant.targets
        for each in variant.instruction_sets
        if classes is None or classes[target] == each
    ]
    return tuple(sorted(lines, key=lambda line: (ORDER.index(line.instruction_set), line.target)))


def check_selection(manifest: ReleaseManifest, *, where: str) -> None:
    """Refuse a rule that does not say the same as the variants.

    Raises:
        VerificationError: A line names a variant, target or class that it was not judged for, a
            target of a variant has no line, or the order is another one (rule 3).
    """
    if not manifest.selection:
        return
    judged = {
        (name, target, each)
        for name, variant in ((one.name, one) for one in manifest.variants)
        for target in variant.targets
        for each in variant.instruction_sets
    }
    for line in manifest.selection:
        if (line.variant, line.target, line.instruction_set) not in judged:
            raise VerificationError(
                "the rule that selects a variant names what was not judged",
                expected="a variant with one of its targets and classes of CPU",
                found=f"{line.variant} for {line.target} on {line.instruction_set}",
                where=where,
            )
    chosen = {(line.variant, line.target) for line in manifest.selection}
    missing = {(name, target) for name, target, _ in judged} - chosen
    if missing:
        name, target = min(missing)
        raise VerificationError(
            "the rule that selects a variant leaves one out",
            found=f"nothing selects {name} for {target}",
            where=where,
        )
    places = [ORDER.index(line.instruction_set) for line in manifest.selection]
    if places != sorted(places):
        raise VerificationError(
            "the rule that selects a variant is out of order",
            expected=", ".join(ORDER),
            found=", ".join(line.instruction_set for line in manifest.selection),
            where=where,
        )


if set(ORDER) != set(get_args(InstructionSet)):  # pragma: no cover - a new class needs its place
    raise AssertionError("every class of CPU has its place in the order")
