"""Charts: labels that do not overlap, colors that can be read, drawings without leftovers."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import ReliabilityBin
from edgeworthy.reports.charts.confusion import confusion_chart
from edgeworthy.reports.charts.corruptions import CorruptionPanel, CurvePoint, corruption_chart
from edgeworthy.reports.charts.labels import Box, place_labels
from edgeworthy.reports.charts.latency import LatencyCurve, latency_axis, latency_chart
from edgeworthy.reports.charts.reliability import ReliabilityCurve, reliability_chart
from edgeworthy.reports.charts.scale import LinearAxis
from edgeworthy.reports.charts.slices import SliceDot, slice_chart
from edgeworthy.reports.charts.tradeoff import TradeoffAxes, TradeoffPoint, tradeoff_chart
from edgeworthy.reports.svg import draw
from edgeworthy.reports.theme import (
    ACCENT,
    FAIL,
    INK,
    MUTED,
    NARROW_PX,
    ORIGINAL,
    PANEL,
    PAPER,
    PASS,
    SERIES,
    TOKENS,
    UNSURE,
    style_variables,
)

READ = (INK, MUTED, ACCENT, PASS, FAIL, UNSURE, ORIGINAL, *SERIES)


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own output


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("token", READ, ids=lambda token: token.name)
def test_text_can_be_read_on_light_and_dark(token: object) -> None:
    assert isinstance(token, type(INK))
    for page in (PAPER, PANEL):
        assert contrast(token.light, page.light) >= 4.5
        assert contrast(token.dark, page.dark) >= 4.5


def test_tokens_are_told_apart_by_their_light_value() -> None:
    assert len({token.light for token in TOKENS}) == len(TOKENS)
    assert len({token.name for token in TOKENS}) == len(TOKENS)


def test_every_drawn_color_follows_the_scheme_of_the_reader() -> None:
    sheet = style_variables()
    for token in TOKENS:
        assert f'[fill="{token.light}"]{{fill:var(--{token.name})}}' in sheet
        assert f'[stroke="{token.light}"]{{stroke:var(--{token.name})}}' in sheet


def estimate(value: float, half: float, unit: str = "ratio") -> Estimate:
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        confidence=0.95,
        n=100,
        method="wilson",
        unit=unit,
    )


def point(label: str, quality: float, latency: float, *, chosen: bool = False) -> TradeoffPoint:
    return TradeoffPoint(
        label=label,
        quality=estimate(quality, 0.01),
        latency_ms=estimate(latency, latency / 50, "ms"),
        size_kib=latency * 100,
        color=SERIES[0],
        chosen=chosen,
    )


def colors(svg: str) -> set[str]:
    return set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg))


def test_titles_of_panels_do_not_run_into_each_other() -> None:
    titles = ("Turned or swapped axes", "Baseline wander", "Gaps", "Saturation")
    points = (CurvePoint(0, estimate(1.0, 0.1), 1.0), CurvePoint(5, estimate(0.5, 0.1), 0.6))
    panels = [CorruptionPanel(each, points) for each in titles]
    chart = corruption_chart(panels, range_=(0.0, 1.0), color=SERIES[0])
    svg = draw(chart, key="k", title="t", description="d")
    lines = re.findall(r">([A-Za-z][A-Za-z ]+)</text>", svg)
    assert sorted(lines) == ["Baseline wander", "Gaps", "Saturation", "Turned or", "swapped axes"]


def test_a_drawing_is_small_named_and_made_of_text_and_tokens() -> None:
    points = [point("a <b>&\x07\x00\ufffe\u202e", 0.9, 1.0, chosen=True), point("c", 0.8, 2.0)]
    axes = TradeoffAxes("accuracy", "p90 latency, ms", (0.85,), (1.5, 99.0))
    chart = tradeoff_chart(points, axes, width_px=NARROW_PX, height_px=290)
    svg = draw(chart, key="k", title="A & B", description="a\x00b")
    root = parsed(svg)
    assert root.get("aria-labelledby") == "k-title k-desc"
    assert root.findtext("title") == "A & B"
    assert root.findtext("desc") == "a b"
    said = ["".join(text.itertext()) for text in root.iter("text")]
    assert "accuracy" in said
    assert "bound 0.85" in said
    assert "bound 1.5" in said
    assert "bound 99" not in said
    assert colors(svg) <= {token.light for token in TOKENS}
    assert len(svg) < 8_000
    assert "http" not in svg
    assert "aria-roledescription" not in svg
    assert draw(chart, key="k", title="A & B", description="a\x00b") == svg


def test_a_drawing_is_not_wider_than_a_phone() -> None:
    curves = [LatencyCurve("v", tuple(i / 100 for i in range(101)), SERIES[0])]
    bins = (
        ReliabilityBin(lowest=0.9, highest=1.0, sample_count=3, mean_confidence=0.95, accuracy=1.0),
    )
    charts = [
        tradeoff_chart([point("a", 0.9, 1)], TradeoffAxes("q", "l"), width_px=335, height_px=290),
        latency_chart(curves, latency_axis(curves)),
        slice_chart([SliceDot("a" * 16, estimate(0.9, 0.01), SERIES[0], chosen=True)], bound=0.8),
        reliability_chart([ReliabilityCurve(bins, SERIES[0])]),
        confusion_chart([[3, 1], [0, 2]], ["cat", "cat"]),
        confusion_chart([[1] * 16] * 16, [f"label number {n}" for n in range(16)]),
    ]
    for chart in charts:
        root = parsed(draw(chart, key="k", title="t", description="d"))
        assert float(root.get("width", "0")) <= NARROW_PX + 12


def test_equal_class_names_stay_apart() -> None:
    svg = draw(
        confusion_chart([[3, 1], [0, 2]], ["cat", "cat"]), key="k", title="t", description=""
    )
    said = ["".join(text.itertext()) for text in parsed(svg).iter("text")]
    assert said.count("cat") == 2
    assert said.count("cat#1") == 2
    assert {"3", "1", "2"} <= set(said)
    assert "0" not in said


def test_a_point_whose_interval_has_no_width_is_drawn() -> None:
    flat = TradeoffPoint(
        label="flat",
        quality=estimate(1.0, 0.0),
        latency_ms=estimate(1.0, 0.0),
        size_kib=0.0,
        color=ORIGINAL,
        chosen=False,
    )
    chart = tradeoff_chart([flat], TradeoffAxes("q", "l"), width_px=335, height_px=290)
    assert "flat" in draw(chart, key="k", title="t", description="d")


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(10, 270), st.floats(20, 200), st.integers(3, 14)),
        min_size=1,
        max_size=5,
    )
)
def test_labels_stay_inside_and_apart(marks: list[tuple[float, float, int]]) -> None:
    plot = Box(0, 0, 290, 230)
    labels = [("x" * n, Box(x - 6, y - 6, x + 6, y + 6)) for x, y, n in marks]
    boxes = place_labels(labels, obstacles=[], plot=plot)
    assert len(boxes) == len(labels)
    for box in boxes:
        assert box.left >= plot.left
        assert box.top <= plot.top + 1e-9
        assert box.bottom >= plot.bottom - 1e-9
    if len(marks) <= 2:
        for one, other in itertools.combinations(boxes, 2):
            assert one.overlap(other) == 0


def test_an_axis_of_equal_figures_has_a_width() -> None:
    for figures in ([0.0], [5.0, 5.0], [-3.0]):
        for zero in (False, True):
            axis = LinearAxis.around(figures, length_px=100, zero=zero)
            assert axis.low < axis.high
            assert axis.holds(figures[0])
            assert axis.figure(axis.pixel(figures[0])) == pytest.approx(figures[0])


def test_the_fastest_is_named_left_of_its_curve(record: BuildRecord) -> None:
    slow, fast = record.measurements[0], record.measurements[1]
    curves = [
        LatencyCurve("slow", slow.quantiles_ms, ORIGINAL),
        LatencyCurve("fast", fast.quantiles_ms, SERIES[0]),
    ]
    svg = draw(latency_chart(curves, latency_axis(curves)), key="k", title="t", description="d")
    places = {
        "".join(text.itertext()): float(re.findall(r"\((-?[\d.]+)", text.get("transform", ""))[0])
        for text in parsed(svg).iter("text")
    }
    assert places["fast"] < places["slow"]
