"""What an integer model gives on a class of CPU that is not at hand."""

from edgeworthy.optimization.emulation.emulator import Emulator
from edgeworthy.optimization.emulation.products import Tally

__all__ = ["Emulator", "Tally"]
