"""RAPL: energy counters of Intel and AMD processors.

Rules:

1. A counter runs back to 0 above ``max_energy_range_uj``. One such wrap between two readings is
   seen and mended; two are not, so read more often than the range lasts (at 100 W a range of
   65,532 J lasts 11 minutes). A wrap is known to one step of the counter.
2. Packages and their memory (``dram``) add up. ``core`` and ``uncore`` lie inside a package and
   ``psys`` around everything: they are shown, not added.
3. A domain that appears twice (the memory-mapped interface) is taken once.

The counters know nothing of processes: what else runs is in them.

Source: Linux, ``Documentation/power/powercap/powercap.rst``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.host import read_text
from edgeworthy.devices.sensors.base import Channel, Count, EnergyCounter, SensorFamily, read_number

_MICRO = 1_000_000
#: Steps are 2^-14 J or 2^-16 J; the coarser one holds for all.
_STEP_JOULES = 2.0**-14


class RaplCounter(EnergyCounter):
    """One domain.

    Args:
        folder: For example ``/sys/class/powercap/intel-rapl:0``.
        name: For example ``package-0``.
        is_total: Whether it adds up with the others.
    """

    sensor = "rapl"

    def __init__(self, folder: Path, name: str, *, is_total: bool) -> None:
        super().__init__(name, is_total=is_total)
        self._folder = folder
        self._range = 0

    def _count(self) -> Count:
        if not self._range:
            self._range = read_number(self._folder / "max_energy_range_uj")
        return (read_number(self._folder / "energy_uj"),)

    def joules_between(self, before: Count, after: Count) -> float:
        """Energy between two counts, over one wrap at most."""
        difference = after[0] - before[0]
        return (difference if difference >= 0 else difference + self._range) / _MICRO

    @property
    def resolution_joules(self) -> float:
        """The coarsest step that the interface has."""
        return _STEP_JOULES


class Rapl(SensorFamily):
    """The energy counters of the processor."""

    name = "rapl"
    permission_step = (
        "Only root may read it since 2020; `sudo chmod a+r /sys/class/powercap/*/energy_uj` "
        "allows it until the next boot"
    )

    def _channels(self, root: Path) -> Iterator[Channel]:
        seen = set()
        folders = sorted((root / "sys/class/powercap").glob("*-rapl*:*"), key=_interface_last)
        for folder in folders:
            domain = read_text(folder / "name")
            parent = read_text(folder.parent / folder.name.rpartition(":")[0] / "name")
            name = f"{parent} {domain}" if parent.startswith("package") else domain
            if domain and name not in seen:
                seen.add(name)
                yield RaplCounter(
                    folder, name, is_total=domain.startswith("package") or domain == "dram"
                )


def _interface_last(folder: Path) -> tuple[bool, str]:
    return "mmio" in folder.name, folder.name
