"""Get deep-learning models onto edge devices with evidence that travels."""

from edgeworthy.version import __version__

__all__ = ["__version__"]
