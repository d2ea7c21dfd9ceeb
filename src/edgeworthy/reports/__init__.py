"""Documents rendered for people and for other programs; this room computes nothing.

A build record becomes a self-contained HTML page or Markdown for a pull request; a gate decision
becomes JUnit XML or SARIF for a CI system; a single document becomes a small table for a notebook.
"""

from edgeworthy.reports.page import render_html

__all__ = ["render_html"]
