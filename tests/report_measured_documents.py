"""A sustained run, a profile of operators and a sweep, as reports show them."""

from __future__ import annotations

import msgspec

from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.operator_profile import OperatorProfile, OperatorTime, Roofline
from edgeworthy.documents.sustained import (
    EnergyUse,
    SteadyState,
    SustainedRun,
    SustainedWindow,
    Throttling,
)
from edgeworthy.documents.sweep import Sweep, SweepPoint
from report_documents import HOST

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


def make_sustained() -> SustainedRun:
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
        host=HOST,
        taken_at="2026-11-23T00:00:00Z",
        expires_at="2027-02-21T00:00:00Z",
        disturbances=("It was loud.",),
    )


def make_profile() -> OperatorProfile:
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
            host=HOST,
            taken_at="2026-11-23T00:00:00Z",
        ),
        taken_at="2026-11-23T00:00:00Z",
        expires_at="2027-02-21T00:00:00Z",
        disturbances=("It was loud.",),
    )


def make_sweep() -> Sweep:
    points = ((1, 1, 2.0, 500.0), (1, 8, 12.0, 660.0), (2, 1, 1.2, 830.0), (2, 8, 8.0, 1000.0))
    return Sweep(
        artifact=f"sha256:{'c' * 64}",
        variant="int8.onnx",
        runtime="onnxruntime 1.32.0",
        affinity=(0, 1),
        points=tuple(
            SweepPoint(
                threads=threads,
                batch=batch,
                latency_ms=exact(latency_ms, unit="ms"),
                throughput_hz=exact(rate_hz, unit="samples/s"),
                is_knee=(threads, batch) == (2, 8),
            )
            for threads, batch, latency_ms, rate_hz in points
        ),
        start_count=3,
        host=HOST,
        seed=0,
        taken_at="2026-11-23T00:00:00Z",
        expires_at="2027-02-21T00:00:00Z",
        disturbances=("It was loud.",),
    )
