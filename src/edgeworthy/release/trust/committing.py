"""From changed roles to a new state of the repository: signed, checked as a device would, written.

Rules:

1. Every changed role gets the next version, a new expiry and the moment of signing, and is signed
   with those of its keys that are at hand.
2. When a threshold is not reached, nothing is published: what was signed is staged, and whoever
   holds another key adds a signature to the very same bytes.
3. Before anything is written, the new state is read as a device would read it, from the old root
   and from the new one. A state that a device would refuse is never published.
4. When keys are exchanged and the old ones are at hand, roles are signed with both, so that the
   state holds under the old root and under the new one, whichever a reader sees.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.serialization import DeserializationError

from edgeworthy.errors import SigningKeyError, TrustError
from edgeworthy.files import storage_errors, write_whole
from edgeworthy.release.signers import Signer
from edgeworthy.release.trust.files import write_metadata
from edgeworthy.release.trust.keyring import Keyring
from edgeworthy.release.trust.layout import (
    ROOT,
    SIGNED_AT_FIELD,
    SNAPSHOT,
    STAGED_FOLDER,
    TARGETS,
    TIMESTAMP,
)
from edgeworthy.release.trust.settings import lifetimes_of
from edgeworthy.release.trust.state import State, open_trusted_set, trust_errors
from edgeworthy.release.trust.tuf_names import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)

Signatures = Mapping[str, Metadata[Any]]


@dataclass(frozen=True)
class Draft:
    """Roles as they are to become.

    Attributes:
        root: A changed root.
        targets: Changed roles of the targets kind, by name.
    """

    root: Root | None = None
    targets: Mapping[str, Targets] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a change.

    Attributes:
        versions: Versions that were published, by role; empty when it was staged.
        missing: Signatures that are still missing, by role; empty when it was published.
    """

    versions: Mapping[str, int]
    missing: Mapping[str, int]

    @property
    def published(self) -> bool:
        """Whether readers see it."""
        return not self.missing


def commit(
    folder: Path, state: State | None, draft: Draft, keyring: Keyring, now: datetime
) -> Outcome:
    """Sign and publish changed roles, or stage them (rule 2).

    Args:
        folder: The repository, being written by us alone.
        state: What it says now; absent when it does not exist.
        draft: What changes.
        keyring: Keys at hand.
        now: With a time zone.

    Raises:
        TrustError: A device would refuse the result; nothing was published.
        SigningKeyError: A key at hand did not sign.
    """
    waiting = staged_roles(folder, state)
    changed = set(draft.targets) | ({ROOT} if draft.root else set())
    if clash := sorted(changed & set(waiting)) or (draft.root and sorted(waiting)):
        raise TrustError(
            "another change waits for signatures",
            found=", ".join(clash),
            where=str(folder / STAGED_FOLDER),
            next_step="Finish it with `edgeworthy trust sign`, or remove the files there",
        )
    return finish(folder, state, _prepare(state, draft, now), keyring, now)


def finish(
    folder: Path, state: State | None, roles: Signatures, keyring: Keyring, now: datetime
) -> Outcome:
    """Add our signatures to prepared roles, and publish them when that is enough."""
    authority = _Authority.of(state, roles)
    for role, metadata in roles.items():
        _sign(metadata, keyring.signers(authority.key_ids(role)))
    missing = {role: authority.missing(role, metadata) for role, metadata in roles.items()}
    missing = {role: count for role, count in missing.items() if count}
    online = _online_roles(state, authority, roles, now)
    for role, metadata in online.items():
        if role == TIMESTAMP:  # it names the snapshot's very bytes
            metadata.signed.snapshot_meta = _described(online[SNAPSHOT])
        _sign(metadata, keyring.signers(authority.key_ids(role)))
        if count := authority.missing(role, metadata):
            missing[role] = count
    if missing:
        _stage(folder, roles)
        return Outcome({}, missing)
    _publish(folder, state, {**roles, **online}, now)
    _unstage(folder, roles)
    return Outcome({role: each.signed.version for role, each in {**roles, **online}.items()}, {})


def staged_roles(folder: Path, state: State | None) -> dict[str, Metadata[Any]]:
    """Roles that wait for signatures; what has been overtaken by a publication does not count.

    Raises:
        TrustError: A staged file cannot be read.
    """
    found: dict[str, Metadata[Any]] = {}
    for path in sorted((folder / STAGED_FOLDER).glob("*.json")):
        with trust_errors(path):
            metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
        role = path.name.removesuffix(".json")
        if metadata.signed.version == (state.next_version(role) if state else 1):
            found[role] = metadata
    return found


@dataclass(frozen=True)
class _Authority:
    """Who may sign what, before and after the change."""

    old_root: Root | None
    new_root: Root
    old_targets: Targets | None
    new_targets: Targets | None

    @classmethod
    def of(cls, state: State | None, roles: Signatures) -> _Authority:
        old_root = state.root if state else None
        old_targets = state.targets.get(TARGETS) if state else None
        new_root = roles[ROOT].signed if ROOT in roles else old_root
        new_targets = roles[TARGETS].signed if TARGETS in roles else old_targets
        if new_root is None:
            raise TrustError("a repository begins with its root")
        return cls(old_root, new_root, old_targets, new_targets)

    def key_ids(self, role: str) -> set[str]:
        found: set[str] = set()
        for delegator in self._delegators(role):
            with_role = _role_of(delegator, role)
            found |= set(with_role)
        return found

    def missing(self, role: str, metadata: Metadata[Any]) -> int:
        delegators = self._delegators(role)
        counted = delegators if role == ROOT else delegators[-1:]
        if not counted:
            raise TrustError(f"nobody delegates to the role `{role}`")
        results = [
            each.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
            for each in counted
        ]
        return max(result.missing for result in results)

    def _delegators(self, role: str) -> list[Root | Targets]:
        top = role in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
        pair = (self.old_root, self.new_root) if top else (self.old_targets, self.new_targets)
        return [each for each in pair if each is not None and _role_of(each, role)]


def _role_of(delegator: Root | Targets, role: str) -> list[str]:
    try:
        return list(delegator.get_delegated_role(role).keyids)
    except ValueError:
        return []


def _prepare(state: State | None, draft: Draft, now: datetime) -> dict[str, Metadata[Any]]:
    changed: dict[str, Root | Targets] = dict(draft.targets)
    if draft.root is not None:
        changed = {ROOT: draft.root, **changed}
    root = draft.root or (state.root if state else None)
    if root is None:
        raise TrustError("a repository begins with its root")
    for role, signed in changed.items():
        _renew(role, signed, state.next_version(role) if state else 1, root, now)
    return {role: Metadata(signed) for role, signed in changed.items()}


def _renew(
    role: str,
    signed: Root | Targets | Snapshot | Timestamp,
    version: int,
    root: Root,
    now: datetime,
) -> None:
    signed.version = version
    signed.expires = lifetimes_of(root).expiry(role, now)
    signed.unrecognized_fields[SIGNED_AT_FIELD] = now.isoformat(timespec="seconds")


def _sign(metadata: Metadata[Any], signers: Iterable[Signer]) -> None:
    for signer in signers:
        try:
            metadata.sign(signer, append=True)
        except Exception as error:  # each kind of signer has errors of its own
            raise SigningKeyError(f"the key did not sign: {error}") from error


def _online_roles(
    state: State | None, authority: _Authority, roles: Signatures, now: datetime
) -> dict[str, Metadata[Any]]:
    root = authority.new_root
    snapshot = copy.deepcopy(state.snapshot) if state and state.snapshot else Snapshot()
    timestamp = copy.deepcopy(state.timestamp) if state and state.timestamp else Timestamp()
    for role, metadata in roles.items():
        if role != ROOT:
            snapshot.meta[f"{role}.json"] = _described(metadata)
    newest = state.snapshot.version if state and state.snapshot else 0
    _renew(SNAPSHOT, snapshot, newest + 1, root, now)
    newest = state.timestamp.version if state and state.timestamp else 0
    _renew(TIMESTAMP, timestamp, newest + 1, root, now)
    return {SNAPSHOT: Metadata(snapshot), TIMESTAMP: Metadata(timestamp)}


def _described(metadata: Metadata[Any]) -> MetaFile:
    return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(), ["sha256"])


def _publish(folder: Path, state: State | None, roles: Signatures, now: datetime) -> None:
    data = {role: (each.signed.version, each.to_bytes()) for role, each in roles.items()}
    old = state.root_data if state else data[ROOT][1]
    new_root = data[ROOT][1] if ROOT in data and state else None
    where = str(folder)
    if new_root is not None:
        _check_as_device(old, new_root, state, data, now=now, where=where)
    holds_under_old = True
    try:
        _check_as_device(old, None, state, data, now=now, where=where)
    except TrustError:
        if new_root is None:
            raise
        holds_under_old = False
    write_metadata(folder, data, root_first=state is None or not holds_under_old)


def _check_as_device(
    old: bytes,
    new_root: bytes | None,
    state: State | None,
    data: Mapping[str, tuple[int, bytes]],
    *,
    now: datetime,
    where: str,
) -> None:
    """Rule 3: read the changed roles, and those above them, as a device would."""
    try:
        proven = open_trusted_set(old, reference_time=now)
        if new_root is not None:
            proven.update_root(new_root)
        proven.update_timestamp(data[TIMESTAMP][1])
        proven.update_snapshot(data[SNAPSHOT][1])
        proven.update_targets(data[TARGETS][1] if TARGETS in data else _kept(state, TARGETS))
        for role in sorted(data.keys() - {ROOT, TARGETS, SNAPSHOT, TIMESTAMP}):
            proven.update_delegated_targets(data[role][1], role, TARGETS)
    except (RepositoryError, DeserializationError) as error:
        raise TrustError(
            f"a device would refuse the result: {error}", where=where, next_step=_RENEW
        ) from error


def _kept(state: State | None, role: str) -> bytes:
    if state is None:
        raise TrustError(f"a repository needs its {role} role")
    return state.targets_data[role]


_RENEW = "Renew what has expired with `edgeworthy trust refresh --role ROLE`"


def _stage(folder: Path, roles: Signatures) -> None:
    for role, metadata in roles.items():
        write_whole(folder / STAGED_FOLDER / f"{role}.json", metadata.to_bytes())


def _unstage(folder: Path, roles: Signatures) -> None:
    with storage_errors(folder):
        for role in roles:
            (folder / STAGED_FOLDER / f"{role}.json").unlink(missing_ok=True)
