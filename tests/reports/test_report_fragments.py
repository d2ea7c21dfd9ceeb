"""Fragments for notebooks: one small table per document."""

import html.parser
import re

import msgspec
import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.record import Document
from edgeworthy.reports import fragment_html


def documents(record: BuildRecord) -> list[Document]:
    assert record.decision is not None
    return [
        record.inspection,
        record.variants[0],
        record.variants[1],
        record.measurements[0],
        record.measurements[-1],
        record.evaluations[0],
        record.evaluations[2],
        record.decision,
    ]


def balance(text: str) -> None:
    stack: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
            if tag not in {"img", "br"}:
                stack.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Reader().feed(text)
    assert stack == []


@pytest.mark.parametrize("position", range(8))
def test_every_kind_has_a_fragment(
    record: BuildRecord, hostile: BuildRecord, position: int
) -> None:
    for build in (record, hostile):
        text = fragment_html(documents(build)[position])
        balance(text)
        assert text.startswith('<div class="edgeworthy">')
        assert "<script" not in text
        assert not re.search(r"<[^>]*\s(?:src|href)=", text)


def test_a_measurement(record: BuildRecord) -> None:
    text = fragment_html(record.measurements[2])
    assert "int8-u8s8-r7 on laptop" in text
    assert "0.112 ms [0.111, 0.114]" in text
    assert "latency against the original (faster)" in text
    pi = fragment_html(record.measurements[-1])
    assert "473 queries or more are needed" in pi


def test_an_evaluation(record: BuildRecord) -> None:
    text = fragment_html(record.evaluations[2])
    assert "0.972 [0.955, 0.982]" in text
    assert "6 predictions changed" in text
    assert "predictions changed" not in fragment_html(record.evaluations[0])


def test_a_decision(refused: BuildRecord) -> None:
    assert refused.decision is not None
    text = fragment_html(refused.decision)
    assert "Refused" in text
    assert "26 requirements on 1 target: 15 met, 1 failed, 10 not settled." in text
    bare = msgspec.structs.replace(refused.decision, results=())
    assert "<table" not in fragment_html(bare)


def test_a_model_without_operators_and_a_variant_without_passes(record: BuildRecord) -> None:
    assert "Conv" in fragment_html(record.inspection)
    bare = msgspec.structs.replace(record.inspection, operators=(), producer="")
    assert "<table" not in fragment_html(bare)
    variant = msgspec.structs.replace(record.variants[0], passes=(), tool_versions=())
    assert "<details" not in fragment_html(variant)


def test_other_documents_have_none(record: BuildRecord) -> None:
    with pytest.raises(TypeError, match="no HTML fragment for DatasetSummary"):
        fragment_html(record.datasets[0])
