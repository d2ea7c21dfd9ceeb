"""The names that we use of ``tuf.api.metadata``.

That module re-exports them without saying so, which strict typing does not follow; so types come
from where they are defined, and at run time everything comes through the public door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuf.api.metadata import Metadata

if TYPE_CHECKING:
    from tuf.api._payload import (
        DelegatedRole,
        Delegations,
        MetaFile,
        Root,
        Signed,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )
else:
    from tuf.api.metadata import (
        DelegatedRole,
        Delegations,
        MetaFile,
        Root,
        Signed,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )

__all__ = [
    "DelegatedRole",
    "Delegations",
    "MetaFile",
    "Metadata",
    "Root",
    "Signed",
    "Snapshot",
    "TargetFile",
    "Targets",
    "Timestamp",
]
