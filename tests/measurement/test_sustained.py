from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edgeworthy.devices import find_sensors
from edgeworthy.devices.sensors import Unreadable
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.errors import MeasurementError, UsageError
from edgeworthy.measurement.energy import EnergyTotal
from edgeworthy.measurement.sustained import (
    Machine,
    SustainedProgress,
    SustainedSettings,
    sustained,
)
from edgeworthy.measurement.sustained_sensors import EnergyBook, found_sensors

PACKAGE = "sys/class/powercap/intel-rapl:0"
RAPL = {
    f"{PACKAGE}/name": "package-0",
    f"{PACKAGE}/energy_uj": "1000000",
    f"{PACKAGE}/max_energy_range_uj": "65532610987",
}
BOARD = {
    **RAPL,
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "61000",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1400000",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1600000",
}
QUICK = SustainedSettings(duration_s=0.2, window_s=0.05, idle_s=2.0, warm_up_limit_s=0.1)
PlanOf = Callable[..., object]


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def machine_of(host: HostFingerprint, root: Path, **options: object) -> Machine:
    return Machine(
        host=host,
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
        disturbances=("It was loud.",),
        root=root,
        rest=lambda _seconds: None,
        **options,  # type: ignore[arg-type]  # passed on
    )


def test_a_run_fills_windows_and_says_what_could_not_be_measured(
    small_model: Path, plan: PlanOf, host: HostFingerprint, tmp_path: Path
) -> None:
    seen: list[SustainedProgress] = []
    run = sustained(
        plan(small_model),  # type: ignore[arg-type]  # the fixture's own protocol
        QUICK,
        machine=machine_of(host, tmp_path),
        listener=seen.append,
    )
    assert [each.window for each in seen] == list(run.windows)
    assert seen[-1].elapsed_s >= QUICK.duration_s
    for window, following in zip(run.windows, run.windows[1:], strict=False):
        assert following.start_s == pytest.approx(window.start_s + window.duration_s)
        assert 0 < window.p50_ms <= window.p90_ms
        assert window.query_count > 0
    assert run.windows[0].start_s == 0.0
    assert (run.energy, run.energy_refusal) == (
        None,
        "no sensor of energy or power was found on this machine",
    )
    assert run.peak_memory_mib is not None
    assert run.peak_memory_mib > 1
    assert run.taken_at == "2026-11-23T00:00:00Z"
    assert run.expires_at == "2027-02-21T00:00:00Z"
    assert run.disturbances == ("It was loud.",)
    assert not run.partial
    assert decode_document(encode_document(run), SustainedRun, where="x") == run


def test_sensors_are_read_in_every_window(
    small_model: Path, plan: PlanOf, host: HostFingerprint, tmp_path: Path
) -> None:
    root = write(tmp_path, BOARD)
    counted = 1_000_000

    def draw(microjoules: int) -> None:
        nonlocal counted
        counted += microjoules
        write(root, {f"{PACKAGE}/energy_uj": str(counted)})

    seconds = 0.0

    def monotonic() -> float:
        nonlocal seconds
        seconds += 0.02
        return seconds

    run = sustained(
        plan(small_model),  # type: ignore[arg-type]  # the fixture's own protocol
        QUICK,
        machine=Machine(
            host=host,
            clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
            root=root,
            monotonic=monotonic,
            rest=lambda _seconds: draw(40_000),  # 2 W for the 20 ms that the clock moves
        ),
        listener=lambda _progress: draw(500_000),
    )
    # What was drawn after a window is in the next one; the last is in the total alone.
    joules = [each.energy_joules for each in run.windows]
    assert joules == [0.0, *[0.5] * (len(run.windows) - 1)]
    assert {(each.temperature_c, each.frequency_mhz) for each in run.windows} == {(61.0, 1500.0)}
    assert run.energy is not None
    assert run.energy.joules == pytest.approx(0.5 * len(run.windows))
    assert run.energy.idle_watts == pytest.approx(2.0)
    assert (run.energy.method, run.energy.sample_rate_hz) == ("counted", None)
    queries = sum(each.query_count for each in run.windows)
    each_mj = run.energy.joules / queries * 1000
    assert run.energy.per_inference_mj.value == pytest.approx(each_mj)
    idle_mj = 2.0 * run.energy.duration_s / queries * 1000
    assert run.energy.above_idle_per_inference_mj.value == pytest.approx(each_mj - idle_mj)


def test_ctrl_c_keeps_what_was_measured(
    small_model: Path, plan: PlanOf, host: HostFingerprint, tmp_path: Path
) -> None:
    def stop(progress: SustainedProgress) -> None:
        if progress.elapsed_s > 0.1:
            raise KeyboardInterrupt

    run = sustained(
        plan(small_model),  # type: ignore[arg-type]  # the fixture's own protocol
        SustainedSettings(duration_s=600.0, window_s=0.05, warm_up_limit_s=0.1),
        machine=machine_of(host, tmp_path),
        listener=stop,
    )
    assert run.partial
    assert run.windows
    assert run.peak_memory_mib is None


def test_a_file_that_changes_meanwhile_gives_no_figures(
    small_model: Path, plan: PlanOf, host: HostFingerprint, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    shutil.copy(small_model, model)

    def overwrite(_progress: SustainedProgress) -> None:
        model.write_bytes(b"")

    with pytest.raises(MeasurementError, match="changed while it was measured"):
        sustained(
            plan(model),  # type: ignore[arg-type]  # the fixture's own protocol
            QUICK,
            machine=machine_of(host, tmp_path / "root"),
            listener=overwrite,
        )


def test_no_time_is_no_run() -> None:
    with pytest.raises(UsageError, match="a window at least"):
        SustainedSettings(duration_s=0.1)


def test_a_sensor_that_vanishes_is_a_reason_and_no_figure(tmp_path: Path) -> None:
    root = write(tmp_path, BOARD)
    sensors = found_sensors(find_sensors(root))
    book = EnergyBook(sensors.meter)
    book.note_idle(EnergyTotal(joules=2.0, error_joules=0.0, duration_s=1.0, sample_count=2))
    assert book.since_last() is None
    with book.open(iter(range(100)).__next__):
        assert book.since_last() == 0.0
        shutil.rmtree(root / "sys")
        assert book.since_last() is None
        assert sensors.temperature_c() is None
        assert sensors.frequency_mhz() is None
    assert book.use(100) is None
    assert book.refusal == "rapl package-0: the file is gone"


def test_an_idle_time_that_was_not_measured_is_a_reason(tmp_path: Path) -> None:
    book = EnergyBook(found_sensors(find_sensors(write(tmp_path, RAPL))).meter)
    book.note_idle(Unreadable("gone"))
    with book.open(iter(range(100)).__next__):
        pass
    assert (book.use(100), book.refusal) == (None, "gone")


def test_a_sampled_source_states_its_rate(tmp_path: Path) -> None:
    chip = "sys/class/hwmon/hwmon0"
    files = {f"{chip}/in1_label": "VDD_IN", f"{chip}/in1_input": "5000"}
    root = write(tmp_path, {**files, f"{chip}/curr1_input": "1000"})
    book = EnergyBook(found_sensors(find_sensors(root)).meter)
    book.note_idle(EnergyTotal(joules=2.0, error_joules=0.1, duration_s=1.0, sample_count=9))
    times = iter(range(10_000))
    with book.open(lambda: next(times) / 100):
        for _ in range(20):
            book.since_last()
    found = book.use(10)
    assert found is not None
    assert found.method == "sampled"
    assert found.sample_rate_hz == pytest.approx(100.0)
    assert found.joules == pytest.approx(5.0 * found.duration_s)
    assert found.above_idle_per_inference_mj.method == "sampled-trapezoid-idle"


def test_the_verb_prints_a_run_and_its_document(
    command: Callable[..., tuple[int, str, str]], small_model: Path, tmp_path: Path
) -> None:
    page = tmp_path / "run.html"
    code, out, _ = command("measure", small_model, "--sustained", "0.6s", "--html", page)
    assert "<title>Sustained run: small.onnx</title>" in page.read_text()
    assert code == 0
    assert "throughput" in out
    assert "retention needs 28 windows" in out
    code, out, _ = command("measure", small_model, "--sustained", "0.6s", "--json")
    assert (code, json.loads(out)["kind"]) == (0, "sustained-run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sustained", "10m"), "measure one artefact"),
        (("model.onnx", "--sustained", "long"), "not a duration"),
        (("model.onnx", "--html", "x.html"), "--html draws what"),
        (("model.onnx", "--vs", "other.onnx", "--sustained", "9s"), "do not go together"),
    ],
)
def test_wrong_usage_is_said(
    command: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = command("measure", *arguments)
    assert code == 2
    assert message in err
