"""What a device is to run, as far as it may believe it, and its bytes laid out as a release.

Rules:

1. The director's assignment counts when it names this device or its ring, and the product's own
   offline role vouches for the very release that it names.
2. A release counter below the highest that this device accepted is refused, whoever says so.
3. A document says the same as the path by which it was found.
4. A release is laid out from blobs that were fetched by digest; whether it is what its publisher
   signed is then for :func:`edgeworthy.release.verify_release`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.agent.transport import Transport
from edgeworthy.agent.updater import Updater
from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.documents.publication import PublishedRelease, ReleaseAssignment
from edgeworthy.documents.record import DIGEST_PATTERN, DocumentT, decode_document
from edgeworthy.errors import InputError, TrustError
from edgeworthy.files import (
    digest_bytes,
    folder_written_whole,
    storage_errors,
    sync_folder,
    write_whole,
)
from edgeworthy.release import oci
from edgeworthy.release.layout import LARGEST_MANIFEST_BYTES
from edgeworthy.release.strict_json import convert_strictly, parse_strictly
from edgeworthy.release.trust.layout import (
    BLOBS_FOLDER,
    assignment_path,
    blob_path,
    policy_path,
    release_path,
)

#: Largest signed document that is read.
LARGEST_DOCUMENT_BYTES = 4 << 20


@dataclass(frozen=True)
class Offer:
    """A release that this device is to run.

    Attributes:
        release: What it is, as the product's role vouches for it.
        assignment: Who was told to run it.
    """

    release: PublishedRelease
    assignment: ReleaseAssignment


def find_offer(
    updater: Updater, product: str, audiences: Sequence[str], *, highest_counter: int
) -> Offer | None:
    """The release that is assigned to this device; absent when none is.

    Args:
        updater: Refreshed, or it refreshes itself.
        product: What this device runs.
        audiences: What it answers to, the closest first: ``devices/NAME``, ``rings/NAME``.
        highest_counter: Highest release counter that it accepted so far; 0 for none.

    Raises:
        TrustError: One of the rules is broken.
        TransferError: A source is out of reach.
    """
    for audience in audiences:
        path = assignment_path(product, audience)
        found = _read(updater, path, ReleaseAssignment)
        if found is None:
            continue
        assignment, _ = found
        if (assignment.audience, assignment.product) != (audience, product):
            raise TrustError(
                "an assignment for somebody else",
                expected=f"{product} for {audience}",
                found=f"{assignment.product[:64]} for {assignment.audience[:80]}",
                where=path,
            )
        return Offer(_vouched_for(updater, assignment, highest_counter), assignment)
    return None


def read_device_policy(updater: Updater, name: str) -> DevicePolicy | None:
    """The policy of this name, as the offline targets role vouches for it; absent when none does.

    Raises:
        TrustError: It is not a policy, or one of another name.
        TransferError: A source is out of reach.
    """
    found = _read(updater, policy_path(name), DevicePolicy)
    if found is None:
        return None
    policy, _ = found
    if policy.name != name:
        raise TrustError("a policy of another name", expected=name, found=policy.name[:64])
    return policy


def fetch_release(
    transport: Transport, release: PublishedRelease, store: Path, without: Collection[str] = ()
) -> int:
    """Bring the blobs of a release into a store; returns bytes that came over the network.

    Args:
        transport: How bytes come.
        release: Which.
        store: A folder; blobs that are in its ``blobs/sha256`` cost nothing.
        without: Digests of blobs that are not needed.

    Raises:
        TransferError: Some blob cannot be fetched now; the others stay.
        StorageError: The disk is full, read-only or forbidden.
    """
    return sum(
        transport.fetch_blob(each.digest, each.size_bytes, store)
        for each in release.blobs
        if each.digest not in without
    )


def models_of(release: PublishedRelease, store: Path) -> frozenset[str]:
    """Digests of the files of models, of which a device needs one.

    Args:
        release: Which.
        store: Holds its image manifest.

    Raises:
        VerificationError: That is not an image manifest.
        InputError: The store lacks it.
    """
    path = store / blob_path(release.manifest)
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_MANIFEST_BYTES + 1)
    except OSError as error:
        raise InputError("the store lacks a blob of the release", where=str(path)) from error
    parsed = parse_strictly(data, where=str(path), largest_bytes=LARGEST_MANIFEST_BYTES)
    manifest = convert_strictly(parsed, oci.ImageManifest, where=str(path))
    return frozenset(
        each.digest for each in manifest.layers if each.media_type == oci.MODEL_MEDIA_TYPE
    )


def lay_out(
    release: PublishedRelease, store: Path, folder: Path, without: Collection[str] = ()
) -> None:
    """Make the OCI image layout of a release from blobs of a store, whole or not at all.

    Blobs are hard links where the file system has them, so a release takes its space once.

    Args:
        release: Which.
        store: Holds its blobs.
        folder: Where to.
        without: Digests of blobs that are left out.

    Raises:
        InputError: The store lacks a blob.
        StorageError: The disk is full, read-only or forbidden.
    """
    with folder_written_whole(folder) as fresh:
        (fresh / "blobs" / "sha256").mkdir(parents=True)
        for blob in release.blobs:
            if blob.digest in without:
                continue
            _link(store / blob_path(blob.digest), fresh / blob_path(blob.digest))
        index = (fresh / blob_path(release.entry)).read_bytes()
        (fresh / "index.json").write_bytes(oci.build_entry(index, release.version))
        (fresh / "oci-layout").write_bytes(oci.LAYOUT)


def complete_layout(store: Path, folder: Path, digests: Collection[str]) -> None:
    """Put more blobs of a store into a layout that nobody uses yet.

    Raises:
        InputError: The store lacks a blob.
        StorageError: The disk is full, read-only or forbidden.
    """
    with storage_errors(folder):
        for digest in sorted(digests):
            _link(store / blob_path(digest), folder / blob_path(digest))
        sync_folder(folder / BLOBS_FOLDER)


def load_highest_counter(path: Path) -> int:
    """The highest release counter that was accepted; 0 where there is none.

    Raises:
        InputError: The file is there and says something else: that is for a person to look at.
    """
    try:
        text = path.read_text(encoding="ascii")
        return int(text) if text.strip().isdecimal() else _damaged(path)
    except FileNotFoundError:
        return 0
    except UnicodeDecodeError:
        return _damaged(path)


def store_highest_counter(path: Path, release_counter: int) -> None:
    """Accept a release counter; a lower one changes nothing (rule 2)."""
    if release_counter > load_highest_counter(path):
        write_whole(path, f"{release_counter}\n".encode())


def _vouched_for(
    updater: Updater, assignment: ReleaseAssignment, highest_counter: int
) -> PublishedRelease:
    path = release_path(assignment.product, assignment.release_counter)
    found = _read(updater, path, PublishedRelease)
    if found is None:
        raise TrustError(
            "the director names a release that nobody vouches for",
            found=f"{assignment.product} {assignment.release_counter}",
            where=path,
        )
    release, digest = found
    if digest != assignment.release:
        raise TrustError(
            "the director names another release than the product's key vouches for",
            expected=digest,
            found=assignment.release[:80],
            where=path,
        )
    counters = (release.release_counter, release.product)
    if counters != (assignment.release_counter, assignment.product):
        raise TrustError("a release under the number of another one", where=path)
    if release.release_counter < highest_counter:
        raise TrustError(
            "an older release than this device accepted before",
            expected=f"release counter {highest_counter} or higher",
            found=str(release.release_counter),
            where=path,
            next_step="To go back on purpose, publish the older version again with --rollback",
        )
    _check_blobs(release, path)
    return release


def _check_blobs(release: PublishedRelease, where: str) -> None:
    digests = [blob.digest for blob in release.blobs]
    well_formed = all(DIGEST_PATTERN.fullmatch(digest) for digest in digests)
    sized = all(blob.size_bytes >= 0 for blob in release.blobs)
    if not well_formed or not sized or not {release.entry, release.manifest} <= set(digests):
        raise TrustError("a list of blobs that is not that of a release", where=where)


def _read(updater: Updater, path: str, kind: type[DocumentT]) -> tuple[DocumentT, str] | None:
    target = updater.find_target(path)
    if target is None:
        return None
    data = updater.read_target(target, largest_bytes=LARGEST_DOCUMENT_BYTES)
    try:
        return decode_document(data, kind, where=path), digest_bytes(data)
    except InputError as error:
        raise TrustError(error.problem, where=path, next_step=error.next_step) from error


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        raise InputError("the store lacks a blob of the release", where=str(source)) from error
    except OSError:  # a file system without hard links, or across two of them
        shutil.copyfile(source, target)


def _damaged(path: Path) -> int:
    raise InputError(
        "the highest release counter cannot be read",
        expected="a number",
        where=str(path),
        next_step="Restore the file; without it this device could be sent back to old releases",
    )
