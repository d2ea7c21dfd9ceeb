"""Classes of device, the machine at hand, and what disturbs it.

:func:`find_profile` names a class of device, :func:`host_fingerprint` says what this machine is,
and :func:`disturbances` says what makes it less than quiet.
"""

from edgeworthy.devices.host import HostSoftware, host_fingerprint
from edgeworthy.devices.instructions import instruction_set
from edgeworthy.devices.profile import find_profile, host_matches, profile_names
from edgeworthy.devices.state import disturbances

__all__ = [
    "HostSoftware",
    "disturbances",
    "find_profile",
    "host_fingerprint",
    "host_matches",
    "instruction_set",
    "profile_names",
]
