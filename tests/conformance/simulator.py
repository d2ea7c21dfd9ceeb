"""A repository in memory that can be made to lie, and a client that looks at it.

The groups of cases are those of the public tuf-conformance suite; the code is ours.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import Answer, Source, SourceProblem
from edgeworthy.agent.transport import Transport, World
from edgeworthy.agent.updater import Updater, UpdaterSettings
from edgeworthy.errors import EdgeworthyError
from edgeworthy.release import Signer
from edgeworthy.release.signers import CryptoSigner
from edgeworthy.release.trust.tuf_names import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

TOP = ("root", "timestamp", "snapshot", "targets")
#: Codes of the errors that a refusal ends with.
TRUST = "EW620"
STALE = "EW630"
TRANSFER = "EW340"
#: Versions of what a fresh repository holds.
FRESH = {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class MemorySource:
    """Files in memory; every request is noted."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    name: str = "memory"

    @contextmanager
    def open(self, path: str, *, offset: int = 0, tag: str = "") -> Iterator[Answer]:
        self.requests.append(path)
        if path not in self.files:
            raise SourceProblem("the server answered 404", gone=True)
        data = self.files[path]
        yield Answer(offset, len(data), tag, iter([data[offset:]]))


class Simulator:
    """Roles that tests change, signed and served when ``publish`` is called."""

    def __init__(self) -> None:
        expires = NOW + timedelta(days=30)
        self.root = Root(expires=expires, consistent_snapshot=True)
        self.timestamp = Timestamp(expires=expires)
        self.snapshot = Snapshot(expires=expires)
        self.targets: dict[str, Targets] = {"targets": Targets(expires=expires)}
        self.signers: dict[str, list[Signer]] = {}
        self.source = MemorySource()
        self.describe_fully = False
        for role in TOP:
            self.add_key(role)
        self.publish_root()
        self.publish()
        self.first_root = self.source.files["metadata/1.root.json"]

    def add_key(self, role: str) -> Signer:
        signer = CryptoSigner.generate_ed25519()
        self.root.add_key(signer.public_key, role)
        self.signers.setdefault(role, []).append(signer)
        return signer

    def rotate(self, role: str) -> None:
        """Other keys for a role of root."""
        for key_id in list(self.root.roles[role].keyids):
            self.root.revoke_key(key_id, role)
        self.signers[role] = []
        self.add_key(role)

    def signed(self, role: str, payload: Any, *, by: Sequence[Signer] | None = None) -> bytes:  # noqa: ANN401
        metadata = Metadata(copy.deepcopy(payload))
        for signer in by if by is not None else self.signers[role]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def publish_root(self, *, by: Sequence[Signer] | None = None) -> None:
        data = self.signed("root", self.root, by=by)
        self.source.files[f"metadata/{self.root.version}.root.json"] = data

    def next_root(self, *, also_by: Sequence[Signer] = ()) -> None:
        """A root of the next version, signed by the new keys and by some old ones."""
        self.root.version += 1
        signers = {each.public_key.keyid: each for each in (*self.signers["root"], *also_by)}
        self.publish_root(by=list(signers.values()))

    def publish(self) -> None:
        """Everything below root, as it stands; versions are the tests' business."""
        files = self.source.files
        for role, targets in self.targets.items():
            data = self.signed(role, targets)
            files[f"metadata/{targets.version}.{quote(role, '')}.json"] = data
            self.snapshot.meta[f"{role}.json"] = self.describe(targets.version, data)
        data = self.signed("snapshot", self.snapshot)
        files[f"metadata/{self.snapshot.version}.snapshot.json"] = data
        self.timestamp.snapshot_meta = self.describe(self.snapshot.version, data)
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        self.source.files["metadata/timestamp.json"] = self.signed("timestamp", self.timestamp)

    def describe(self, version: int, data: bytes) -> MetaFile:
        hashes = ["sha256"] if self.describe_fully else []
        return MetaFile.from_data(version, data, hashes) if hashes else MetaFile(version)

    def bump(self, *roles: str) -> None:
        """New versions of some roles, and of what names them."""
        for role in roles:
            self.targets[role].version += 1
        self.snapshot.version += 1
        self.timestamp.version += 1
        self.publish()

    def delegate(self, delegator: str, role: str, paths: Sequence[str], **options: Any) -> None:  # noqa: ANN401
        """A delegation; the role gets a key when it has none."""
        parent = self.targets[delegator]
        if role not in self.targets:
            self.targets[role] = Targets(expires=NOW + timedelta(days=30))
            self.signers[role] = [CryptoSigner.generate_ed25519()]
        if parent.delegations is None:
            parent.delegations = Delegations({}, {})
        roles = parent.delegations.roles
        assert roles is not None
        made = DelegatedRole(
            role, [], options.get("threshold", 1), options.get("terminating", False), list(paths)
        )
        roles[role] = made
        parent.add_key(options.get("key", self.signers[role][0].public_key), role)

    def add_file(self, role: str, path: str, data: bytes) -> None:
        target = TargetFile.from_data(path, data, ["sha256"])
        self.targets[role].targets[path] = target
        folder, slash, name = path.rpartition("/")
        self.source.files[f"targets/{folder}{slash}{target.hashes['sha256']}.{name}"] = data


@dataclass
class Client:
    """A device that was enrolled with a simulator's first root."""

    folder: Path
    sources: list[Source]
    now: datetime = NOW
    clock_counts: bool = True

    @classmethod
    def enrolled(cls, folder: Path, simulator: Simulator) -> Client:
        (folder / "metadata").mkdir()
        (folder / "metadata" / "root.json").write_bytes(simulator.first_root)
        return cls(folder, [simulator.source])

    def updater(self) -> Updater:
        world = World(lambda: 0.0, lambda _seconds: None, lambda: 0.5)
        settings = UpdaterSettings(
            folder=self.folder / "metadata",
            signed_time_file=self.folder / "signed-time.json",
            own_clock=(lambda: self.now) if self.clock_counts else None,
        )
        return Updater(settings, Transport(self.sources, Patience(), world))

    def refused(self) -> str:
        """Code of the refusal of a refresh; empty when it succeeds."""
        try:
            self.updater().refresh()
        except EdgeworthyError as error:
            return error.code
        return ""

    def download(self, path: str) -> bytes | None:
        updater = self.updater()
        target = updater.find_target(path)
        return updater.read_target(target, largest_bytes=1 << 20) if target else None

    def versions(self) -> dict[str, int]:
        """Versions of everything that is stored."""
        found: dict[str, int] = {}
        for path in sorted((self.folder / "metadata").glob("*.json")):
            metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
            found[path.name.removesuffix(".json")] = metadata.signed.version
        return found
