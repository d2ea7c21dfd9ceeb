"""The guide to the report names every section and says what the page says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.gate import Verdict
from edgeworthy.reports.verdicts import verdict_headline

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "report.md"


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def test_every_section_is_explained_in_order(
    guide: str, record: BuildRecord, page_of: Callable[[BuildRecord], str]
) -> None:
    titles = re.findall(r"<h2 [^>]*>([^<]+)</h2>", page_of(record))
    explained = re.findall(r"^\*\*([^*]+?)\.?\*\*", guide, flags=re.MULTILINE)
    assert explained == titles


def test_every_headline_is_explained(
    guide: str, untargeted: BuildRecord, page_of: Callable[[BuildRecord], str]
) -> None:
    for verdict in Verdict:
        assert f"| **{verdict_headline(verdict)}** |" in guide
    assert "| **Not judged** |" in guide
    assert "Not judged</h1>" in page_of(untargeted)
