from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.devices import host_state as judge
from edgeworthy.documents.host_state import HostFinding, HostState, SensorReading, StabilityProbe

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def on_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Let the doctor look at another tree than this machine's."""

    def use(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

        def elsewhere(host: object, **options: object) -> HostState:
            options["stability"] = None
            return judge(host, root=tmp_path, **options)  # type: ignore[arg-type]  # passed on

        monkeypatch.setattr("edgeworthy.devices.host_state", elsewhere)

    return use


def test_a_fit_machine_gives_exit_code_0(command: Command, on_machine: Callable[..., None]) -> None:
    on_machine({})
    code, out, _ = command("doctor", "--probe-seconds", "0.1")
    assert code == 0
    assert out.startswith("fit to measure on")
    assert "no sensor: not measured" in out


def test_an_unfit_machine_gives_exit_code_1_and_what_to_change(
    command: Command, on_machine: Callable[..., None]
) -> None:
    on_machine(
        {
            "sys/devices/platform/soc/soc:firmware/get_throttled": "1\n",
            "sys/class/powercap/intel-rapl:0/name": "package-0\n",
            "sys/class/thermal/thermal_zone0/type": "cpu\n",
            "sys/class/thermal/thermal_zone0/temp": "41000\n",
            "sys/class/thermal/thermal_zone1/type": "board\n",
            "sys/class/thermal/thermal_zone1/temp": "38000\n",
            "proc/loadavg": "0.50 0.4 0.4 1/100 1\n",
        }
    )
    code, out, _ = command("doctor", "--probe-seconds", "0.1")
    assert code == 1
    text = " ".join(out.split())
    assert "unfit to measure on" in text
    assert "the supply voltage is too low. Use a stronger power supply" in text
    assert "sensor rapl package-0: the file is gone." in text
    assert "38 to 41 C" in text
    assert "0.50 over the last minute" in text


def test_json_is_one_document(command: Command, on_machine: Callable[..., None]) -> None:
    on_machine({})
    code, out, _ = command("doctor", "--json", "--probe-seconds", "0.1")
    fields = json.loads(out)
    assert (code, fields["kind"], fields["verdict"]) == (0, "host-state", "fit")


def test_this_machine_is_looked_at(command: Command) -> None:
    code, out, _ = command("doctor", "--json", "--probe-seconds", "0.1")
    fields = json.loads(out)
    assert code == (1 if fields["verdict"] == "unfit" else 0)
    assert fields["stability"]["spin_count"] >= 30


def test_readings_of_energy_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    from edgeworthy.cli.doctor import print_host_state  # noqa: PLC0415 - what is tested
    from edgeworthy.devices import host_fingerprint  # noqa: PLC0415 - only here

    print_host_state(
        HostState(
            host=host_fingerprint(runtime_versions=()),
            verdict="fit with notes",
            findings=(HostFinding(name="x", severity="note", sentence="A note."),),
            readings=(
                SensorReading(
                    sensor="rapl", channel="package-0", quantity="energy", value=None, unit="J"
                ),
            ),
            sensor_problems=(),
            governors=("performance",),
            load_average=None,
            stability=StabilityProbe(
                duration_s=1.0,
                spin_count=30,
                spin_median_us=1.0,
                spin_spread_ratio=0.0,
                lost_share=0.0,
                longest_gap_ms=0.0,
                drift_ratio=0.0,
                clock_step_ns=1,
            ),
            taken_at="2026-11-23T10:00:00Z",
        )
    )
    out = capsys.readouterr().out
    assert "rapl package-0" in out
    assert "performance" in out
    assert "0.00 % of 1.0 s lost" in out
