"""Temperatures: thermal zones, and the processor's own hwmon chip.

Rules:

1. Thermal zones are named by their ``type``; a zone that is switched off refuses to be read.
2. Of hwmon only the chips that sit in the processor are taken: a disk's heat slows nothing down.
3. Values outside -50 to 150 degrees are a firmware's placeholder, not a temperature.

Source: Linux, ``Documentation/driver-api/thermal/sysfs-api.rst``,
``Documentation/hwmon/sysfs-interface.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.host import read_text
from edgeworthy.devices.sensors.base import Channel, Gauge, SensorFamily, read_number

_MILLI = 1000
_COLDEST, _HOTTEST = -50.0, 150.0
_PROCESSOR_CHIPS = frozenset({"coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal"})


class Temperature(Gauge):
    """One sensor, in degrees Celsius.

    Args:
        path: The file, in thousandths of a degree.
        name: Of the zone or chip.
    """

    sensor = "temperatures"
    quantity = "temperature"
    unit = "C"

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(name)
        self._path = path

    def _value(self) -> float:
        value = read_number(self._path) / _MILLI
        if not _COLDEST <= value <= _HOTTEST:
            raise ValueError(f"{value:g} degrees is a placeholder, not a temperature")
        return value


class Temperatures(SensorFamily):
    """How hot it is."""

    name = "temperatures"

    def _channels(self, root: Path) -> Iterator[Channel]:
        for folder in sorted((root / "sys/class/thermal").glob("thermal_zone*"), key=_number):
            yield Temperature(folder / "temp", read_text(folder / "type") or folder.name)
        for folder in sorted((root / "sys/class/hwmon").glob("hwmon*"), key=_number):
            chip = read_text(folder / "name")
            if chip in _PROCESSOR_CHIPS:
                for path in sorted(folder.glob("temp*_input"), key=_number):
                    label = read_text(path.with_name(path.name.replace("_input", "_label")))
                    yield Temperature(path, f"{chip} {label or _number(path)}")


def _number(path: Path) -> int:
    found = re.search(r"\d+", path.name)
    return int(found[0]) if found else 0
