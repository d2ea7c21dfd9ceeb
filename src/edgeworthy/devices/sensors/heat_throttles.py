"""How often the processor slowed itself down for heat.

Rules:

1. One channel a package: the highest count of its cores. It grows from boot on, so only a
   difference tells what happened during a measurement.

Source: Linux, ``arch/x86/kernel/cpu/mce/therm_throt.c``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.sensors.base import Channel, Gauge, SensorFamily, read_number

_PATTERN = "cpu[0-9]*/thermal_throttle/core_throttle_count"


class HeatThrottleCount(Gauge):
    """Times that the most throttled core was slowed down since boot."""

    sensor = "heat-throttles"
    quantity = "throttling"
    unit = "count"

    def __init__(self, folder: Path) -> None:
        super().__init__("most throttled core")
        self._folder = folder

    def _value(self) -> float:
        counts = [read_number(path) for path in self._folder.glob(_PATTERN)]
        if not counts:
            raise ValueError("the counters are gone")
        return float(max(counts))


class HeatThrottles(SensorFamily):
    """Throttle counters of x86 processors."""

    name = "heat-throttles"

    def _channels(self, root: Path) -> Iterator[Channel]:
        folder = root / "sys/devices/system/cpu"
        if next(folder.glob(_PATTERN), None) is not None:
            yield HeatThrottleCount(folder)
