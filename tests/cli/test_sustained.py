from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from edgeworthy.cli.session import refuse_partial
from edgeworthy.cli.sustained import (
    live_view,
    measure_sustained,
    print_sustained,
)
from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.estimate import exact
from edgeworthy.documents.sustained import (
    EnergyUse,
    SteadyState,
    SustainedRun,
    SustainedWindow,
    Throttling,
)
from edgeworthy.errors import Interrupted
from edgeworthy.measurement.sustained import SustainedProgress
from edgeworthy.workflow.bare_models import BareOptions

WINDOWS = tuple(
    SustainedWindow(
        start_s=0.5 * index,
        duration_s=0.5,
        query_count=1000 if index < 60 else 600,
        p50_ms=0.5,
        p90_ms=0.6,
        temperature_c=50.0 + index / 10,
        frequency_mhz=1800.0,
        energy_joules=2.0,
    )
    for index in range(120)
)
RUN = SustainedRun(
    artifact="sha256:0",
    variant="model.onnx",
    target="host",
    runtime="onnxruntime 1.32.0",
    threads=1,
    asked_s=60.0,
    windows=WINDOWS,
    retention=exact(0.6, unit="ratio"),
    retention_refusal="",
    throttling=Throttling(
        onset_s=30.0,
        end_s=None,
        noticed_s=31.0,
        before_per_s=2000.0,
        during_per_s=1200.0,
        depth_ratio=0.4,
        cause="the clock fell from 1800 to 1200 MHz",
    ),
    steady=SteadyState(from_s=30.0, throughput_per_s=1200.0, p50_ms=0.8),
    energy=EnergyUse(
        source="power-rails VDD_IN",
        method="sampled",
        sample_rate_hz=380.0,
        joules=240.0,
        error_joules=1.0,
        duration_s=60.0,
        idle_watts=2.0,
        per_inference_mj=exact(2.5, unit="mJ"),
        above_idle_per_inference_mj=exact(1.25, unit="mJ"),
    ),
    energy_refusal="",
    peak_memory_mib=70.0,
    host=host_fingerprint(runtime_versions=()),
    taken_at="2026-11-23T00:00:00Z",
    expires_at="2027-02-21T00:00:00Z",
    disturbances=("It was loud.",),
)


def printed(run: SustainedRun, capsys: pytest.CaptureFixture[str]) -> str:
    print_sustained(run)
    return " ".join(capsys.readouterr().out.split())


def test_a_run_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(RUN, capsys)
    assert "from 30.0 s to the end: 40 % lost, 2000 to 1200 per second; the clock fell" in out
    assert "from 30.0 s: 1200 per second, p50 0.800 ms" in out
    assert "50 to 62 C, at most 62" in out
    assert "240 J, sampled at 380 Hz: power-rails VDD_IN" in out
    assert "1.25 mJ, idle 2.00 W" in out
    assert "note It was loud." in out


def test_what_is_not_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert RUN.throttling is not None
    assert RUN.energy is not None
    run = msgspec.structs.replace(
        RUN,
        steady=None,
        energy=msgspec.structs.replace(RUN.energy, method="counted", sample_rate_hz=None),
        throttling=msgspec.structs.replace(RUN.throttling, end_s=40.0, cause=""),
        peak_memory_mib=None,
        partial=True,
        asked_s=600.0,
    )
    out = printed(run, capsys)
    assert "of 600 s, stopped early" in out
    assert "from 30.0 s to 40.0 s" in out
    assert "no sensor tells why" in out
    assert "not reached" in out
    assert "240 J, counted: power-rails" in out
    empty = printed(msgspec.structs.replace(run, windows=()), capsys)
    assert empty == "Stopped before the first window was full: nothing was measured."
    with pytest.raises(Interrupted):
        refuse_partial(partial=run.partial)
    refuse_partial(partial=RUN.partial)


def test_the_live_view_shows_what_is_known() -> None:
    progress = SustainedProgress(
        window=WINDOWS[-1], elapsed_s=60.0, asked_s=600.0, throttled_since_s=31.0
    )
    out = io.StringIO()
    Console(file=out, width=120).print(live_view(WINDOWS, progress))
    text = out.getvalue()
    for part in ("60 of 600 s", "1200 per second", "62 C", "1800 MHz", "4.00 W", "since about 31"):
        assert part in text


def test_a_terminal_follows_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(
        "edgeworthy.cli.sustained.Console",
        lambda **_options: Console(file=shown, force_terminal=True, width=100),
    )

    def run(
        *_arguments: object, listener: Callable[[SustainedProgress], None], **_options: object
    ) -> SustainedRun:
        bare = msgspec.structs.replace(
            WINDOWS[0], temperature_c=None, frequency_mhz=None, energy_joules=None
        )
        for window in (bare, WINDOWS[1]):
            listener(
                SustainedProgress(
                    window=window, elapsed_s=1.0, asked_s=60.0, throttled_since_s=None
                )
            )
        return RUN

    monkeypatch.setattr("edgeworthy.workflow.sustained.run_sustained", run)
    measure_sustained(Path("m.onnx"), BareOptions(), "1m", as_json=True, html=None)
    assert "1 of 60 s" in shown.getvalue()
    assert msgspec.json.decode(capsys.readouterr().out, type=SustainedRun) == RUN
