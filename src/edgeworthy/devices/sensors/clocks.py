"""Clock frequencies of the cores, as cpufreq tells them.

Rules:

1. One channel a core, in MHz; virtual machines usually have none.

Source: Linux, ``Documentation/admin-guide/pm/cpufreq.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.sensors.base import Channel, Gauge, SensorFamily, read_number

_KHZ_PER_MHZ = 1000


class CoreClock(Gauge):
    """The clock of one core, in MHz."""

    sensor = "clocks"
    quantity = "frequency"
    unit = "MHz"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name)
        self._path = folder / "cpufreq" / "scaling_cur_freq"

    def _value(self) -> float:
        return read_number(self._path) / _KHZ_PER_MHZ


class Clocks(SensorFamily):
    """How fast the cores run."""

    name = "clocks"

    def _channels(self, root: Path) -> Iterator[Channel]:
        folders = (root / "sys/devices/system/cpu").glob("cpu[0-9]*")
        for folder in sorted(folders, key=lambda each: int(re.sub(r"\D", "", each.name))):
            if (folder / "cpufreq/scaling_cur_freq").exists():
                yield CoreClock(folder)
