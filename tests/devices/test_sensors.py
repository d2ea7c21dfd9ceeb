from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.devices.sensors import (
    FAMILIES,
    Channel,
    EnergyCounter,
    Gauge,
    Unreadable,
    find_sensors,
    pi_findings,
)
from sensor_trees import BATTERY, EVERYTHING, INA3221, OTHERS, RAPL

MakeRoot = Callable[..., Path]


def channel(root: Path, sensor: str, name: str) -> Channel:
    found = {each.sensor: each for each in find_sensors(root)}[sensor]
    return next(each for each in found.channels if each.name == name)


def counter(root: Path, sensor: str, name: str) -> EnergyCounter:
    found = channel(root, sensor, name)
    assert isinstance(found, EnergyCounter)
    return found


def value(root: Path, sensor: str, name: str) -> float | Unreadable:
    found = channel(root, sensor, name)
    assert isinstance(found, Gauge)
    return found.read()


def joules(source: EnergyCounter, write: Callable[[], object]) -> float:
    before = source.read()
    write()
    after = source.read()
    assert not isinstance(before, Unreadable)
    assert not isinstance(after, Unreadable)
    return source.joules_between(before, after)


def test_a_machine_without_sensors_is_no_error(tmp_path: Path) -> None:
    assert [(each.channels, each.problems) for each in find_sensors(tmp_path)] == [((), ())] * 7


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_every_family_names_its_channels_and_survives_their_end(
    family: object, make_root: MakeRoot
) -> None:
    root = make_root("", EVERYTHING)
    found = {each.sensor: each for each in find_sensors(root)}[getattr(family, "name", "")]
    assert found.channels
    names = [each.title + each.quantity for each in found.channels]
    assert len(set(names)) == len(names)
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for each in found.channels:
        silent = each.trial()
        assert isinstance(silent, Unreadable)
        assert silent.problem.startswith(each.title)


def test_every_family_reports_files_of_nonsense(make_root: MakeRoot) -> None:
    root = make_root("", EVERYTHING)
    for path in root.rglob("*"):
        if path.is_file() and path.name not in {"name", "type", "status"}:
            path.write_text("nonsense")
    for family in find_sensors(root):
        assert family.channels == ()
        assert family.problems
        assert all("nonsense" in problem for problem in family.problems)


def test_a_wrapped_counter_gives_the_exact_joules(make_root: MakeRoot) -> None:
    root = make_root("", RAPL)
    package = counter(root, "rapl", "package-0")
    path = root / "sys/class/powercap/intel-rapl:0/energy_uj"
    # 610,987 uJ to the end of the range, then 1,389,013 uJ: two joules.
    assert joules(package, lambda: path.write_text("1389013\n")) == 2.0
    assert joules(package, lambda: path.write_text("4389013\n")) == 3.0


def test_packages_and_memory_are_totals_and_their_parts_are_not(make_root: MakeRoot) -> None:
    found = find_sensors(make_root("", RAPL))[0]
    assert {each.name: each.is_total for each in found.channels} == {
        "package-0": True,
        "package-0 core": False,
        "package-0 dram": True,
        "psys": False,
    }


def test_a_counter_that_only_root_may_read_is_reported_with_the_step(make_root: MakeRoot) -> None:
    root = make_root("", RAPL)
    path = root / "sys/class/powercap/intel-rapl:0/energy_uj"

    def refuse(*_arguments: object, **_options: object) -> str:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        original = Path.read_text
        patch.setattr(
            Path,
            "read_text",
            lambda self, **options: refuse() if self == path else original(self, **options),
        )
        found = find_sensors(root)[0]
    assert "package-0" not in [each.name for each in found.channels]
    assert found.problems == (
        (
            "rapl package-0: permission denied. Only root may read it since 2020; "
            "`sudo chmod a+r /sys/class/powercap/*/energy_uj` allows it until the next boot."
        ),
    )


def test_a_rail_is_voltage_times_current(make_root: MakeRoot) -> None:
    root = make_root("", INA3221)
    assert value(root, "power-rails", "VDD_IN") == 6.0
    assert value(root, "power-rails", "VDD_CPU_GPU_CV") == 2.0
    assert channel(root, "power-rails", "VDD_IN").is_total
    assert not channel(root, "power-rails", "VDD_CPU_GPU_CV").is_total


def test_a_chip_that_knows_power_or_energy_is_believed(make_root: MakeRoot) -> None:
    files = {
        "sys/class/hwmon/hwmon4/name": "ina226\n",
        "sys/class/hwmon/hwmon4/power1_input": "4250000\n",
        "sys/class/hwmon/hwmon4/energy1_input": "1000000\n",
        "sys/class/hwmon/hwmon4/energy1_label": "SYS_VIN\n",
    }
    root = make_root("", files)
    assert value(root, "power-rails", "ina226 1") == 4.25
    chip = counter(root, "power-rails", "SYS_VIN")
    path = root / "sys/class/hwmon/hwmon4/energy1_input"
    assert joules(chip, lambda: path.write_text("3500000\n")) == 2.5
    assert chip.is_total
    assert chip.resolution_joules == 1e-6


def test_a_fuel_gauge_in_watt_hours_gives_the_exact_joules(make_root: MakeRoot) -> None:
    root = make_root("", BATTERY)
    battery = counter(root, "fuel-gauge", "BAT0")
    path = root / "sys/class/power_supply/BAT0/energy_now"
    assert joules(battery, lambda: path.write_text("49990000\n")) == 36.0


def test_a_fuel_gauge_in_ampere_hours_gives_charge_times_voltage(make_root: MakeRoot) -> None:
    folder = "sys/class/power_supply/bms"
    files = {
        f"{folder}/type": "Battery",
        f"{folder}/status": "Discharging",
        f"{folder}/charge_now": "2000000",
        f"{folder}/voltage_now": "4000000",
        f"{folder}/current_now": "-1500000",
    }
    root = make_root("", files)
    battery = counter(root, "fuel-gauge", "bms")
    gauge = next(
        each
        for each in find_sensors(root)[2].channels
        if isinstance(each, Gauge) and each.quantity == "power"
    )
    assert gauge.read() == 6.0

    def drain() -> None:
        (root / folder / "charge_now").write_text("1999000")
        (root / folder / "voltage_now").write_text("3800000")

    # 1 mAh at 3.9 V.
    assert joules(battery, drain) == pytest.approx(14.04, abs=1e-12)
    assert battery.resolution_joules == 36.0


def test_a_battery_on_mains_says_nothing_about_the_machine(make_root: MakeRoot) -> None:
    root = make_root("", {**BATTERY, "sys/class/power_supply/BAT0/status": "Charging\n"})
    found = find_sensors(root)[2]
    assert found.channels == ()
    assert all("the battery is `Charging`" in problem for problem in found.problems)


def test_the_battery_of_a_mouse_is_not_the_machine_s(make_root: MakeRoot) -> None:
    root = make_root("", {**BATTERY, "sys/class/power_supply/BAT0/scope": "Device\n"})
    assert find_sensors(root)[2].channels == ()


def test_temperatures_of_zones_and_of_the_processor_s_chip(make_root: MakeRoot) -> None:
    root = make_root("", OTHERS)
    found = find_sensors(root)[3]
    assert [each.name for each in found.channels] == ["x86_pkg_temp", "k10temp Tctl"]
    assert found.problems == (
        "temperatures broken: -273.2 degrees is a placeholder, not a temperature.",
    )
    assert value(root, "temperatures", "x86_pkg_temp") == 47.5


def test_clocks_are_in_the_order_of_the_cores(make_root: MakeRoot) -> None:
    found = find_sensors(make_root("", OTHERS))[4]
    assert [each.name for each in found.channels] == ["cpu0", "cpu2", "cpu10"]
    assert [each.read() for each in found.channels if isinstance(each, Gauge)] == [
        1800.0,
        2000.0,
        2200.0,
    ]


def test_the_most_throttled_core_counts(make_root: MakeRoot) -> None:
    assert value(make_root("", OTHERS), "heat-throttles", "most throttled core") == 9.0


def test_the_word_of_a_pi(make_root: MakeRoot) -> None:
    assert value(make_root("", OTHERS), "pi-firmware", "get_throttled") == float(0x50005)
    assert pi_findings(0x50005, now=False) == (
        "the supply voltage has been too low since boot",
        "the CPU has been throttled since boot",
    )
