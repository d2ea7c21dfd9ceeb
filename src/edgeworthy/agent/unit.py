"""The systemd unit of an agent: started at boot, without root, with as little as it needs.

Source: ``man 5 systemd.exec``.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

_NAME = "edgeworthy-agent.service"
_MIB_FOR_SUPERVISOR = 128


def unit_text(
    program: Sequence[str], store: Path, *, user: str = "", memory_limit_mib: int = 0
) -> str:
    """The unit for a device.

    Args:
        program: What starts ``edgeworthy``: its path, or Python and a module.
        store: The device's store.
        user: Whom it runs as; empty for a user that systemd makes up (``DynamicUser``), which
            needs the store to be ``/var/lib/NAME``.
        memory_limit_mib: What a worker may take; two of them and the supervisor are allowed for.

    Raises:
        ValueError: A path or a name that a unit cannot hold.
    """
    command = " ".join(_quoted(each) for each in (*program, "agent", "run", "--store", str(store)))
    template = (resources.files("edgeworthy.agent") / _NAME).read_text(encoding="utf-8")
    return template.format(
        command=command,
        identity=_identity(store, user),
        memory=_memory(memory_limit_mib),
    )


def _identity(store: Path, user: str) -> str:
    if user:
        return f"User={_plain(user)}\nReadWritePaths={_quoted(str(store))}"
    if store.parent != Path("/var/lib"):
        raise ValueError("a user that systemd makes up keeps its store at /var/lib/NAME")
    return f"DynamicUser=yes\nStateDirectory={_plain(store.name)}\nStateDirectoryMode=0750"


def _memory(limit_mib: int) -> str:
    if not limit_mib:
        return "MemoryAccounting=yes"
    return f"MemoryMax={2 * limit_mib + _MIB_FOR_SUPERVISOR}M"


def _quoted(word: str) -> str:
    """A word of a command line in a unit: no line ends, no specifiers, no variables."""
    if any(not each.isprintable() for each in word):
        raise ValueError(f"a unit cannot hold {word!r}")
    return shlex.quote(word).replace("%", "%%").replace("$", "$$")


def _plain(name: str) -> str:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"not a name for a unit: {name!r}")
    return name
