"""What a device knows of itself: its class of CPU, its software, its boot.

Rules:

1. The class of CPU comes from the flags that the kernel lists, never from a name.
2. The fingerprint covers what can change how a model computes: CPU flags, operating system, Python
   and engines. Engines are asked for their version without being imported.
3. A boot is what the kernel calls it; where it does not, every start counts as one.
"""

from __future__ import annotations

import importlib.metadata
import platform
import uuid
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.devices.host import host_fingerprint
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.record import canonical_json
from edgeworthy.files import digest_bytes
from edgeworthy.release.policy import DeviceFacts

_ENGINES = ("onnxruntime", "openvino", "ai-edge-litert", "numpy")
_BOOT_ID = "proc/sys/kernel/random/boot_id"


@dataclass(frozen=True)
class Identity:
    """A device as it is now.

    Attributes:
        host: CPU, memory and software.
        boot: Name of this boot.
    """

    host: HostFingerprint
    boot: str

    @property
    def facts(self) -> DeviceFacts:
        """What a policy is held against."""
        return DeviceFacts(
            architecture=self.host.architecture, instruction_set=self.host.instruction_set
        )

    @property
    def fingerprint(self) -> str:
        """Digest of what can change how a model computes, or which one fits (rule 2)."""
        host = self.host
        return digest_bytes(
            canonical_json(
                (
                    host.architecture,
                    host.cpu_flags,
                    host.memory_bytes,
                    host.operating_system,
                    host.python_version,
                    host.runtimes,
                )
            )
        )


def identify(root: Path = Path("/")) -> Identity:
    """This device, this software, this boot.

    Args:
        root: Where ``proc`` hangs; another tree than ``/`` in tests.
    """
    host = host_fingerprint(runtime_versions=_engine_versions(), root=root)
    try:
        boot = (root / _BOOT_ID).read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return Identity(host, boot or str(uuid.uuid4()))


def default_name() -> str:
    """A name for a device that was given none: that of the machine, as far as it can be one."""
    allowed = "".join(each if each.isalnum() or each in "-_" else "-" for each in platform.node())
    return allowed.strip("-_")[:64] or "device"


def _engine_versions() -> list[str]:
    found = []
    for name in _ENGINES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
