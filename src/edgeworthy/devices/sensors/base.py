"""What every sensor of a machine has in common.

Rules:

1. A family of sensors looks for its files below a root folder and finds any number of channels,
   none included. A machine without it is no error.
2. A channel is tried once when it is found: one that refuses (permission, a firmware that gives
   nonsense) is a problem in one sentence with its next step, not a failure.
3. A file that vanishes later gives :class:`Unreadable`, never an exception and never a figure.
4. Nothing is written: governors, limits and averaging are the owner's.
"""

from __future__ import annotations

import abc
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

Quantity = Literal["energy", "power", "temperature", "frequency", "throttling"]

#: What a counter showed: whole numbers in the units of its files.
Count: TypeAlias = tuple[int, ...]

_REASONS = {
    errno.ENOENT: "the file is gone",
    errno.ENODEV: "the device is gone",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}


@dataclass(frozen=True)
class Unreadable:
    """Why a channel gives no figure at this moment.

    Attributes:
        problem: One sentence without a full stop.
    """

    problem: str


class Channel(abc.ABC):
    """One figure that a sensor gives.

    Attributes:
        sensor: Name of the family.
        quantity: What it tells.
        unit: Of the figure.

    Args:
        name: Tells the channels of a family apart, for example ``package-0``.
        is_total: Whether it covers all that an inference can draw from the family's source, so
            that totals of a family add up without counting anything twice.
    """

    sensor: ClassVar[str]
    quantity: ClassVar[Quantity]
    unit: ClassVar[str]

    def __init__(self, name: str, *, is_total: bool = False) -> None:
        self.name = name
        self.is_total = is_total

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{self.sensor} {self.name}"

    @abc.abstractmethod
    def trial(self) -> Unreadable | None:
        """Read once; tells why that did not work."""


class Gauge(Channel):
    """A figure that stands at every moment: a temperature, a frequency, a power."""

    @abc.abstractmethod
    def _value(self) -> float:
        """The figure.

        Raises:
            OSError: The file refuses or is gone.
            ValueError: It holds no figure.
        """

    def read(self) -> float | Unreadable:
        """The figure now, in :attr:`unit`."""
        try:
            return self._value()
        except (OSError, ValueError) as error:
            return Unreadable(f"{self.title}: {reason_of(error)}")

    def trial(self) -> Unreadable | None:
        """Read once; tells why that did not work."""
        found = self.read()
        return found if isinstance(found, Unreadable) else None


class EnergyCounter(Channel):
    """A count that grows with the energy that was drawn, or shrinks with what is left."""

    quantity = "energy"
    unit = "J"

    @abc.abstractmethod
    def _count(self) -> Count:
        """What the counter shows.

        Raises:
            OSError: A file refuses or is gone.
            ValueError: It holds no figure, or one that means nothing at this moment.
        """

    @abc.abstractmethod
    def joules_between(self, before: Count, after: Count) -> float:
        """Energy that was drawn between two counts."""

    @property
    @abc.abstractmethod
    def resolution_joules(self) -> float:
        """The smallest step; no difference is known better than this."""

    def read(self) -> Count | Unreadable:
        """The count now."""
        try:
            return self._count()
        except (OSError, ValueError) as error:
            return Unreadable(f"{self.title}: {reason_of(error)}")

    def trial(self) -> Unreadable | None:
        """Read once; tells why that did not work."""
        found = self.read()
        return found if isinstance(found, Unreadable) else None


@dataclass(frozen=True)
class FoundSensors:
    """What a family has on this machine.

    Attributes:
        sensor: Name of the family.
        channels: Those that can be read.
        problems: Those that cannot: why, and the next step, one sentence each.
    """

    sensor: str
    channels: tuple[Channel, ...]
    problems: tuple[str, ...]


class SensorFamily(abc.ABC):
    """Sensors of one kind.

    Attributes:
        name: For records and messages.
        permission_step: What the owner can do when reading is forbidden.
    """

    name: ClassVar[str]
    permission_step: ClassVar[str] = "Run as a user who may read the file"

    @abc.abstractmethod
    def _channels(self, root: Path) -> Iterator[Channel]:
        """Channels below a root folder, readable or not, in a fixed order."""

    def find(self, root: Path = Path("/")) -> FoundSensors:
        """Look for channels and try each.

        Args:
            root: Where ``sys`` and ``proc`` hang; another tree than ``/`` in tests.
        """
        channels, problems = [], []
        for channel in self._channels(root):
            trial = channel.trial()
            if trial is None:
                channels.append(channel)
            else:
                denied = trial.problem.endswith(_REASONS[errno.EACCES])
                step = f" {self.permission_step}." if denied else ""
                problems.append(f"{trial.problem}.{step}")
        return FoundSensors(self.name, tuple(channels), tuple(problems))


def read_number(path: Path) -> int:
    """The whole number in a file of the kernel's.

    Raises:
        OSError: The file refuses or is gone.
        ValueError: It holds something else.
    """
    text = path.read_text(encoding="ascii", errors="replace").strip("\0 \n")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"`{path.name}` holds `{text[:20]}`, not a number") from None


def reason_of(error: OSError | ValueError) -> str:
    """Why reading failed, without a full stop."""
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, error.strerror or str(error))
    return str(error)
