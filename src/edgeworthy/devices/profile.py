"""Profiles of device classes: shipped ones, the user's own, and this machine.

Rules:

1. Strict: an unknown key, a missing key or a wrong type is an error with the nearest valid key.
2. Every figure has a source; a figure that nobody vouches for is left out.
3. The instruction set must follow from architecture and flags, so that a profile cannot promise
   arithmetic that its CPU does not have.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path

import msgspec

from edgeworthy.devices.host import HostSoftware, host_fingerprint
from edgeworthy.devices.instructions import instruction_set
from edgeworthy.documents.device import DeviceProfile, HostFingerprint, SourcedFigure
from edgeworthy.errors import DeviceProfileError

#: The profile that is made from the machine at hand.
HOST_NAME = "host"

_SUFFIX = ".toml"
_FIGURES = ("core_count", "memory_bytes", "storage_bytes")


def profile_names() -> tuple[str, ...]:
    """Names of the shipped profiles, and ``host``.

    >>> "raspberry-pi-4" in profile_names()
    True
    """
    shipped = (
        entry.name.removesuffix(_SUFFIX)
        for entry in _shipped().iterdir()
        if entry.name.endswith(_SUFFIX)
    )
    return (HOST_NAME, *sorted(shipped))


def find_profile(
    name_or_path: str,
    *,
    folder: Path,
    root: Path = Path("/"),
    software: HostSoftware | None = None,
) -> DeviceProfile:
    """A class of device.

    Args:
        name_or_path: A shipped name, ``host`` for this machine, or the path of a ``.toml`` file.
        folder: What a path is relative to.
        root: Where ``proc`` and ``sys`` hang, for ``host``.
        software: What the process knows of itself, for ``host``.

    Raises:
        DeviceProfileError: There is no such profile, or it is malformed.
    """
    if name_or_path == HOST_NAME:
        return _host_profile(host_fingerprint(runtime_versions=(), root=root, software=software))
    if name_or_path.endswith(_SUFFIX):
        return _read_profile(folder / name_or_path)
    if name_or_path not in profile_names():
        raise DeviceProfileError(
            f"there is no device profile `{name_or_path}`",
            expected=f"one of {_listed(profile_names())}, or the path of a .toml file",
            next_step=_nearest(name_or_path, profile_names()) or "List them, or write your own",
        )
    text = (_shipped() / f"{name_or_path}{_SUFFIX}").read_text(encoding="utf-8")
    return decode_profile(text, where=f"{name_or_path}{_SUFFIX}")


def decode_profile(text: str, *, where: str) -> DeviceProfile:
    """Read the text of a profile.

    Args:
        text: TOML.
        where: What it came from, for error messages.

    Raises:
        DeviceProfileError: It is malformed or contradicts itself.
    """
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeviceProfileError(f"not TOML: {error}", where=where) from error
    _check_keys(fields, DeviceProfile.__struct_fields__, where)
    for figure in _FIGURES:
        if isinstance(fields.get(figure), dict):
            _check_keys(fields[figure], SourcedFigure.__struct_fields__, f"{where}, {figure}")
    try:
        profile = msgspec.convert(fields, DeviceProfile)
    except msgspec.ValidationError as error:
        raise DeviceProfileError(
            f"not a device profile: {error}",
            where=where,
            next_step="docs/concepts/device-classes.md shows a whole one",
        ) from error
    _check_sense(profile, where)
    return profile


def host_matches(profile: DeviceProfile, host: HostFingerprint) -> bool:
    """Whether figures taken on ``host`` speak for the class: same architecture and arithmetic."""
    return (
        profile.architecture == host.architecture
        and profile.instruction_set == host.instruction_set
    )


def _shipped() -> resources.abc.Traversable:
    return resources.files("edgeworthy.devices") / "profiles"


def _read_profile(path: Path) -> DeviceProfile:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DeviceProfileError(
            f"cannot be read: {reason}",
            where=str(path),
            next_step="Check `device` in the project file",
        ) from error
    return decode_profile(text, where=str(path))


def _check_keys(fields: Mapping[str, object], known: Collection[str], where: str) -> None:
    for key in fields:
        if key not in known:
            raise DeviceProfileError(
                f"unknown key `{key}`",
                expected=f"one of {_listed(known)}",
                where=where,
                next_step=_nearest(key, known),
            )


def _check_sense(profile: DeviceProfile, where: str) -> None:
    for name in _FIGURES:
        figure: SourcedFigure | None = getattr(profile, name)
        if figure is not None and not (figure.value > 0 and figure.source.strip()):
            raise DeviceProfileError(
                f"`{name}` needs a positive value and a source",
                found=f"value {figure.value:g}, source `{figure.source}`",
                where=where,
                next_step="Name the data sheet, or leave the figure out",
            )
    follows = instruction_set(profile.architecture, profile.cpu_flags)
    if profile.instruction_set not in (follows, "generic"):
        raise DeviceProfileError(
            "the instruction set does not follow from architecture and flags",
            expected=f"`{follows}` for {profile.architecture} with {_listed(profile.cpu_flags)}",
            found=f"`{profile.instruction_set}`",
            where=where,
            next_step="Add the flags of the CPU to `cpu_flags`, as /proc/cpuinfo spells them",
        )


def _host_profile(host: HostFingerprint) -> DeviceProfile:
    memory = SourcedFigure(value=float(host.memory_bytes), source="MemTotal in /proc/meminfo")
    return DeviceProfile(
        name=HOST_NAME,
        title=host.cpu_model,
        architecture=host.architecture,
        instruction_set=host.instruction_set,
        cpu_flags=host.cpu_flags,
        core_count=SourcedFigure(
            value=float(host.core_count), source="processors that this process may run on"
        ),
        memory_bytes=memory if host.memory_bytes else None,
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _nearest(name: str, known: Collection[str]) -> str:
    matches = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean `{matches[0]}`" if matches else ""
