"""The HTML page: self-contained, ordered, honest about what is absent, hostile text harmless."""

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.project import ReleaseSection, RequirementSection
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.documents.variant import VariantRefusal
from edgeworthy.reports import render_html

Page = Callable[[BuildRecord], str]
VOID = {"meta", "link", "img", "br", "col", "hr", "input"}
SECTIONS = [
    "requirements",
    "tradeoff",
    "latency",
    "pipeline",
    "sustained",
    "operator-times",
    "sweep",
    "slices",
    "flips",
    "confidence",
    "operators",
    "data",
    "variants",
    "provenance",
    "verify",
]


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed by its own name, every id is unique."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "action", "data", "xlink:href"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    return reader


def words(page: str) -> str:
    return " ".join(" ".join(read(page).text).split())


def anchors(page: str) -> list[str]:
    return re.findall(r'<section id="([a-z-]+)"', page)


def test_a_page_opens_with_the_verdict_and_keeps_the_order(
    record: BuildRecord, page_of: Page
) -> None:
    page = page_of(record)
    assert anchors(page) == SECTIONS
    said = words(page)
    assert said.index("Fit to ship") < said.index("All 30 requirements are met on 2 targets.")
    assert said.index("Ships:") < said.index("Each bound against the whole interval")
    assert "The fastest of the 2 variants that meet every requirement." in said


def test_a_page_is_one_file_without_script_or_address_outside(
    record: BuildRecord, page_of: Page
) -> None:
    page = page_of(record)
    reader = read(page)
    assert not {"script", "iframe", "object", "embed", "form", "base"} & reader.tags
    assert reader.handlers == []
    for address in reader.addresses:
        assert address.startswith(("#", "data:")), address
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "url(" not in re.sub(r"url\(#[a-z0-9-]+\)", "", page)
    assert "@import" not in page
    assert len(page.encode()) < 600_000


def test_links_inside_the_page_lead_somewhere(record: BuildRecord, page_of: Page) -> None:
    reader = read(page_of(record))
    targets = {address[1:] for address in reader.addresses if address.startswith("#")}
    assert targets <= set(reader.ids)
    for found in re.findall(r'aria-labelledby="([^"]+)"', page_of(record)):
        assert set(found.split()) <= set(reader.ids)


def test_the_same_record_gives_the_same_bytes(
    record: BuildRecord, drawings: dict[str, str]
) -> None:
    drawings.clear()
    first = render_html(record)
    drawings.clear()
    again = decode_document(encode_document(record), BuildRecord, where="memory")
    assert render_html(again) == first


def test_every_figure_of_a_requirement_has_interval_n_and_artefact(
    small: BuildRecord, page_of: Page
) -> None:
    page = page_of(small)
    assert small.decision is not None
    assert "0.972 [0.955, 0.982]" in page
    assert f"n = 599, 95 % wilson; {small.decision.targets[0].artifact[7:19]}" in page
    assert "0.112 ms [0.111, 0.114]" in page
    assert "17.8 KiB" in page
    assert "met on all 10 slices; the closest is digit=1" in page


def test_a_refusal_says_first_what_failed(refused: BuildRecord, page_of: Page) -> None:
    page = page_of(refused)
    said = words(page)
    assert "Refused 26 requirements on 1 target: 15 met, 1 failed, 10 not settled." in said
    assert "Accuracy: at least 0.999, found 0.972 [0.955, 0.982]." in said
    assert "About 212 more samples would settle it." in said
    assert "and 8 more below" in said
    assert "Nothing was released: not every requirement is met." in said
    first = said.index("The whole interval misses the bound.")
    assert first < said.index("The interval holds the bound")


def test_a_regression_has_no_flips_and_no_confusion(regression: BuildRecord, page_of: Page) -> None:
    page = page_of(regression)
    assert anchors(page) == [s for s in SECTIONS if s not in {"flips", "confidence"}]
    assert "1.84 mmHg" in page
    assert "Mean absolute error, latency and size" in page


def test_a_project_without_targets_is_not_judged(untargeted: BuildRecord, page_of: Page) -> None:
    page = page_of(untargeted)
    assert anchors(page) == ["operators", "data", "variants", "provenance", "verify"]
    said = words(page)
    assert "Not judged The project names no targets" in said
    assert "Nothing was released: the project names no targets." in said


def test_what_was_never_made_is_said_in_a_line(untargeted: BuildRecord, page_of: Page) -> None:
    refusal = VariantRefusal(recipe=untargeted.variants[1].recipe, reason="no range for input x")
    bare = msgspec.structs.replace(untargeted, variants=(), datasets=(), refusals=(refusal,))
    said = words(page_of(bare))
    assert "No variant was made." in said
    assert "No data set was used." in said
    assert "Recipes that made no variant" in said
    assert "No range for input x." in said


def test_flips_are_told_apart(small: BuildRecord, page_of: Page) -> None:
    said = words(page_of(small))
    assert "#17: 8 8 (91%) → 3 (83%) right, now wrong" in said
    assert "#68: 3 5 (70%) → 3 (65%) wrong, now right" in said
    assert "#102: 2 1 (56%) → 7 (53%) wrong both times" in said
    assert page_of(small).count("data:image/png;base64,") == 6


def test_a_flip_without_a_picture_is_still_told(small: BuildRecord, page_of: Page) -> None:
    bare = msgspec.structs.replace(small, pictures=())
    assert "#17: 8 8 (91%) → 3 (83%)" in words(page_of(bare))


def test_nothing_changed_is_said(small: BuildRecord, page_of: Page) -> None:
    quiet = tuple(
        msgspec.structs.replace(
            e,
            flips=e.flips and msgspec.structs.replace(e.flips, changed_count=0, samples=()),
        )
        for e in small.evaluations
    )
    page = page_of(msgspec.structs.replace(small, evaluations=quiet))
    assert "No prediction changed." in words(page)


def test_an_artefact_that_two_targets_share_is_shown_once(
    record: BuildRecord, page_of: Page
) -> None:
    page = page_of(record)
    assert "laptop, raspberry-pi-4; artefact" in page
    assert page.count(">Reliability</h4>") == 1


def test_hostile_text_stays_text(hostile: BuildRecord, page_of: Page) -> None:
    page = page_of(hostile)
    reader = read(page)
    assert "script" not in reader.tags
    assert reader.handlers == []
    assert "49" not in "".join(re.findall(r"&amp;(\d+)", page))
    assert "\x00" not in page
    assert "\u2028" not in page
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert "<script>alert(1)</script>" in words(page)


def test_a_refused_percentile_gives_its_reason(record: BuildRecord, page_of: Page) -> None:
    said = words(page_of(record))
    assert "p99 is refused: 473 queries or more are needed, 400 were run." in said


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("keys/release", "--key keys/release.pub"),
        ("my keys/release", "--key 'my keys/release.pub'"),
        ("awskms:alias/release", "--key PUBLIC_KEY"),
    ],
)
def test_the_command_to_verify_can_be_pasted(
    small: BuildRecord, key: str, shown: str, page_of: Page
) -> None:
    project = msgspec.structs.replace(small.project, release=ReleaseSection(key=key))
    page = page_of(msgspec.structs.replace(small, project=project))
    assert f"edgeworthy verify dist/release {shown}" in words(page)


def test_a_project_that_never_releases_says_so(small: BuildRecord, page_of: Page) -> None:
    project = msgspec.structs.replace(small.project, release=None)
    page = page_of(msgspec.structs.replace(small, project=project, release_digest=None))
    assert "the project file has no [release] section" in words(page)


def test_many_classes_become_a_list_of_pairs(small: BuildRecord, page_of: Page) -> None:
    count = 40
    table = [[0] * count for _ in range(count)]
    for position in range(count):
        table[position][position] = 10
    table[3][39] = 7
    evaluations = tuple(
        msgspec.structs.replace(e, confusion=tuple(map(tuple, table))) for e in small.evaluations
    )
    page = page_of(msgspec.structs.replace(small, evaluations=evaluations))
    assert "Confusion matrix" not in page
    assert "class 39" in page
    assert "41.2 %" in page


def test_no_mistake_at_all_is_drawn_too(small: BuildRecord, page_of: Page) -> None:
    perfect = tuple(tuple(60 if i == j else 0 for j in range(10)) for i in range(10))
    evaluations = tuple(
        msgspec.structs.replace(e, confusion=perfect, reliability=()) for e in small.evaluations
    )
    page = page_of(msgspec.structs.replace(small, evaluations=evaluations))
    assert "No sample was put in a wrong class." in page
    assert "Most frequent confusions" not in page


def test_a_target_without_figures_has_no_chart(small: BuildRecord, page_of: Page) -> None:
    nothing = {"measurements": (), "evaluations": (), "sustained": (), "profiles": (), "sweeps": ()}
    page = page_of(msgspec.structs.replace(small, **nothing))
    assert anchors(page) == [
        "requirements",
        "operators",
        "data",
        "variants",
        "provenance",
        "verify",
    ]


def test_measured_but_not_evaluated(small: BuildRecord, page_of: Page) -> None:
    page = page_of(msgspec.structs.replace(small, evaluations=()))
    assert "tradeoff" in anchors(page)
    assert "tradeoff-0-title" not in page
    assert "latency-0-0-title" in page


def test_percentiles_that_were_all_refused_leave_the_table(
    small: BuildRecord, page_of: Page
) -> None:
    measurements = tuple(
        msgspec.structs.replace(
            m,
            percentiles=tuple(
                msgspec.structs.replace(p, latency_ms=None, refusal="too few queries")
                for p in m.percentiles
            ),
            quantiles_ms=(),
        )
        for m in small.measurements
    )
    page = page_of(msgspec.structs.replace(small, measurements=measurements))
    assert "latency" not in anchors(page)
    assert "p50 is refused: too few queries." in words(page)


def test_a_variant_without_any_result_is_said(record: BuildRecord, page_of: Page) -> None:
    assert record.decision is not None
    decision = msgspec.structs.replace(record.decision, results=())
    page = page_of(msgspec.structs.replace(record, decision=decision))
    said = words(page)
    assert "No requirement was held against 2 targets." in said
    assert "No requirement was held against this variant." in said


def test_a_figure_that_was_never_measured_is_said(refused: BuildRecord, page_of: Page) -> None:
    assert refused.decision is not None
    results = tuple(
        msgspec.structs.replace(r, measured=None, samples_needed=None)
        for r in refused.decision.results
    )
    decision = msgspec.structs.replace(refused.decision, results=results)
    said = words(page_of(msgspec.structs.replace(refused, decision=decision)))
    assert "found not measured." in said


def test_two_machines_are_told_apart(record: BuildRecord, page_of: Page) -> None:
    pi = msgspec.structs.replace(record.measurements[0].host, cpu_model="", cpu_flags=())
    moved = tuple(
        msgspec.structs.replace(m, host=pi) if m.target == "raspberry-pi-4" else m
        for m in record.measurements
    )
    said = words(page_of(msgspec.structs.replace(record, measurements=moved)))
    assert "Machine 1" in said
    assert "Machine 2 Processor unknown" in said
    assert "none that matter" in said


def test_a_bound_far_away_is_not_drawn(
    build_record: Callable[..., BuildRecord], page_of: Page
) -> None:
    near = build_record(
        targets=("laptop",),
        requirements=(RequirementSection(metric="latency_p90_ms", at_most=0.3),),
    )
    far = build_record(
        targets=("laptop",),
        requirements=(RequirementSection(metric="latency_p90_ms", at_most=30.0),),
    )
    assert ">bound 0.3<" in page_of(near)
    assert ">bound 30<" not in page_of(far)


def test_a_single_unmet_requirement_in_the_singular(
    build_record: Callable[..., BuildRecord], page_of: Page
) -> None:
    record = build_record(
        targets=("laptop",), requirements=(RequirementSection(metric="size_kib", at_most=32.0),)
    )
    assert "The only requirement is met on 1 target." in words(page_of(record))


def test_blocks_and_sections_are_frozen() -> None:
    from edgeworthy.reports.blocks import Note  # noqa: PLC0415 - the only test of this class

    with pytest.raises(dataclasses.FrozenInstanceError):
        Note("a").text = "b"  # type: ignore[misc] # the point of the test
