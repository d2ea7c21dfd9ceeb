from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeworthy.devices import find_sensors
from edgeworthy.devices.sensors import Unreadable
from edgeworthy.measurement.energy import (
    CountedEnergy,
    EnergyMeter,
    EnergyTotal,
    PowerSampler,
    SampledEnergy,
    choose_meter,
)

PACKAGE = "sys/class/powercap/intel-rapl:0"
MEMORY = "sys/class/powercap/intel-rapl:0:0"
CHIP = "sys/class/hwmon/hwmon0"
BATTERY = "sys/class/power_supply/BAT0"
RAPL = {
    f"{PACKAGE}/name": "package-0",
    f"{PACKAGE}/energy_uj": "65532000000",
    f"{PACKAGE}/max_energy_range_uj": "65532610987",
    f"{MEMORY}/name": "dram",
    f"{MEMORY}/energy_uj": "1000000",
    f"{MEMORY}/max_energy_range_uj": "65532610987",
}
INA3221 = {
    f"{CHIP}/name": "ina3221",
    f"{CHIP}/in1_label": "VDD_IN",
    f"{CHIP}/in1_input": "5000",
    f"{CHIP}/curr1_input": "1000",
}
GAUGE = {
    f"{BATTERY}/type": "Battery",
    f"{BATTERY}/status": "Discharging",
    f"{BATTERY}/energy_now": "50000000",
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def meter_of(root: Path) -> EnergyMeter:
    found = choose_meter(find_sensors(root))
    assert not isinstance(found, Unreadable)
    return found


def total_of(meter: EnergyMeter) -> EnergyTotal:
    found = meter.total()
    assert isinstance(found, EnergyTotal)
    return found


def test_counters_of_package_and_memory_add_up_across_a_wrap(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, RAPL))
    assert isinstance(meter, CountedEnergy)
    assert meter.source == "rapl package-0 + rapl package-0 dram"
    meter.read(10.0)
    # 610,987 uJ up to the end of the range and 9,389,013 uJ beyond: 10 J.
    write(tmp_path, {f"{PACKAGE}/energy_uj": "9389013", f"{MEMORY}/energy_uj": "2500000"})
    meter.read(11.0)
    write(tmp_path, {f"{PACKAGE}/energy_uj": "19389013"})
    meter.read(12.0)
    found = total_of(meter)
    assert (found.joules, found.duration_s, found.sample_count) == (21.5, 2.0, 3)
    assert found.error_joules == 2 * 2.0**-14


def test_a_fuel_gauge_is_a_counter(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, GAUGE))
    meter.read(0.0)
    write(tmp_path, {f"{BATTERY}/energy_now": "49980000"})
    meter.read(60.0)
    assert total_of(meter).joules == 72.0
    assert total_of(meter).error_joules == 36.0


def test_a_counter_that_vanishes_gives_no_total_and_the_reason(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, RAPL))
    meter.read(0.0)
    (tmp_path / MEMORY / "energy_uj").unlink()
    meter.read(1.0)
    write(tmp_path, RAPL)
    meter.read(2.0)
    assert meter.total() == Unreadable("rapl package-0 dram: the file is gone")


def test_a_battery_that_is_plugged_in_meanwhile_gives_no_total(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, GAUGE))
    meter.read(0.0)
    write(tmp_path, {f"{BATTERY}/status": "Charging"})
    meter.read(1.0)
    found = meter.total()
    assert isinstance(found, Unreadable)
    assert "the battery is `Charging`" in found.problem


def test_samples_of_a_rail_are_joined_by_trapezoids(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, INA3221))
    assert isinstance(meter, SampledEnergy)
    # 5 W for 2 s, a ramp from 5 W to 10 W within 1 s, 10 W for 2 s: 10 + 7.5 + 20 J.
    for second, milliamperes in enumerate([1000, 1000, 1000, 2000, 2000, 2000]):
        write(tmp_path, {f"{CHIP}/curr1_input": str(milliamperes)})
        meter.read(float(second))
    assert isinstance(meter.total(), Unreadable)
    for now in (6.0, 7.0, 8.0):
        meter.read(now)
    found = total_of(meter)
    assert (found.joules, found.duration_s, found.sample_count) == (67.5, 8.0, 9)
    # 1.96 times the standard error of the mean of these nine powers, over 8 s.
    powers = [5.0] * 3 + [10.0] * 6
    mean = sum(powers) / 9
    variance = sum((each - mean) ** 2 for each in powers) / 8
    assert found.error_joules == pytest.approx(1.96 * (variance / 9) ** 0.5 * 8.0)


def test_the_error_of_a_steady_rail_is_nothing(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, INA3221))
    for now in range(11):
        meter.read(now / 10)
    found = total_of(meter)
    assert found.joules == pytest.approx(5.0)
    assert found.error_joules == pytest.approx(0.0, abs=1e-6)


def test_a_rail_that_vanishes_gives_no_total(tmp_path: Path) -> None:
    meter = meter_of(write(tmp_path, INA3221))
    for now in range(9):
        meter.read(float(now))
    (tmp_path / CHIP / "curr1_input").unlink()
    meter.read(9.0)
    meter.read(10.0)
    assert meter.total() == Unreadable("power-rails VDD_IN: the file is gone")


def test_counters_win_over_samples(tmp_path: Path) -> None:
    assert meter_of(write(tmp_path, {**INA3221, **GAUGE})).is_counted


def test_parts_of_a_board_are_no_total(tmp_path: Path) -> None:
    root = write(tmp_path, {**INA3221, f"{CHIP}/in1_label": "VDD_CPU"})
    assert choose_meter(find_sensors(root)) == Unreadable(
        "no sensor of energy or power was found on this machine"
    )


def test_a_forbidden_sensor_is_the_reason_why_there_is_no_figure(tmp_path: Path) -> None:
    root = write(tmp_path, {f"{PACKAGE}/name": "package-0"})
    assert choose_meter(find_sensors(root)) == Unreadable("rapl package-0: the file is gone")


def test_the_sampler_reads_power_in_the_background_and_counters_when_asked(
    tmp_path: Path,
) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.5
        return now

    with PowerSampler(meter_of(write(tmp_path, RAPL)), clock=clock) as sampler:
        write(tmp_path, {f"{MEMORY}/energy_uj": "3000000"})
        found = sampler.total()
    assert isinstance(found, EnergyTotal)
    assert (found.joules, found.sample_count) == (2.0, 2)

    meter = meter_of(write(tmp_path / "board", INA3221))
    with PowerSampler(meter, clock=clock, interval_s=0.0) as sampler:
        while isinstance(sampler.total(), Unreadable):
            pass
    assert total_of(meter).joules == pytest.approx(5.0 * total_of(meter).duration_s)
