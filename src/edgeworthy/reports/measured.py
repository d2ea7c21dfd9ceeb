"""A sustained run, a profile of operators or a search as one HTML file.

Rules:

1. As for the report of a build: one file, no network, no script; everything from outside is
   escaped; the same document gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.documents.search import Search
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.reports.blocks import Section
from edgeworthy.reports.page import environment, page_style
from edgeworthy.reports.sections.operator_times import operator_times_section
from edgeworthy.reports.sections.search import search_section
from edgeworthy.reports.sections.sustained import sustained_section
from edgeworthy.reports.wording import date_text, plain


@dataclass(frozen=True)
class _Page:
    name: str
    created: str
    machine: str
    tool_version: str
    section: Section


def render_measured(document: SustainedRun | OperatorProfile, *, tool_version: str) -> str:
    """One document as a page of its own.

    Args:
        document: What was measured of a model file.
        tool_version: Of Edgeworthy.

    Returns:
        The whole file; the same for the same document.
    """
    if isinstance(document, SustainedRun):
        section, host = sustained_section(document), document.host
    else:
        section, host = operator_times_section(document), document.roofline.host
    titled = (document.variant, document.taken_at)
    return _rendered(section, host, titled, tool_version=tool_version)


def render_search(search: Search, *, tool_version: str) -> str:
    """A search as a page of its own.

    Args:
        search: What was tried and chosen.
        tool_version: Of Edgeworthy.

    Returns:
        The whole file; the same for the same search.
    """
    titled = (search.model, search.taken_at)
    return _rendered(search_section(search), search.host, titled, tool_version=tool_version)


def _rendered(
    section: Section, host: HostFingerprint, titled: tuple[str, str], *, tool_version: str
) -> str:
    name, taken_at = titled
    page = _Page(
        name=plain(name),
        created=date_text(taken_at),
        machine=plain(f"{host.cpu_model}, {host.core_count} cores, {host.operating_system}"),
        tool_version=plain(tool_version),
        section=section,
    )
    text = environment().get_template("measured.html.j2").render(page=page, style=page_style())
    # Templates leave empty lines where a condition was false.
    return "\n".join(line for line in text.splitlines() if line.strip()) + "\n"
