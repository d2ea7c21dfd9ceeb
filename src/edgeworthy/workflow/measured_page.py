"""What was measured of a model file, drawn as a page."""

from __future__ import annotations

from pathlib import Path

from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.files import write_whole
from edgeworthy.version import __version__


def write_measured_page(document: SustainedRun | OperatorProfile, path: Path) -> None:
    """Draw a document as one HTML file.

    Args:
        document: What was measured.
        path: Where to.

    Raises:
        StorageError: The file cannot be written.
    """
    from edgeworthy.reports import render_measured

    write_whole(path, render_measured(document, tool_version=__version__).encode())
