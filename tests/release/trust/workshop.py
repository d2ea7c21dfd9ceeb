"""A publisher's desk: keys in memory, a repository on the disk, a clock that tests move."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.release import Key, Signer, write_release
from edgeworthy.release.signers import CryptoSigner
from edgeworthy.release.trust import (
    Ceremony,
    Keyring,
    Outcome,
    Publication,
    TrustSettings,
    init_repository,
    publish_release,
)
from edgeworthy.release.trust.keyring import HeldKey
from edgeworthy.release.trust.settings import Lifetimes
from release.builders import contents_of

BEGINNING = datetime(2026, 6, 1, 12, tzinfo=UTC)
PRODUCT = "keywords"
ROLES = ("root.1", "root.2", "root.3", "targets", "snapshot", "timestamp", "director")
#: What a stolen server holds.
ONLINE = ("snapshot", "timestamp", "director")
#: Signs every release; releases are made once, because that is slow.
RELEASE_SIGNER: Signer = CryptoSigner.generate_ed25519()
_RELEASES = tempfile.TemporaryDirectory(prefix="edgeworthy-releases-")


def no_passphrase() -> bytes:
    raise AssertionError("keys in memory need no passphrase")


@dataclass
class Workshop:
    """Everything that a publisher has."""

    folder: Path
    now: datetime = BEGINNING
    signers: dict[str, Signer] = field(default_factory=dict)
    release_signer: Signer = RELEASE_SIGNER

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    def add_key(self, name: str) -> Key:
        self.signers[name] = CryptoSigner.generate_ed25519()
        return self.signers[name].public_key

    def key(self, name: str) -> Key:
        return self.signers[name].public_key

    def keyring(self, without: Iterable[str] = (), only: Iterable[str] = ()) -> Keyring:
        """Public keys of everybody; private ones except some, or only some."""
        away = set(without) if not only else set(self.signers) - set(only)
        held = tuple(
            HeldKey(name, name.partition(".")[0], signer.public_key, None if name in away else name)
            for name, signer in sorted(self.signers.items())
        )
        in_memory = {signer.public_key.keyid: signer for signer in self.signers.values()}
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        return Keyring(keys, held, no_passphrase, in_memory)

    def ceremony(self, without: Iterable[str] = (), only: Iterable[str] = ()) -> Ceremony:
        return Ceremony(self.repository, self.keyring(without, only), self.now)

    def init(self, without: Iterable[str] = (), lifetimes: Lifetimes | None = None) -> Outcome:
        for name in (*ROLES, f"product-{PRODUCT}"):
            self.add_key(name)
        settings = TrustSettings(lifetimes=lifetimes or Lifetimes())
        return init_repository(self.ceremony(without), [PRODUCT], settings)

    def release(self, version: str) -> Path:
        """A signed release, made once for all tests of a process; nobody may change it."""
        folder = Path(_RELEASES.name) / f"release-{version}"
        if not folder.exists():
            write_release(folder, contents_of(version=version), RELEASE_SIGNER)
        return folder

    def publish(
        self,
        version: str,
        *audiences: str,
        rollback: str = "",
        without: Iterable[str] = (),
    ) -> tuple[PublishedRelease, Outcome]:
        publication = Publication(
            folder=self.release(version),
            public_keys=[self.release_signer.public_key],
            audiences=audiences,
            rollback_reason=rollback,
        )
        return publish_release(self.ceremony(without), publication)

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)
