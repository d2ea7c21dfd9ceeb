"""Markdown for a pull request: short, valid, and hostile text harmless."""

import itertools
import re

import msgspec
import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.reports import render_markdown
from edgeworthy.reports.markdown import escaped


def tables(text: str) -> list[list[str]]:
    found: list[list[str]] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            found.append([])
            continue
        if not found:
            found.append([])
        found[-1].append(line)
    return [table for table in found if table]


def check(text: str) -> None:
    """Tables are rectangular, folded parts are closed, and GitHub sees blank lines around both."""
    for table in tables(text):
        assert len({line.count("|") for line in table}) == 1
        assert set(table[1]) <= set("|-")
    opened = re.findall(r"<details>|</details>", text)
    assert opened == ["<details>", "</details>"] * (len(opened) // 2)
    assert "</summary>\n\n" in text
    lines = text.splitlines()
    for before, line in itertools.pairwise(lines):
        if line.startswith(("| Requirement", "| Variant")):
            assert before == ""


def test_the_verdict_comes_first_and_the_whole_is_short(record: BuildRecord) -> None:
    text = render_markdown(record)
    assert text.startswith("### ✅ digits 1.2.0: fit to ship\n\nAll 30 requirements are met")
    assert "**laptop (host)** ships **int8-u8s8-r7**" in text
    assert "| accuracy | at least 0.95 | 0.972 [0.955, 0.982]<br>" in text
    assert "edgeworthy verify dist/release --key keys/release.pub" in text
    assert len(text) < 12_000
    check(text)


def test_a_refusal(refused: BuildRecord) -> None:
    text = render_markdown(refused)
    assert text.startswith("### ❌ digits 1.2.0: refused")
    assert "comes closest with" in text
    assert text.index("❌ fail") < text.index("❔ not settled") < text.index("✅ pass")
    check(text)


def test_long_tables_are_cut(refused: BuildRecord) -> None:
    assert refused.decision is not None
    results = tuple(
        msgspec.structs.replace(r, requirement_index=n)
        for n, r in enumerate(refused.decision.results)
    )
    decision = msgspec.structs.replace(refused.decision, results=results)
    text = render_markdown(msgspec.structs.replace(refused, decision=decision))
    assert "and 6 more in the full report." in text
    check(text)


def test_other_records(regression: BuildRecord, untargeted: BuildRecord) -> None:
    text = render_markdown(regression)
    assert "1.84 mmHg" in text
    assert "Changed predictions" not in text
    check(text)
    text = render_markdown(untargeted)
    assert text.startswith("### digits 1.2.0: not judged")
    check(text)


def test_a_target_without_results(record: BuildRecord) -> None:
    assert record.decision is not None
    decision = msgspec.structs.replace(record.decision, results=())
    text = render_markdown(msgspec.structs.replace(record, decision=decision))
    assert "Requirements on" not in text
    check(text)


def test_hostile_text_opens_nothing(hostile: BuildRecord) -> None:
    text = re.sub(r"(?m)^    .*$", "", render_markdown(hostile))  # code is shown as it is
    assert "<script" not in text
    assert "<img" not in text
    assert set(re.findall(r"</?([a-z]+)", text)) <= {
        "br",
        "sub",
        "details",
        "summary",
    }
    check(text)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a|b", "a&#124;b"),
        ("[x](http://y)", "[x&#93;(http&#8203;://y)"),
        ("@team", "@&#8203;team"),
        ("fixes #12", "fixes #&#8203;12"),
        ("GH-7", "GH&#8203;-7"),
        ("www.evil.org", "www&#8203;.evil.org"),
        ("`code` *b* _i_ ~s~", "&#96;code&#96; &#42;b&#42; &#95;i&#95; &#126;s&#126;"),
        ("$x$ & \\", "&#36;x&#36; &#38; &#92;"),
        ("a\n# b", "a #&#8203; b"),
    ],
)
def test_what_markdown_would_read_is_escaped(text: str, safe: str) -> None:
    assert escaped(text) == safe
