"""What lies below ``/sys`` on machines with every kind of sensor."""

from __future__ import annotations

RAPL = {
    "sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "65532000000\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "65532610987\n",
    "sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "100\n",
    "sys/class/powercap/intel-rapl:0:0/max_energy_range_uj": "65532610987\n",
    "sys/class/powercap/intel-rapl:0:1/name": "dram\n",
    "sys/class/powercap/intel-rapl:0:1/energy_uj": "2000000\n",
    "sys/class/powercap/intel-rapl:0:1/max_energy_range_uj": "65532610987\n",
    "sys/class/powercap/intel-rapl:1/name": "psys\n",
    "sys/class/powercap/intel-rapl:1/energy_uj": "5\n",
    "sys/class/powercap/intel-rapl:1/max_energy_range_uj": "65532610987\n",
    "sys/class/powercap/intel-rapl-mmio:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl-mmio:0/energy_uj": "1\n",
    "sys/class/powercap/intel-rapl-mmio:0/max_energy_range_uj": "65532610987\n",
}
INA3221 = {
    "sys/class/hwmon/hwmon1/name": "ina3221\n",
    "sys/class/hwmon/hwmon1/in1_label": "VDD_IN\n",
    "sys/class/hwmon/hwmon1/in1_input": "5000\n",
    "sys/class/hwmon/hwmon1/curr1_input": "1200\n",
    "sys/class/hwmon/hwmon1/in2_label": "VDD_CPU_GPU_CV\n",
    "sys/class/hwmon/hwmon1/in2_input": "5000\n",
    "sys/class/hwmon/hwmon1/curr2_input": "400\n",
    "sys/class/hwmon/hwmon1/in7_label": "sum of shunt voltages\n",
    "sys/class/hwmon/hwmon1/in7_input": "3\n",
}
BATTERY = {
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/status": "Discharging\n",
    "sys/class/power_supply/BAT0/energy_now": "50000000\n",
    "sys/class/power_supply/BAT0/power_now": "7500000\n",
}
OTHERS = {
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone0/temp": "47500\n",
    "sys/class/thermal/thermal_zone1/type": "broken\n",
    "sys/class/thermal/thermal_zone1/temp": "-273200\n",
    "sys/class/hwmon/hwmon0/name": "k10temp\n",
    "sys/class/hwmon/hwmon0/temp1_input": "51125\n",
    "sys/class/hwmon/hwmon0/temp1_label": "Tctl\n",
    "sys/class/hwmon/hwmon2/name": "nvme\n",
    "sys/class/hwmon/hwmon2/temp1_input": "90000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
    "sys/devices/system/cpu/cpu10/cpufreq/scaling_cur_freq": "2200000\n",
    "sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq": "2000000\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
    "sys/devices/system/cpu/cpu2/thermal_throttle/core_throttle_count": "9\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
}
EVERYTHING = {**RAPL, **INA3221, **BATTERY, **OTHERS}
