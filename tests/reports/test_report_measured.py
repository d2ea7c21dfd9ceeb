"""Pages of sustained runs and of operator profiles: whole, escaped, the same every time."""

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.documents.sustained import (
    SustainedRun,
)
from edgeworthy.reports import render_measured
from report_measured_documents import make_profile, make_sustained, window


@pytest.fixture
def run() -> SustainedRun:
    return make_sustained()


@pytest.fixture
def profile() -> OperatorProfile:
    return make_profile()


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text.partition("<body>")[2]).split())


def page(document: SustainedRun | OperatorProfile) -> str:
    text = render_measured(document, tool_version="0.1.0")
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314 - our own output
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"https?:", text)
    assert render_measured(document, tool_version="0.1.0") == text
    return text


def test_a_run_is_drawn_with_each_figure_over_time(run: SustainedRun) -> None:
    text = page(run)
    assert text.count('class="chart"') == 5
    said = words(text)
    assert "from 200 s to the end: 40.0 % lost" in said
    assert "the clock fell from 1800 to 1200 MHz" in said
    assert "2.50 mJ per inference, 1.25 mJ above idle; counted from rapl package-0" in said
    assert "0.600 of the first throughput" in said
    assert "The machine was not quiet. It was loud." in said
    assert len(text) < 200_000


def test_a_run_without_sensors_or_findings_says_so(run: SustainedRun) -> None:
    bare = msgspec.structs.replace(
        run,
        windows=tuple(window(index, sensors=False) for index in range(9)),
        throttling=None,
        steady=None,
        energy=None,
        energy_refusal="no sensor of energy or power was found on this machine",
        retention=None,
        retention_refusal="retention needs 28 windows, found 9",
        partial=True,
        disturbances=(),
    )
    text = page(bare)
    assert text.count('class="chart"') == 2
    said = words(text)
    assert "none that lasted" in said
    assert "Retention needs 28 windows, found 9." in said
    assert "not measured: no sensor of energy" in said
    assert "Stopped before its time" in said
    empty = page(msgspec.structs.replace(bare, windows=(), energy_refusal=""))
    assert "not measured: stopped too early" in words(empty)
    assert 'class="chart"' not in empty


def test_a_fall_that_ended_is_shaded_up_to_its_end(run: SustainedRun) -> None:
    assert run.throttling is not None
    ended = msgspec.structs.replace(run.throttling, end_s=300.0, cause="")
    said = words(page(msgspec.structs.replace(run, throttling=ended)))
    assert "from 200 s to 300 s" in said
    assert "no sensor tells why" in said


def test_a_profile_is_drawn_as_bars_and_a_roofline(profile: OperatorProfile) -> None:
    text = page(profile)
    assert text.count('class="chart"') == 1
    assert text.count('class="mark share"') == 2
    said = words(text)
    assert "14.0 % of the limit 60.0 GMAC/s arithmetic" in said
    assert "not known" in said
    assert "Its kernel does not suit this machine." in said
    assert "137 GMAC/s in float32, 440 in 8 bits" in said


def test_a_profile_without_arithmetic_has_no_roofline(profile: OperatorProfile) -> None:
    bare = msgspec.structs.replace(
        profile,
        operators=profile.operators[1:],
        disturbances=(),
        roofline=msgspec.structs.replace(profile.roofline, int8_gmacs_per_s=None),
    )
    text = page(bare)
    assert 'class="chart"' not in text
    assert "none in 8 bits" in words(text)
    assert "none in 8 bits" in words(page(msgspec.structs.replace(bare, operators=())))
    one_roof = msgspec.structs.replace(bare, operators=profile.operators)
    assert page(one_roof).count('class="chart"') == 1


def test_text_from_outside_is_escaped(
    run: SustainedRun, profile: OperatorProfile, attack: str
) -> None:
    hostile = msgspec.structs.replace(
        run, variant=attack, runtime=attack, disturbances=(attack,), energy_refusal=attack
    )
    assert "<img" not in page(hostile)
    operators = tuple(msgspec.structs.replace(each, op_type=attack) for each in profile.operators)
    assert "<img" not in page(
        msgspec.structs.replace(profile, variant=attack, operators=operators, remarks=(attack,))
    )
