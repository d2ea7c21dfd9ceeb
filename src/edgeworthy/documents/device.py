"""Classes of device, and the machine that something ran on."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.record import Document, Record

#: How a CPU multiplies 8-bit integers, which decides the data types that suit it.
#:
#: ``x86-avx2``: u8 x s8 pairs summed in 16 bits with saturation. ``x86-vnni``: summed in 32 bits.
#: ``arm-neon``: widening 16-bit products. ``arm-dotprod``: 4-way dot products in 32 bits.
#: ``generic``: nothing is known.
InstructionSet = Literal["x86-avx2", "x86-vnni", "arm-neon", "arm-dotprod", "generic"]


class SourcedFigure(Record, frozen=True, kw_only=True):
    """A figure of a device and where it comes from.

    Attributes:
        value: The figure, in the unit of its name.
        source: The data sheet or document that says so.
    """

    value: float
    source: str


class DeviceProfile(Document, frozen=True, kw_only=True):
    """A class of device.

    Attributes:
        name: For example ``raspberry-pi-4``.
        title: For people.
        architecture: As ``platform.machine()`` says: ``x86_64``, ``aarch64``, ``armv7l``.
        instruction_set: How it multiplies 8-bit integers.
        cpu_flags: Flags that put a CPU in this class; empty where the architecture says it all.
        core_count: Number of cores.
        memory_bytes: Memory of the whole device.
        storage_bytes: Storage for models; absent where it varies.
    """

    KIND: ClassVar[str] = "device-profile"

    name: str
    title: str
    architecture: str
    instruction_set: InstructionSet
    cpu_flags: tuple[str, ...] = ()
    core_count: SourcedFigure | None = None
    memory_bytes: SourcedFigure | None = None
    storage_bytes: SourcedFigure | None = None


class HostFingerprint(Record, frozen=True, kw_only=True):
    """The machine and software that a figure was taken on; when it changes, the figure is stale.

    Attributes:
        architecture: As ``platform.machine()`` says.
        instruction_set: Read from the CPU's flags, never from its name.
        cpu_model: For people.
        cpu_flags: The flags that matter for arithmetic, sorted.
        core_count: Logical processors that this process may use.
        memory_bytes: Memory of the machine.
        operating_system: Name and kernel release.
        python_version: For example ``3.11.7``.
        runtimes: Engine versions, as ``name version``, sorted.
    """

    architecture: str
    instruction_set: InstructionSet
    cpu_model: str
    cpu_flags: tuple[str, ...]
    core_count: int
    memory_bytes: int
    operating_system: str
    python_version: str
    runtimes: tuple[str, ...]
