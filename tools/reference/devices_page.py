"""``docs/reference/device-profiles.md``: the classes of device that come with Edgeworthy."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices import find_profile, profile_names
from edgeworthy.documents.device import DeviceProfile, InstructionSet, SourcedFigure
from edgeworthy.optimization import recipes_for
from reference.markdown import code, document, table

_INTRODUCTION = """\
`device` of a [target](project-file.md#targetsname) names one of these profiles, or the path of a
`.toml` file of your own; [Device classes](../concepts/device-classes.md) says what a profile is
for. Every figure has a source; a figure that nobody vouches for, or that varies within the class,
is left out."""

_HOST = """\
The machine at hand: its architecture, the instruction set that its CPU's flags say, the processors
that the process may use and the memory of the machine. It is the default, and it is read anew by
every build."""

_SETS = """\
How a CPU multiplies 8-bit integers decides which data types suit it. Each class gets the cleaned
`float32` variant and one integer variant: `u8` or `s8` are unsigned or signed activations, then the
weights; `r7` is a range of weights reduced so far that no sum of two products saturates."""

_MEANINGS: dict[str, str] = {
    "x86-avx2": "unsigned times signed; pairs are summed in 16 bits, with saturation",
    "x86-vnni": "unsigned times signed; sums in 32 bits",
    "arm-neon": "signed times signed; widened to 16 bits",
    "arm-dotprod": "signed times signed; four products summed in 32 bits",
    "generic": "nothing is known, so the choice that cannot go wrong",
}
_FIGURES = ("core_count", "memory_bytes", "storage_bytes")
_MIB = 1 << 20


def devices_page() -> str:
    """The page."""
    parts = [_INTRODUCTION, "## Instruction sets", _SETS, _instruction_sets(), "## `host`", _HOST]
    for name in profile_names():
        if name != "host":
            parts += _profile(find_profile(name, folder=Path()))
    return document("Device profiles", parts)


def _instruction_sets() -> str:
    names: tuple[InstructionSet, ...] = typing.get_args(InstructionSet)
    return table(
        ["instruction set", "how it multiplies", "integer variant"],
        [[code(name), _MEANINGS[name], code(recipes_for([name])[-1].name)] for name in names],
    )


def _profile(profile: DeviceProfile) -> Iterator[str]:
    yield f"## `{profile.name}`"
    flags = ", ".join(code(each) for each in profile.cpu_flags)
    arithmetic = f"architecture {code(profile.architecture)}, instruction set"
    yield (
        f"{profile.title}: {arithmetic} {code(profile.instruction_set)}"
        f"{f', CPU flags {flags}' if flags else ''}."
    )
    figures = [(name, getattr(profile, name)) for name in _FIGURES]
    yield table(
        ["figure", "value", "source"],
        [[code(name), _value(name, each), each.source] for name, each in figures if each],
    )


def _value(name: str, figure: SourcedFigure) -> str:
    if name.endswith("_bytes"):
        return f"{figure.value / _MIB:g} MiB"
    return f"{figure.value:g}"
