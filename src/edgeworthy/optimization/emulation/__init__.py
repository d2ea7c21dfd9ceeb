"""What an integer model gives on a class of CPU that is not at hand."""

from edgeworthy.optimization.emulation.arithmetic import classes_alike
from edgeworthy.optimization.emulation.census import saturation_of
from edgeworthy.optimization.emulation.emulator import Emulator

__all__ = ["Emulator", "classes_alike", "saturation_of"]
