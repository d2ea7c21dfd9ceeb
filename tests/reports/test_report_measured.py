"""Pages of sustained runs and of operator profiles: whole, escaped, the same every time."""

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.operator_profile import OperatorProfile, OperatorTime, Roofline
from edgeworthy.documents.sustained import (
    EnergyUse,
    SteadyState,
    SustainedRun,
    SustainedWindow,
    Throttling,
)
from edgeworthy.reports import render_measured

TIME = Estimate(
    value=6.5, low=6.3, high=6.9, confidence=0.95, n=200, method="order-statistic", unit="ms"
)


def window(index: int, *, sensors: bool) -> SustainedWindow:
    return SustainedWindow(
        start_s=0.5 * index,
        duration_s=0.5,
        query_count=1000 if index < 400 else 600,
        p50_ms=0.5,
        p90_ms=0.6,
        temperature_c=50.0 + index / 50 if sensors else None,
        frequency_mhz=1800.0 if sensors else None,
        energy_joules=2.0 if sensors else None,
    )


@pytest.fixture
def run(record: BuildRecord) -> SustainedRun:
    return SustainedRun(
        artifact=f"sha256:{'a' * 64}",
        variant="model.onnx",
        target="host",
        runtime="onnxruntime 1.32.0",
        threads=1,
        asked_s=400.0,
        windows=tuple(window(index, sensors=True) for index in range(800)),
        retention=exact(0.6, unit="ratio"),
        retention_refusal="",
        throttling=Throttling(
            onset_s=200.0,
            end_s=None,
            noticed_s=201.0,
            before_per_s=2000.0,
            during_per_s=1200.0,
            depth_ratio=0.4,
            cause="the clock fell from 1800 to 1200 MHz",
        ),
        steady=SteadyState(from_s=200.0, throughput_per_s=1200.0, p50_ms=0.8),
        energy=EnergyUse(
            source="rapl package-0",
            method="counted",
            sample_rate_hz=None,
            joules=1600.0,
            error_joules=0.1,
            duration_s=400.0,
            idle_watts=2.0,
            per_inference_mj=exact(2.5, unit="mJ"),
            above_idle_per_inference_mj=exact(1.25, unit="mJ"),
        ),
        energy_refusal="",
        peak_memory_mib=70.0,
        host=record.measurements[0].host,
        taken_at="2026-11-23T00:00:00Z",
        expires_at="2027-02-21T00:00:00Z",
        disturbances=("It was loud.",),
    )


@pytest.fixture
def profile(record: BuildRecord) -> OperatorProfile:
    host = record.measurements[0].host
    conv = OperatorTime(
        op_type="QLinearConv",
        precision="int8",
        node_count=49,
        time_ms=TIME,
        time_share=0.9,
        mac_count=390_000_000,
        moved_bytes=6_000_000,
        macs_per_byte=65.0,
        gmacs_per_s=60.0,
        limit_gmacs_per_s=430.0,
        reached_ratio=0.14,
        limited_by="arithmetic",
    )
    return OperatorProfile(
        artifact=f"sha256:{'b' * 64}",
        variant="int8.onnx",
        runtime="onnxruntime 1.32.0",
        threads=1,
        run_count=200,
        latency_ms=6.4,
        operators_ms=6.9,
        operators=(
            conv,
            msgspec.structs.replace(
                conv,
                op_type="Softmax",
                precision="float",
                time_share=0.1,
                mac_count=0,
                macs_per_byte=None,
                gmacs_per_s=None,
                limit_gmacs_per_s=None,
                reached_ratio=None,
                limited_by="none",
            ),
        ),
        remarks=("Its kernel does not suit this machine.",),
        roofline=Roofline(
            runtime="onnxruntime 1.32.0",
            threads=1,
            float_gmacs_per_s=137.0,
            int8_gmacs_per_s=440.0,
            memory_gb_per_s=40.0,
            cache_gb_per_s=240.0,
            cache_bytes=1 << 20,
            host=host,
            taken_at="2026-11-23T00:00:00Z",
        ),
        taken_at="2026-11-23T00:00:00Z",
        expires_at="2027-02-21T00:00:00Z",
        disturbances=("It was loud.",),
    )


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
