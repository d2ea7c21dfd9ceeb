"""Sensors behind one interface, one family a file, found at run time.

A new family is one module and one line here; the laws in ``tests/devices/test_sensor_laws.py``
then apply to it.
"""

from __future__ import annotations

from pathlib import Path

from edgeworthy.devices.sensors.base import (
    Channel,
    Count,
    EnergyCounter,
    FoundSensors,
    Gauge,
    Quantity,
    SensorFamily,
    Unreadable,
)
from edgeworthy.devices.sensors.clocks import Clocks
from edgeworthy.devices.sensors.fuel_gauge import FuelGauge
from edgeworthy.devices.sensors.heat_throttles import HeatThrottles
from edgeworthy.devices.sensors.pi_firmware import PiFirmware, pi_findings
from edgeworthy.devices.sensors.power_rails import PowerRails
from edgeworthy.devices.sensors.rapl import Rapl
from edgeworthy.devices.sensors.temperatures import Temperatures

#: Energy first, the surest source before the others.
FAMILIES: tuple[SensorFamily, ...] = (
    Rapl(),
    PowerRails(),
    FuelGauge(),
    Temperatures(),
    Clocks(),
    HeatThrottles(),
    PiFirmware(),
)

__all__ = [
    "FAMILIES",
    "Channel",
    "Count",
    "EnergyCounter",
    "FoundSensors",
    "Gauge",
    "Quantity",
    "SensorFamily",
    "Unreadable",
    "find_sensors",
    "pi_findings",
]


def find_sensors(root: Path = Path("/")) -> tuple[FoundSensors, ...]:
    """What every family has on this machine; families without anything are there, empty.

    Args:
        root: Where ``sys`` and ``proc`` hang; another tree than ``/`` in tests.
    """
    return tuple(family.find(root) for family in FAMILIES)
