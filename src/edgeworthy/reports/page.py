"""The report as one HTML file.

Rules:

1. One file, no network, no script: the content security policy forbids what the file does not need.
2. What was decided and why comes first, then the figures behind it, then where they come from.
3. A section whose subject is absent is left out, or says so in one line.
4. Everything from outside is escaped; only what this room draws itself is markup.
5. The same record gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edgeworthy.documents.build import BuildRecord
from edgeworthy.reports.blocks import Section
from edgeworthy.reports.formatting import digest_short
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.sections.confidence import confidence_section
from edgeworthy.reports.sections.corruptions import corruptions_section
from edgeworthy.reports.sections.data import data_section
from edgeworthy.reports.sections.flips import flips_section
from edgeworthy.reports.sections.harm import harm_section
from edgeworthy.reports.sections.headline import Headline, headline
from edgeworthy.reports.sections.latency import latency_section
from edgeworthy.reports.sections.model import operators_section
from edgeworthy.reports.sections.operator_times import operator_profiles_section
from edgeworthy.reports.sections.pipeline import pipeline_section
from edgeworthy.reports.sections.prediction import prediction_section
from edgeworthy.reports.sections.provenance import provenance_section
from edgeworthy.reports.sections.requirements import requirements_section
from edgeworthy.reports.sections.scans import scans_section
from edgeworthy.reports.sections.slices import slices_section
from edgeworthy.reports.sections.sustained import sustained_runs_section
from edgeworthy.reports.sections.sweep import sweeps_section
from edgeworthy.reports.sections.tradeoff import tradeoff_section
from edgeworthy.reports.sections.variants import variants_section
from edgeworthy.reports.sections.verification import verification_section
from edgeworthy.reports.theme import style_variables
from edgeworthy.reports.wording import date_text, plain

_PACKAGE = "edgeworthy.reports"
_SECTIONS: tuple[Callable[[BuildIndex], Section | None], ...] = (
    requirements_section,
    harm_section,
    tradeoff_section,
    latency_section,
    pipeline_section,
    sustained_runs_section,
    operator_profiles_section,
    sweeps_section,
    slices_section,
    flips_section,
    corruptions_section,
    confidence_section,
    operators_section,
    scans_section,
    data_section,
    variants_section,
    prediction_section,
    provenance_section,
    verification_section,
)


@dataclass(frozen=True)
class Page:
    """What the template fills in."""

    name: str
    version: str
    description: str
    created: str
    tool_version: str
    headline: Headline
    sections: tuple[Section, ...]


def render_html(record: BuildRecord) -> str:
    """The report of a build: one self-contained HTML file.

    Args:
        record: All that the build found out.

    Returns:
        The whole file; the same for the same record.
    """
    index = BuildIndex(record)
    project = record.project.project
    page = Page(
        name=plain(project.name),
        version=plain(project.version),
        description=plain(project.description),
        created=date_text(record.created_at),
        tool_version=plain(record.tool_version),
        headline=headline(index),
        sections=tuple(made for build in _SECTIONS if (made := build(index))),
    )
    text = environment().get_template("report.html.j2").render(page=page, style=page_style())
    # Templates leave empty lines where a condition was false.
    return "\n".join(line for line in text.splitlines() if line.strip()) + "\n"


@cache
def environment() -> Environment:
    """The templates, with escaping on and no undefined names."""
    made = Environment(
        loader=PackageLoader(_PACKAGE, "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["digest"] = digest_short
    return made


@cache
def page_style() -> Markup:
    """The style sheet, with the colors of the theme."""
    sheet = files(_PACKAGE).joinpath("html", "style.css").read_text(encoding="utf-8")
    return Markup(style_variables() + sheet)  # noqa: S704 - our own style sheet
