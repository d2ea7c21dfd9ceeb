"""Fuel gauges: what a battery says is left in it.

Rules:

1. Only while the battery feeds the machine; on mains it says nothing about the machine, and the
   reading says so.
2. ``energy_now`` (uWh) is a count; where there is only ``charge_now`` (uAh), charge times the mean
   voltage is. Gauges step coarsely (often 10 mWh, which is 36 J): the step is stated.
3. ``power_now``, or current times voltage, is a momentary figure beside it.
4. The battery of a mouse or a keyboard (scope ``Device``) does not count.

Source: Linux, ``Documentation/ABI/testing/sysfs-class-power``.
"""

from __future__ import annotations

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
_DISCHARGING = "Discharging"
#: What gauges in laptops and phones step by, where the driver does not say.
_USUAL_STEP_JOULES = 36.0


class BatteryEnergy(EnergyCounter):
    """Energy that is left, in microwatt-hours."""

    sensor = "fuel-gauge"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name, is_total=True)
        self._folder = folder

    def _count(self) -> Count:
        _check_discharging(self._folder)
        return (read_number(self._folder / "energy_now"),)

    def joules_between(self, before: Count, after: Count) -> float:
        """Energy that left the battery."""
        return (before[0] - after[0]) * 3600 / _MICRO

    @property
    def resolution_joules(self) -> float:
        """What most gauges step by."""
        return _USUAL_STEP_JOULES


class BatteryCharge(EnergyCounter):
    """Charge that is left, in microampere-hours, with the voltage that it leaves at."""

    sensor = "fuel-gauge"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name, is_total=True)
        self._folder = folder

    def _count(self) -> Count:
        _check_discharging(self._folder)
        return (
            read_number(self._folder / "charge_now"),
            read_number(self._folder / "voltage_now"),
        )

    def joules_between(self, before: Count, after: Count) -> float:
        """Charge that left the battery, times the mean voltage."""
        mean_microvolts = (before[1] + after[1]) / 2
        return (before[0] - after[0]) * mean_microvolts * 3600 / _MICRO / _MICRO

    @property
    def resolution_joules(self) -> float:
        """What most gauges step by."""
        return _USUAL_STEP_JOULES


class BatteryPower(Gauge):
    """Power that leaves the battery."""

    sensor = "fuel-gauge"
    quantity = "power"
    unit = "W"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name, is_total=True)
        self._folder = folder

    def _value(self) -> float:
        _check_discharging(self._folder)
        direct = self._folder / "power_now"
        if direct.exists():
            return abs(read_number(direct)) / _MICRO
        # Some drivers count what leaves as negative.
        microamperes = abs(read_number(self._folder / "current_now"))
        return microamperes * read_number(self._folder / "voltage_now") / _MICRO / _MICRO


class FuelGauge(SensorFamily):
    """Batteries that feed the machine."""

    name = "fuel-gauge"

    def _channels(self, root: Path) -> Iterator[Channel]:
        for folder in sorted((root / "sys/class/power_supply").glob("*")):
            if read_text(folder / "type") != "Battery" or read_text(folder / "scope") == "Device":
                continue
            if (folder / "energy_now").exists():
                yield BatteryEnergy(folder)
            elif (folder / "charge_now").exists():
                yield BatteryCharge(folder)
            if (folder / "power_now").exists() or (folder / "current_now").exists():
                yield BatteryPower(folder)


def _check_discharging(folder: Path) -> None:
    """Refuse a battery that does not feed the machine.

    Raises:
        OSError: The battery is gone.
        ValueError: It is full or being charged.
    """
    status = (folder / "status").read_text(encoding="ascii", errors="replace").strip()
    if status != _DISCHARGING:
        raise ValueError(
            f"the battery is `{status}`, so it does not say what the machine draws; "
            "unplug the machine to measure by it"
        )
