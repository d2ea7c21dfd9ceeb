"""Is this model file safe to read? Asked of its bytes; nothing in it is run."""

from edgeworthy.graph.scan.scanning import scan_model

__all__ = ["scan_model"]
