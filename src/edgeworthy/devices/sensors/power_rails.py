"""Power rails behind hwmon: INA3221 and its relatives, as on Jetson boards.

Rules:

1. The power of a rail is ``power*_input`` where the chip gives it, else voltage times current of
   the same number. Both are momentary figures, so energy from them is sampled, not counted.
2. The rail that feeds the whole board is known by its name; where no rail has such a name, none
   is the total, and no sum is made: rails may lie inside each other.
3. Where a hwmon chip counts energy (``energy*_input``), the count is taken as well.

Source: Linux, ``Documentation/hwmon/ina3221.rst`` (8 mV and 40 uV steps) and
``Documentation/hwmon/sysfs-interface.rst``; NVIDIA, Jetson developer guide, "Power monitor".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.host import read_text
from edgeworthy.devices.sensors.base import (
    Channel,
    Count,
    EnergyCounter,
    Gauge,
    SensorFamily,
    read_number,
)

_MICRO = 1_000_000
#: How boards label the rail that everything hangs on.
_BOARD_INPUTS = frozenset({"VDD_IN", "VIN_SYS_5V0", "POM_5V_IN", "SYS_VIN", "CV_VDD_IN"})


class RailPower(Gauge):
    """Power of one rail from its voltage and current.

    Args:
        folder: Of the chip.
        number: Of the rail.
        name: Its label.
    """

    sensor = "power-rails"
    quantity = "power"
    unit = "W"

    def __init__(self, folder: Path, number: int, name: str) -> None:
        super().__init__(name, is_total=name.upper() in _BOARD_INPUTS)
        self._folder, self._number = folder, number

    def _value(self) -> float:
        direct = self._folder / f"power{self._number}_input"
        if direct.exists():
            return read_number(direct) / _MICRO
        millivolts = read_number(self._folder / f"in{self._number}_input")
        milliamperes = read_number(self._folder / f"curr{self._number}_input")
        return millivolts * milliamperes / _MICRO


class RailEnergy(EnergyCounter):
    """Energy that a chip counts itself, in microjoules."""

    sensor = "power-rails"

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(name, is_total=name.upper() in _BOARD_INPUTS)
        self._path = path

    def _count(self) -> Count:
        return (read_number(self._path),)

    def joules_between(self, before: Count, after: Count) -> float:
        """Energy between two counts; 64 bits do not wrap in a lifetime."""
        return (after[0] - before[0]) / _MICRO

    @property
    def resolution_joules(self) -> float:
        """One microjoule: finer than any chip."""
        return 1 / _MICRO


class PowerRails(SensorFamily):
    """Rails of the board."""

    name = "power-rails"

    def _channels(self, root: Path) -> Iterator[Channel]:
        for folder in sorted((root / "sys/class/hwmon").glob("hwmon*"), key=_number):
            chip = read_text(folder / "name")
            for path in sorted(folder.glob("energy*_input")):
                yield RailEnergy(path, _label(folder, "energy", _number(path), chip))
            for number in sorted(_rail_numbers(folder)):
                yield RailPower(folder, number, _label(folder, "in", number, chip))


def _rail_numbers(folder: Path) -> set[int]:
    powers = {_number(path) for path in folder.glob("power*_input")}
    currents = {_number(path) for path in folder.glob("curr*_input")}
    return powers | {n for n in currents if (folder / f"in{n}_input").exists()}


def _label(folder: Path, kind: str, number: int, chip: str) -> str:
    for prefix in (kind, "power", "curr"):
        label = read_text(folder / f"{prefix}{number}_label")
        if label:
            return label
    return f"{chip} {number}"


def _number(path: Path) -> int:
    found = re.search(r"\d+", path.name)
    return int(found[0]) if found else 0
