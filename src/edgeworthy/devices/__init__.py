"""Classes of device, the machine at hand, its sensors, and what disturbs it.

:func:`find_profile` names a class of device, :func:`host_fingerprint` says what this machine is,
:func:`host_state` whether it is fit to measure on, :func:`find_sensors` what it can tell of
itself, and :func:`disturbances` what makes it less than quiet.
"""

from edgeworthy.devices.fitness import host_state
from edgeworthy.devices.host import HostSoftware, host_fingerprint
from edgeworthy.devices.instructions import instruction_set
from edgeworthy.devices.profile import find_profile, host_matches, profile_names
from edgeworthy.devices.sensors import find_sensors
from edgeworthy.devices.stability import probe_stability
from edgeworthy.devices.state import disturbances
from edgeworthy.devices.topology import processor_groups
from edgeworthy.devices.watching import HostWatch

__all__ = [
    "HostSoftware",
    "HostWatch",
    "disturbances",
    "find_profile",
    "find_sensors",
    "host_fingerprint",
    "host_matches",
    "host_state",
    "instruction_set",
    "probe_stability",
    "processor_groups",
    "profile_names",
]
