"""What the firmware of a Raspberry Pi holds back, and why.

Rules:

1. The low bits say what is so now, bits 16 and up what has been so since boot.
2. The channel gives the whole word; :func:`pi_findings` puts each bit into words.

Source: Raspberry Pi, documentation of ``vcgencmd get_throttled``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeworthy.devices.sensors.base import Channel, Gauge, SensorFamily

_PATH = "sys/devices/platform/soc/soc:firmware/get_throttled"
_FIRST_PAST_BIT = 16
_BITS = {
    0: "the supply voltage is too low",
    1: "the clock is capped",
    2: "the CPU is throttled",
    3: "the soft temperature limit is active",
    16: "the supply voltage has been too low since boot",
    17: "the clock has been capped since boot",
    18: "the CPU has been throttled since boot",
    19: "the soft temperature limit has been reached since boot",
}


class FirmwareWord(Gauge):
    """The firmware's word of flags."""

    sensor = "pi-firmware"
    quantity = "throttling"
    unit = "flags"

    def __init__(self, path: Path) -> None:
        super().__init__("get_throttled")
        self._path = path

    def _value(self) -> float:
        text = self._path.read_text(encoding="ascii", errors="replace").strip("\0 \n")
        try:
            return float(int(text, 16))
        except ValueError:
            raise ValueError(f"`{text[:20]}` is no hexadecimal word") from None


class PiFirmware(SensorFamily):
    """Throttling and supply voltage of a Raspberry Pi."""

    name = "pi-firmware"

    def _channels(self, root: Path) -> Iterator[Channel]:
        if (root / _PATH).exists():
            yield FirmwareWord(root / _PATH)


def pi_findings(word: int, *, now: bool) -> tuple[str, ...]:
    """The bits of a word as clauses.

    Args:
        word: Of the firmware.
        now: Those that are so at this moment, else those that have been so since boot.

    >>> pi_findings(0x50005, now=True)
    ('the supply voltage is too low', 'the CPU is throttled')
    """
    return tuple(
        clause
        for bit, clause in _BITS.items()
        if (bit < _FIRST_PAST_BIT) is now and word >> bit & 1
    )
