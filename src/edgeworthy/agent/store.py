"""What a device keeps: settings, state, releases by their digest, and two pointers.

::

    STORE/
      settings.json     who the device is, as it was enrolled
      state.json        where it stands; written whole with every step
      trust/            verified metadata, the root first
      signed-time.json  the time floor
      policy.json       the policy as it was last seen
      blobs/sha256/     the bytes of releases, each under its digest, each once
      releases/HEX/     releases laid out by hard links, each with the models that ran here;
                        beside each its slot (HEX.json) and its last self-test (HEX.self-test.json)
      current, previous symbolic links to releases
      history.jsonl     what ran here, when and why
      run/              sockets; nothing that has to last

Rules:

1. Only proven releases stand in ``releases``; what is not proven yet stands in ``incoming``.
2. Pointers are switched by rename and fsync, ``previous`` first: at every moment ``current`` names
   a proven release. A release that is in its place stays there whole while files are added to it.
3. A state that cannot be read is made again from the pointers and the slots beside the releases:
   nothing that works is lost with it.
4. One agent works on a store at a time; the lock is gone with its process.
5. Only what this room made is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.agent.history import end_of_history
from edgeworthy.documents.agent import AgentSettings, AgentState, Slot
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import EdgeworthyError, InputError, StorageError, UsageError
from edgeworthy.files import (
    digest_file,
    remove_leftovers,
    storage_errors,
    sync_folder,
    write_whole,
)
from edgeworthy.release.trust.layout import BLOBS_FOLDER, blob_path

CURRENT = "current"
PREVIOUS = "previous"
_HEX_DIGITS = 64
#: What an update takes beside its blobs: folders, and the files that are written whole.
_INODES_BESIDE = 32


@dataclass(frozen=True)
class Store:
    """A device's store.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def trust(self) -> Path:
        """Verified metadata."""
        return self.folder / "trust"

    @property
    def signed_time_file(self) -> Path:
        """The time floor."""
        return self.folder / "signed-time.json"

    @property
    def policy_file(self) -> Path:
        """The policy as it was last seen."""
        return self.folder / "policy.json"

    @property
    def history_file(self) -> Path:
        """What ran here."""
        return self.folder / "history.jsonl"

    @property
    def run(self) -> Path:
        """Sockets."""
        return self.folder / "run"

    @property
    def incoming(self) -> Path:
        """A release that is not proven yet."""
        return self.folder / "incoming"

    def release_folder(self, entry: str) -> Path:
        """Where a proven release lies."""
        return self.folder / "releases" / _hex(entry)

    def self_test_file(self, entry: str) -> Path:
        """The record of the last self-test of a release."""
        return self.folder / "releases" / f"{_hex(entry)}.self-test.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only agent on this store while the block runs (rule 4).

        Raises:
            UsageError: Another one runs.
        """
        path = self.folder / ".agent.lock"
        with storage_errors(path):
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise UsageError(
                "another agent works on this store",
                where=str(self.folder),
                next_step="Ask it with `edgeworthy agent status`, or stop it first",
            ) from error
        try:
            yield
        finally:
            os.close(lock)

    def settings(self) -> AgentSettings:
        """Who the device is.

        Raises:
            UsageError: It was not enrolled.
            InputError: The settings cannot be read.
        """
        path = self.folder / "settings.json"
        try:
            return decode_document(path.read_bytes(), AgentSettings, where=str(path))
        except FileNotFoundError as error:
            raise UsageError(
                "this device is not enrolled",
                where=str(self.folder),
                next_step="Enroll it with `edgeworthy agent enroll`",
            ) from error
        except OSError as error:
            raise InputError(
                f"the settings cannot be read: {error.strerror}", where=str(path)
            ) from error

    def write_settings(self, settings: AgentSettings) -> None:
        """Keep who the device is."""
        write_whole(self.folder / "settings.json", encode_document(settings))

    def state(self) -> AgentState:
        """Where the device stands; made again from the pointers when it cannot be read (rule 3)."""
        path = self.folder / "state.json"
        try:
            return decode_document(path.read_bytes(), AgentState, where=str(path))
        except FileNotFoundError:
            return self._recovered("")
        except (OSError, InputError) as error:
            return self._recovered(f"the state could not be read: {error}")

    def write_state(self, state: AgentState) -> None:
        """Keep where the device stands."""
        write_whole(self.folder / "state.json", encode_document(state))

    def pointers(self) -> tuple[str, str]:
        """Digests of the releases that ``current`` and ``previous`` name; empty for none."""
        names = (_read_link(self.folder / each) for each in (CURRENT, PREVIOUS))
        current, previous = (f"sha256:{Path(each).name}" if each else "" for each in names)
        return current, previous

    def slot(self, pointer: str) -> Slot | None:
        """The release that a pointer names; absent when it names none that can be described."""
        target = _read_link(self.folder / pointer)
        return self._described(self.folder / "releases" / Path(target).name) if target else None

    @staticmethod
    def _described(release: Path) -> Slot | None:
        path = _record_of(release)
        try:
            return decode_document(path.read_bytes(), Slot, where=str(path))
        except (OSError, EdgeworthyError):
            return None

    def _recovered(self, trouble: str) -> AgentState:
        current, previous = self.slot(CURRENT), self.slot(PREVIOUS)
        counters = [each.release_counter for each in (current, previous) if each]
        sequence, head = end_of_history(self.history_file)
        return AgentState(
            sequence=sequence,
            head=head,
            current=current,
            previous=previous if previous != current else None,
            highest_counter=max(counters, default=0),
            trouble=trouble,
        )

    def admit(self, slot: Slot) -> None:
        """Give a proven release its place: from ``incoming`` to ``releases`` (rule 1).

        Raises:
            StorageError: The disk is full, read-only or forbidden.
        """
        target = self.release_folder(slot.entry)
        with storage_errors(target):
            target.parent.mkdir(exist_ok=True)
            if target.exists() and self.incoming.exists():  # it rotted, or has one variant more
                for path in sorted(each for each in self.incoming.rglob("*") if each.is_file()):
                    path.replace(target / path.relative_to(self.incoming))
                sync_folder(target / BLOBS_FOLDER)
                shutil.rmtree(self.incoming)
            elif self.incoming.exists():
                self.incoming.rename(target)
            sync_folder(target.parent)
            write_whole(_record_of(target), encode_document(slot))

    def point(self, current: Slot | None, previous: Slot | None) -> None:
        """Let the pointers name these releases (rule 2).

        Raises:
            StorageError: The disk is full, read-only or forbidden.
        """
        for pointer, slot in ((PREVIOUS, previous), (CURRENT, current)):
            path = self.folder / pointer
            release = self.release_folder(slot.entry) if slot else None
            if slot and release and self._described(release) != slot:
                write_whole(_record_of(release), encode_document(slot))
            wanted = f"releases/{_hex(slot.entry)}" if slot else ""
            if _read_link(path) == wanted:
                continue
            with storage_errors(path):
                if slot:
                    _switch(path, wanted)
                else:
                    path.unlink()
                sync_folder(self.folder)

    def collect(self, keep: Iterable[Slot], also: Iterable[str] = ()) -> int:
        """Remove every release but these, and every blob that none of them needs.

        Args:
            keep: Releases that stay.
            also: Digests of blobs that stay too: those of a candidate that is being fetched.

        Returns:
            Bytes that were freed, as far as the blobs say.

        Raises:
            StorageError: Something cannot be removed.
        """
        names = {_hex(slot.entry) for slot in keep}
        releases = self.folder / "releases"
        wanted = {_hex(digest) for digest in also}
        with storage_errors(releases):
            for path in sorted(releases.glob("*")) if releases.is_dir() else []:
                if path.name.partition(".")[0] in names:
                    continue
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            for name in names:
                wanted |= {each.name for each in (releases / name / BLOBS_FOLDER).glob("*")}
            if not also:
                shutil.rmtree(self.incoming, ignore_errors=True)
        return self._collect_blobs(wanted)

    def _collect_blobs(self, wanted: set[str]) -> int:
        freed = 0
        folder = self.folder / BLOBS_FOLDER
        with storage_errors(folder):
            for path in sorted(folder.glob("*")) + sorted(folder.glob(".*.partial*")):
                name = path.name.removeprefix(".")[:_HEX_DIGITS]
                if name not in wanted:
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def size_bytes(self) -> int:
        """What the blobs take; releases are links to them."""
        folder = self.folder / BLOBS_FOLDER
        sizes = 0
        for path in folder.glob("*") if folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                sizes += path.stat().st_size
        return sizes

    def sweep(self) -> None:
        """Remove what a killed agent left half-written; only for who is alone on the store."""
        with contextlib.suppress(OSError):
            remove_leftovers(self.folder)
            remove_leftovers(self.folder / "releases")
            remove_leftovers(self.trust)

    def damage(self, slot: Slot) -> str:
        """What is wrong with the bytes of a release, one sentence; empty when nothing is.

        Every file that loading the variant touches is hashed.
        """
        folder = self.release_folder(slot.entry)
        for file in slot.files:
            path = folder / blob_path(file.digest)
            try:
                if path.stat().st_size != file.size_bytes or digest_file(path) != file.digest:
                    return f"{file.digest[:19]} of {slot.product} {slot.version} has other bytes"
            except OSError as error:
                return (
                    f"{file.digest[:19]} of {slot.product} {slot.version} cannot be read: "
                    f"{error.strerror}"
                )
        return ""

    def check_space(self, needed_bytes: int, file_count: int) -> None:
        """Hold what is needed against what is free before it is fetched.

        Args:
            needed_bytes: Of all files.
            file_count: How many.

        Raises:
            StorageError: There is too little space, or there are too few free inodes.
        """
        disk = os.statvfs(self.folder)
        room: dict[str, tuple[int, int]] = {"bytes": (needed_bytes, disk.f_bavail * disk.f_frsize)}
        if disk.f_files:  # some file systems have as many files as fit
            room["inodes"] = (file_count + _INODES_BESIDE, disk.f_favail)
        for what, (needed, free) in room.items():
            if needed > free:
                raise StorageError(
                    "not enough space for the release",
                    expected=f"{needed} {what} free",
                    found=str(free),
                    where=str(self.folder),
                    next_step="Free some space; what is missing was not fetched",
                )

    def check_quota(self, needed_bytes: int, quota_bytes: int) -> None:
        """Hold the quota before anything is fetched.

        Raises:
            StorageError: It would be exceeded.
        """
        held = self.size_bytes()
        if quota_bytes and held + needed_bytes > quota_bytes:
            raise StorageError(
                "the release does not fit into the quota of this device",
                expected=f"at most {quota_bytes} bytes",
                found=f"{held} held and {needed_bytes} to fetch",
                where=str(self.folder),
                next_step="Raise --quota-mib at enrolment, or publish a smaller release",
            )


def _hex(digest: str) -> str:
    return Path(blob_path(digest)).name


def _record_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _switch(path: Path, wanted: str) -> None:
    fresh = path.with_name(f".{path.name}.partial")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(wanted)
    fresh.replace(path)
