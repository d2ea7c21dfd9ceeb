"""What a repository says now, proven from the pinned root.

Rules:

1. Nothing in the repository's folder is believed by itself: every role is verified along the
   chain that begins with the pinned root, or it is refused.
2. Expiry does not matter here: who signs again may well be late.
3. The timestamp decides what is current; a file that it does not lead to was left behind by a
   publication that did not finish, and does not count.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from tuf.api.exceptions import RepositoryError
from tuf.api.serialization import DeserializationError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from edgeworthy.errors import TrustError
from edgeworthy.release.trust.layout import METADATA_FOLDER, ROOT, TARGETS
from edgeworthy.release.trust.tuf_names import DelegatedRole, Root, Snapshot, Targets, Timestamp

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class State:
    """The roles of a repository.

    Attributes:
        root: The newest root.
        root_data: Its bytes, as signed.
        timestamp: Absent before the first publication.
        snapshot: Absent before the first publication.
        targets: The targets role and every role that it delegates to, by name.
        targets_data: Their bytes, as signed.
    """

    root: Root
    root_data: bytes
    timestamp: Timestamp | None
    snapshot: Snapshot | None
    targets: dict[str, Targets]
    targets_data: dict[str, bytes]

    def next_version(self, role: str) -> int:
        """The version that a role would have next."""
        if role == ROOT:
            return self.root.version + 1
        known = self.snapshot.meta.get(f"{role}.json") if self.snapshot else None
        return known.version + 1 if known else 1

    def copy_of(self, role: str) -> Targets:
        """A role to change.

        Raises:
            TrustError: There is no such role.
        """
        if role not in self.targets:
            raise TrustError(
                f"there is no role `{role}`",
                expected=", ".join(sorted(self.targets)),
                next_step="Add a product with `edgeworthy trust delegate`",
            )
        return copy.deepcopy(self.targets[role])


def load_state(folder: Path, trusted_root: bytes) -> State:
    """Read and prove a repository.

    Raises:
        TrustError: It is not one that the pinned root leads to.
    """
    metadata = folder / METADATA_FOLDER
    with trust_errors(folder):
        proven, root_data = _follow_roots(metadata, trusted_root)
        timestamp_path = metadata / "timestamp.json"
        if not timestamp_path.is_file():
            return State(proven.root, root_data, None, None, {}, {})
        proven.update_timestamp(timestamp_path.read_bytes())
        version = proven.timestamp.snapshot_meta.version
        proven.update_snapshot((metadata / f"{version}.snapshot.json").read_bytes())
        data = dict(_follow_delegations(metadata, proven))
        targets = {role: cast("Targets", proven[role]) for role in data}
        return State(proven.root, root_data, proven.timestamp, proven.snapshot, targets, data)


def open_trusted_set(trusted_root: bytes, *, reference_time: datetime) -> TrustedMetadataSet:
    """python-tuf's rules, held against a moment that we choose."""
    proven = TrustedMetadataSet(trusted_root, EnvelopeType.METADATA)
    proven.reference_time = reference_time
    return proven


def _follow_roots(metadata: Path, trusted_root: bytes) -> tuple[TrustedMetadataSet, bytes]:
    proven = open_trusted_set(trusted_root, reference_time=_LONG_AGO)
    data = trusted_root
    while (path := metadata / f"{proven.root.version + 1}.root.json").is_file():
        data = path.read_bytes()
        proven.update_root(data)
    return proven, data


def _follow_delegations(metadata: Path, proven: TrustedMetadataSet) -> Iterator[tuple[str, bytes]]:
    data = _read_role(metadata, proven, TARGETS)
    top = proven.update_targets(data)
    yield TARGETS, data
    for role in delegated_roles(top):
        data = _read_role(metadata, proven, role)
        proven.update_delegated_targets(data, role, TARGETS)
        yield role, data


def _read_role(metadata: Path, proven: TrustedMetadataSet, role: str) -> bytes:
    version = proven.snapshot.meta[f"{role}.json"].version
    return (metadata / f"{version}.{role}.json").read_bytes()


def delegated_roles(targets: Targets) -> dict[str, DelegatedRole]:
    """The roles that a role delegates to, by name."""
    delegations = targets.delegations
    return delegations.roles if delegations is not None and delegations.roles else {}


@contextmanager
def trust_errors(where: Path | str) -> Iterator[None]:
    """Turn python-tuf's refusals into ours."""
    try:
        yield
    except (RepositoryError, DeserializationError, KeyError, ValueError, OSError) as error:
        raise TrustError(
            f"the metadata are not acceptable: {error}",
            where=str(where),
            next_step="Compare the repository with its backup; nothing was signed",
        ) from error
