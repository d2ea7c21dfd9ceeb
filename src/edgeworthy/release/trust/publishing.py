"""From a release that was proven to one that is offered.

Rules:

1. A release is proven with the publisher's keys before a byte of it is copied, and each blob is
   hashed once more while it is.
2. The release counter goes up by one with each publication and never back, also when older
   publications are no longer listed.
3. Publishing what is offered already changes nothing. Offering an older version again is a
   statement of its own, with a reason and a new number: an authorized rollback.
4. Documents and blobs come first, the signature that names them last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.documents.publication import PublishedBlob, PublishedRelease
from edgeworthy.documents.record import encode_document
from edgeworthy.errors import UsageError
from edgeworthy.release.signers import Key
from edgeworthy.release.trust.assigning import assigned, published_releases
from edgeworthy.release.trust.ceremonies import Ceremony
from edgeworthy.release.trust.committing import Draft, Outcome, commit
from edgeworthy.release.trust.files import copy_blob, write_target, writing
from edgeworthy.release.trust.layout import COUNTER_FIELD, DIRECTOR, product_role, release_path
from edgeworthy.release.trust.tuf_names import TargetFile, Targets
from edgeworthy.release.verification import verify_release
from edgeworthy.release.verified import VerifiedRelease

_UNREASONED = "an older version would be offered again"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What is to be offered, and how.

    Attributes:
        folder: The release: an OCI image layout.
        public_keys: Keys whose signatures on the release are accepted.
        audiences: Whom it is assigned to: ``rings/NAME`` or ``devices/NAME``.
        rollback_reason: Why an older version is offered again; empty for a new one.
    """

    folder: Path
    public_keys: Sequence[Key]
    audiences: tuple[str, ...] = ()
    rollback_reason: str = ""


def publish_release(
    ceremony: Ceremony, publication: Publication
) -> tuple[PublishedRelease, Outcome]:
    """Offer a release.

    Returns:
        The publication, and what became of it: a threshold may still want signatures.

    Raises:
        VerificationError: The release is not what its publisher signed.
        UsageError: It is an older version without a reason, or the reason fits no older version.
        TrustError: The product is not delegated to.
        StorageError: The disk is full, read-only or forbidden; readers see the old state.
    """
    verified = verify_release(publication.folder, publication.public_keys)
    product = verified.manifest.name
    role = product_role(product)
    with writing(ceremony.repository):
        state = ceremony.state()
        targets = state.copy_of(role)
        history = published_releases(ceremony, state, product)
        offered = _already_offered(verified, publication, history)
        release = offered or _described(verified, publication, history, targets, ceremony)
        target = _add(ceremony, targets, release, publication.folder)
        changed: dict[str, Targets] = {} if offered else {role: targets}
        if publication.audiences:
            changed[DIRECTOR] = assigned(ceremony, state, product, target, publication.audiences)
        if not changed:
            return release, Outcome({}, {})
        outcome = commit(
            ceremony.repository, state, Draft(targets=changed), ceremony.keyring, ceremony.now
        )
    return release, outcome


def _already_offered(
    verified: VerifiedRelease, publication: Publication, history: Sequence[PublishedRelease]
) -> PublishedRelease | None:
    newest = history[-1] if history else None
    if newest is not None and newest.entry == verified.index_digest:
        return newest
    older = [each for each in history if each.entry == verified.index_digest]
    if older and not publication.rollback_reason:
        raise UsageError(
            _UNREASONED,
            found=f"{older[-1].version} was publication {older[-1].release_counter}",
            where=str(publication.folder),
            next_step="Say why with --rollback REASON",
        )
    if publication.rollback_reason and not older:
        raise UsageError(
            "a rollback to something that was never published",
            where=str(publication.folder),
            next_step="Leave --rollback away to publish it for the first time",
        )
    return None


def _described(
    verified: VerifiedRelease,
    publication: Publication,
    history: Sequence[PublishedRelease],
    targets: Targets,
    ceremony: Ceremony,
) -> PublishedRelease:
    highest = max((each.release_counter for each in history), default=0)
    highest = max(highest, int(targets.unrecognized_fields.get(COUNTER_FIELD, 0)))
    blobs = publication.folder / "blobs" / "sha256"
    return PublishedRelease(
        product=verified.manifest.name,
        version=verified.manifest.version,
        release_counter=highest + 1,
        entry=verified.index_digest,
        manifest=verified.digest,
        blobs=tuple(
            PublishedBlob(digest=f"sha256:{path.name}", size_bytes=path.stat().st_size)
            for path in sorted(blobs.iterdir())
        ),
        rollback_reason=publication.rollback_reason,
        published_at=ceremony.now.isoformat(timespec="seconds"),
    )


def _add(
    ceremony: Ceremony, targets: Targets, release: PublishedRelease, folder: Path
) -> TargetFile:
    for blob in release.blobs:
        source = folder / "blobs" / "sha256" / blob.digest.removeprefix("sha256:")
        copy_blob(ceremony.repository, blob.digest, source)
    path = release_path(release.product, release.release_counter)
    data = encode_document(release)
    write_target(ceremony.repository, path, data)
    target = TargetFile.from_data(path, data, ["sha256"])
    targets.targets[path] = target
    targets.unrecognized_fields[COUNTER_FIELD] = release.release_counter
    return target
