"""A signed release, written whole or not at all.

Rules:

1. The folder is complete and has passed its own verification before it takes its name.
2. The same contents and the same ed25519 key give the same bytes.
3. A blob is copied while it is hashed, in bounded memory.
4. Only an empty folder or an older release is ever replaced.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from edgeworthy.documents.record import Document, encode_document
from edgeworthy.documents.release import EvidenceReference, ReleaseIndex, ReleaseManifest
from edgeworthy.errors import InputError, UsageError, VerificationError
from edgeworthy.files import folder_written_whole
from edgeworthy.release import oci
from edgeworthy.release.attestation import attest
from edgeworthy.release.signers import Signer
from edgeworthy.release.verification import verify_release

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ReleaseBlob:
    """A file that ships.

    Attributes:
        title: Its file name: letters, digits, ``.``, ``_`` and ``-``.
        media_type: What it is; ``MODEL_MEDIA_TYPE`` and ``GOLDEN_MEDIA_TYPE`` are required kinds.
        source: Where its bytes are.
    """

    title: str
    media_type: str
    source: Path | bytes


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A document and the digests of the blobs that it speaks of."""

    document: Document
    subjects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReleaseContents:
    """All that a release is made of.

    Attributes:
        manifest: What is in it and how it is used.
        blobs: Variants, golden set, and whatever else is to travel.
        evidence: The gate decision, and what it was made on.
    """

    manifest: ReleaseManifest
    blobs: tuple[ReleaseBlob, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class _Blobs:
    """The folder ``blobs/sha256`` while it is being filled."""

    folder: Path
    titles: dict[str, str] = field(default_factory=dict)

    def add(self, data: bytes, media_type: str) -> oci.Descriptor:
        """Write bytes under their digest."""
        descriptor = oci.describe(data, media_type)
        (self.folder / descriptor.digest.removeprefix("sha256:")).write_bytes(data)
        return descriptor

    def add_layer(self, blob: ReleaseBlob) -> oci.Descriptor:
        """Copy a blob under its digest, and remember its title."""
        incoming = self.folder / "incoming"
        hasher = hashlib.sha256()
        size = 0
        with incoming.open("wb") as target:
            for piece in _pieces(blob.source):
                hasher.update(piece)
                size += target.write(piece)
        incoming.rename(self.folder / hasher.hexdigest())
        digest = f"sha256:{hasher.hexdigest()}"
        self.titles[digest] = blob.title
        return oci.Descriptor(
            media_type=blob.media_type,
            digest=digest,
            size=size,
            annotations={oci.TITLE_ANNOTATION: blob.title},
        )


def write_release(folder: Path, contents: ReleaseContents, signer: Signer) -> str:
    """Sign a release and write it as an OCI image layout.

    Args:
        folder: Where it goes; an older release there is replaced.
        contents: What it is made of.
        signer: Who vouches for it.

    Returns:
        The digest of the OCI image manifest, which names the release.

    Raises:
        VerificationError: The contents contradict each other; nothing was written.
        SigningKeyError: The key did not sign; nothing was written.
        InputError: A blob cannot be read; nothing was written.
        UsageError: Something else than a release lies at ``folder``.
        StorageError: The disk is full, read-only or forbidden; nothing was written.
    """
    _check_replaceable(folder)
    with folder_written_whole(folder) as fresh:
        digest = _fill(fresh, contents, signer)
        verify_release(fresh, [signer.public_key])
    return digest


def _fill(fresh: Path, contents: ReleaseContents, signer: Signer) -> str:
    blobs = _Blobs(fresh / "blobs" / "sha256")
    blobs.folder.mkdir(parents=True)
    first = ReleaseBlob(
        title=oci.RELEASE_TITLE,
        media_type=oci.RELEASE_MEDIA_TYPE,
        source=encode_document(contents.manifest),
    )
    layers = [blobs.add_layer(blob) for blob in (first, *contents.blobs)]
    config = oci.build_config(contents.manifest, layers)
    blobs.add(config, oci.CONFIG_MEDIA_TYPE)
    blobs.add(oci.EMPTY_CONFIG, oci.EMPTY_MEDIA_TYPE)
    release = blobs.add(oci.build_manifest(config, layers), oci.MANIFEST_MEDIA_TYPE)
    envelopes = _sign_evidence(contents, blobs.titles, signer)
    seal = _seal(release.digest, envelopes, blobs.titles, signer)
    carriers = [release]
    for data, predicate_type in ((seal, ReleaseIndex.predicate_type()), *envelopes):
        blobs.add(data, oci.ENVELOPE_MEDIA_TYPE)
        carrier = oci.build_evidence_manifest(data, predicate_type, release)
        carriers.append(blobs.add(carrier, oci.MANIFEST_MEDIA_TYPE))
    index = oci.build_index(carriers)
    blobs.add(index, oci.INDEX_MEDIA_TYPE)
    (fresh / "index.json").write_bytes(oci.build_entry(index, contents.manifest.version))
    (fresh / "oci-layout").write_bytes(oci.LAYOUT)
    return release.digest


def _sign_evidence(
    contents: ReleaseContents, titles: Mapping[str, str], signer: Signer
) -> list[tuple[bytes, str]]:
    signed = []
    for evidence in contents.evidence:
        strangers = [digest for digest in evidence.subjects if digest not in titles]
        if strangers:
            raise VerificationError(
                f"a {evidence.document.KIND} about something that is not in this release",
                expected="digests of blobs of the release",
                found=", ".join(strangers),
            )
        subjects = {titles[digest]: digest for digest in evidence.subjects}
        data = attest(evidence.document, subjects, signer)
        signed.append((data, evidence.document.predicate_type()))
    return sorted(signed, key=lambda each: (each[1], oci.describe(each[0], "").digest))


def _seal(
    manifest_digest: str,
    envelopes: list[tuple[bytes, str]],
    titles: Mapping[str, str],
    signer: Signer,
) -> bytes:
    index = ReleaseIndex(
        manifest=manifest_digest,
        evidence=tuple(
            EvidenceReference(
                predicate_type=predicate_type,
                envelope=oci.describe(data, "").digest,
                size_bytes=len(data),
            )
            for data, predicate_type in envelopes
        ),
    )
    subjects = {title: digest for digest, title in titles.items()}
    return attest(index, {**subjects, oci.MANIFEST_SUBJECT: manifest_digest}, signer)


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "oci-layout").is_file()):
        raise UsageError(
            "something else than a release lies there",
            where=str(folder),
            next_step="Choose another folder, or remove this one",
        )


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    try:
        with _open_source(source) as stream:
            while piece := stream.read(_CHUNK_BYTES):
                yield piece
    except OSError as error:
        raise InputError(
            f"a blob of the release cannot be read: {error.strerror or error}", where=str(source)
        ) from error


def _open_source(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
