"""What a repository vouches for, learnt step by step; the client side of TUF.

Rules:

1. The rules of belief are python-tuf's (``TrustedMetadataSet``): root by root from the one that was
   given at enrolment, then timestamp, snapshot, targets and delegated roles. Bytes, clock and disk
   are ours: everything is stored whole or not at all.
2. A delegated role in the cache is verified against the role that delegates to it *now*.
3. The timestamp is asked of every source, and the newest valid one counts: a source that stopped
   in time cannot hold back what another one has.
4. Time is judged as :mod:`edgeworthy.agent.signed_time` says.
5. An assignment counts when it names this device or its ring, when the product's own role vouches
   for the same release, and when its counter is not below the highest that was accepted.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from tuf.api.exceptions import (
    EqualVersionNumberError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.serialization import DeserializationError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType, UpdaterConfig

from edgeworthy.agent.signed_time import SignedTime, load_signed_time, store_signed_time
from edgeworthy.agent.sources import SourceProblem
from edgeworthy.agent.transport import Transport
from edgeworthy.errors import StaleTrustError, StorageError, TransferError, TrustError
from edgeworthy.files import write_whole
from edgeworthy.release.expiry import parse_date
from edgeworthy.release.trust.layout import (
    ROOT,
    SIGNED_AT_FIELD,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from edgeworthy.release.trust.tuf_names import Signed, TargetFile, Targets

_LIMITS = UpdaterConfig()
_ROOTS_PER_WRITE = 16
_KEEP = "What runs goes on running; the next attempt may find the repository in order"


@dataclass(frozen=True, kw_only=True)
class UpdaterSettings:
    """Where an updater keeps and finds things.

    Attributes:
        folder: Where verified metadata are kept; holds ``root.json`` from the beginning.
        signed_time_file: Where the time floor is kept.
        own_clock: What the device's clock says; absent when it does not count.
        metadata_prefix: Folder of the metadata inside the repository, with ``/`` at its end.
        targets_prefix: The same for targets.
    """

    folder: Path
    signed_time_file: Path
    own_clock: Callable[[], datetime] | None
    metadata_prefix: str = "metadata/"
    targets_prefix: str = "targets/"


class Updater:
    """Learns what a repository vouches for; one object for one look.

    Args:
        settings: Where things are.
        transport: How bytes come.
        targets_transport: How target files come, where that is from elsewhere.

    Raises:
        TrustError: The stored root cannot be used.
    """

    def __init__(
        self,
        settings: UpdaterSettings,
        transport: Transport,
        targets_transport: Transport | None = None,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._targets_transport = targets_transport or transport
        self._time = load_signed_time(settings.signed_time_file)
        with _refusals("root.json"):
            data = (settings.folder / "root.json").read_bytes()
            self._trusted = TrustedMetadataSet(data, EnvelopeType.METADATA)
        self._set_time(self._time)

    @property
    def signed_time(self) -> SignedTime:
        """The time floor."""
        return self._time

    @property
    def reference_time(self) -> datetime:
        """The moment at which everything is judged."""
        return self._trusted.reference_time

    def refresh(self) -> None:
        """Bring root, timestamp, snapshot and targets up to date.

        Raises:
            TransferError: A source is out of reach or sends nonsense; try again later.
            StaleTrustError: Something has expired.
            TrustError: Something is not what the holders of the keys agreed to.
            StorageError: The disk is full, read-only or forbidden.
        """
        with _refusals("the repository"):
            self._load_roots()
            self._load_timestamp()
            self._load_snapshot()
            self._load_targets(TARGETS, ROOT)
        store_signed_time(self._settings.signed_time_file, self._time)

    def find_target(self, path: str) -> TargetFile | None:
        """Search a target file through the delegations, in their order.

        Raises:
            TransferError, TrustError: As for :meth:`refresh`, which is done when it was not.
        """
        if TARGETS not in self._trusted:
            self.refresh()
        with _refusals(path):
            return self._walk(path)

    def read_target(self, target: TargetFile, *, largest_bytes: int) -> bytes:
        """Read a small target file and prove it.

        Raises:
            TransferError: No source gives it.
            TrustError: It is larger than it may be, or no source has the right bytes.
        """
        if target.length > largest_bytes:
            raise TrustError(
                "a document that is larger than it may be",
                expected=f"at most {largest_bytes} bytes",
                found=str(target.length),
                where=target.path,
            )
        place = self._settings.targets_prefix + self._name_of(target)
        with _refusals(target.path):
            return self._fetch(
                place,
                target.length,
                target.verify_length_and_hashes,
                transport=self._targets_transport,
            )

    def _name_of(self, target: TargetFile) -> str:
        if not self._trusted.root.consistent_snapshot:
            return target.path
        folder, slash, name = target.path.rpartition("/")
        return f"{folder}{slash}{next(iter(target.hashes.values()))}.{name}"

    def _load_roots(self) -> None:
        believed = b""
        first = self._trusted.root.version + 1
        try:
            for version in range(first, first + _LIMITS.max_root_rotations):
                place = self._place_of(ROOT, version)
                try:
                    believed = self._fetch(
                        place, _LIMITS.root_max_length, self._trusted.update_root
                    )
                except SourceProblem as problem:
                    if not problem.gone:
                        raise
                    break
                if (version - first) % _ROOTS_PER_WRITE == _ROOTS_PER_WRITE - 1:
                    self._store(ROOT, believed)
                    believed = b""
        finally:
            if believed:
                self._store(ROOT, believed)
        keys = tuple(sorted(self._trusted.root.roles[TIMESTAMP].keyids))
        known = self._time.with_keys(keys)
        self._set_time(known.seen(offline=_signed_at(self._trusted.root)))

    def _load_timestamp(self) -> None:
        self._try_stored(TIMESTAMP, self._trusted.update_timestamp)
        failure: Exception | None = None
        understood = False
        for source in self._transport.sources:
            try:
                place = f"{self._settings.metadata_prefix}{TIMESTAMP}.json"
                data = self._transport.read(
                    place, largest_bytes=_LIMITS.timestamp_max_length, source=source
                )
                self._trusted.update_timestamp(data)
            except EqualVersionNumberError:
                understood = True
            except (SourceProblem, RepositoryError, DeserializationError) as error:
                failure = error
            else:
                understood = True
                self._store(TIMESTAMP, data)
        if not understood and failure is not None:
            raise failure
        self._set_time(self._time.seen(online=_signed_at(self._trusted.timestamp)))

    def _load_snapshot(self) -> None:
        def trusted(data: bytes) -> object:
            return self._trusted.update_snapshot(data, trusted=True)

        if self._try_stored(SNAPSHOT, trusted):
            return
        described = self._trusted.timestamp.snapshot_meta
        length = described.length or _LIMITS.snapshot_max_length
        place = self._place_of(SNAPSHOT, described.version)
        self._store(SNAPSHOT, self._fetch(place, length, self._trusted.update_snapshot))

    def _load_targets(self, role: str, delegator: str) -> Targets:
        if self._trusted.contains(role, delegator):
            return cast("Targets", self._trusted[role])

        def believe(data: bytes) -> object:
            return self._trusted.update_delegated_targets(data, role, delegator)

        if not self._try_stored(role, believe):
            described = self._trusted.snapshot.meta.get(f"{role}.json")
            if described is None:
                raise RepositoryError(f"the role {role} is delegated to but not in the snapshot")
            length = described.length or _LIMITS.targets_max_length
            place = self._place_of(role, described.version)
            self._store(role, self._fetch(place, length, believe))
        return cast("Targets", self._trusted[role])

    def _walk(self, path: str) -> TargetFile | None:
        """Preorder, depth first, at most so many roles; a cycle is walked once."""
        waiting = [(TARGETS, ROOT)]
        visited: set[str] = set()
        while waiting and len(visited) <= _LIMITS.max_delegations:
            role, delegator = waiting.pop()
            if role in visited:
                continue
            targets = self._load_targets(role, delegator)
            if path in targets.targets:
                return targets.targets[path]
            visited.add(role)
            children: list[tuple[str, str]] = []
            if targets.delegations is not None:
                for child, terminating in targets.delegations.get_roles_for_target(path):
                    children.append((child, role))
                    if terminating:
                        waiting = []
                        break
            waiting += reversed(children)
        return None

    def _try_stored(self, role: str, believe: Callable[[bytes], object]) -> bool:
        """Whether what is stored is good enough; what it proves counts in any case."""
        try:
            believe(self._stored(role))
        except (OSError, RepositoryError, DeserializationError):
            return False
        return True

    def _fetch(
        self,
        place: str,
        largest_bytes: int,
        believe: Callable[[bytes], object],
        *,
        transport: Transport | None = None,
    ) -> bytes:
        """The bytes of the first source that sends something to be believed."""
        failures: list[Exception] = []
        using = transport or self._transport
        for source in using.sources:
            try:
                data = using.read(place, largest_bytes=largest_bytes, source=source)
                believe(data)
            except (SourceProblem, RepositoryError, DeserializationError) as error:
                failures.append(error)
            else:
                return data
        gone = [each for each in failures if isinstance(each, SourceProblem) and each.gone]
        raise (gone or failures or [SourceProblem("there is no source")])[0]

    def _place_of(self, role: str, version: int) -> str:
        name = urllib.parse.quote(role, "")
        # Roots are numbered in any case; the rest only where old versions are kept.
        if role == ROOT or self._trusted.root.consistent_snapshot:
            name = f"{version}.{name}"
        return f"{self._settings.metadata_prefix}{name}.json"

    def _stored(self, role: str) -> bytes:
        return self._path_of(role).read_bytes()

    def _store(self, role: str, data: bytes) -> None:
        write_whole(self._path_of(role), data)

    def _path_of(self, role: str) -> Path:
        return self._settings.folder / f"{urllib.parse.quote(role, '')}.json"

    def _set_time(self, signed_time: SignedTime) -> None:
        self._time = signed_time
        own = self._settings.own_clock
        self._trusted.reference_time = signed_time.reference_time(own() if own else None)


def _signed_at(signed: Signed) -> datetime | None:
    """The moment of signing, where the repository states one that can be."""
    text = signed.unrecognized_fields.get(SIGNED_AT_FIELD)
    if not isinstance(text, str):
        return None
    moment = parse_date(text)
    return moment if moment <= signed.expires else None


@contextmanager
def _refusals(where: str) -> Iterator[None]:
    """Foreign errors become ours at the rim."""
    try:
        yield
    except SourceProblem as problem:
        raise TransferError(problem.reason, where=where, next_step=_KEEP) from problem
    except ExpiredMetadataError as error:
        raise StaleTrustError(str(error), where=where, next_step=_KEEP) from error
    except (RepositoryError, DeserializationError, ValueError) as error:
        raise TrustError(str(error), where=where, next_step=_KEEP) from error
    except FileNotFoundError as error:
        raise TrustError(
            "this device was not enrolled: it has no root",
            where=str(error.filename),
            next_step="Enroll it with the trusted root of its repository",
        ) from error
    except OSError as error:
        raise StorageError(
            f"cannot be read: {error.strerror or error}", where=str(error.filename or where)
        ) from error
