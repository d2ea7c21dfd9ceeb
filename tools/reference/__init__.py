"""The reference pages, one module each: what the package says of itself, as Markdown."""

from __future__ import annotations

from collections.abc import Callable

from reference.cli_page import cli_page
from reference.corruptions_page import corruptions_page
from reference.devices_page import devices_page
from reference.errors_page import errors_page
from reference.formats_page import formats_page
from reference.markdown import GENERATED_MARK
from reference.metrics_page import metrics_page
from reference.project_page import project_page

#: What draws each page, by its file name in ``docs/reference``.
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "corruptions.md": corruptions_page,
    "device-profiles.md": devices_page,
    "errors.md": errors_page,
    "formats.md": formats_page,
    "metrics.md": metrics_page,
    "project-file.md": project_page,
}

__all__ = ["GENERATED_MARK", "PAGES"]
