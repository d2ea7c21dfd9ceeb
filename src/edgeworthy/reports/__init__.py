"""Documents rendered for people and for other programs; this room computes nothing.

A build record becomes a self-contained HTML page or Markdown for a pull request; a gate decision
becomes JUnit XML or SARIF for a CI system; a sustained run, a profile of operators or a search
becomes a page of its own; a single document becomes a small table for a notebook.
"""

from edgeworthy.reports.fragments import fragment_html
from edgeworthy.reports.junit import render_junit
from edgeworthy.reports.markdown import render_markdown
from edgeworthy.reports.measured import render_measured, render_search
from edgeworthy.reports.page import render_html
from edgeworthy.reports.sarif import render_sarif

__all__ = [
    "fragment_html",
    "render_html",
    "render_junit",
    "render_markdown",
    "render_measured",
    "render_sarif",
    "render_search",
]
