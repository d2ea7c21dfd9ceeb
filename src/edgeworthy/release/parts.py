"""What the descriptors of a release lead to, before any signature has been looked at.

Rules:

1. ``index.json`` names one image index; it names the image manifest of the release first, then the
   manifest that carries the seal, then those that carry evidence.
2. Everything here has the size and the digest that its descriptor says, so it is what the index
   names; whether the index is the right one is for :mod:`edgeworthy.release.verification`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.errors import VerificationError
from edgeworthy.release import oci
from edgeworthy.release.agreement import titles_of
from edgeworthy.release.attestation import LARGEST_ENVELOPE_BYTES
from edgeworthy.release.layout import Layout

#: The next step where evidence was left behind.
COPY_AGAIN = "Copy the release again, evidence included (skopeo copy --all)"


@dataclass(frozen=True)
class StoredEnvelope:
    """A statement on the disk: its envelope, and the manifest that carries it."""

    data: bytes
    reference: oci.Descriptor
    carrier: oci.Descriptor
    where: str


@dataclass(frozen=True)
class Parts:
    """What the descriptors of a release lead to."""

    layout: Layout
    entry: oci.Descriptor
    release: oci.Descriptor
    image: oci.ImageManifest
    seal: StoredEnvelope
    evidence: tuple[StoredEnvelope, ...]
    titles: dict[str, str]
    where: str


def find_parts(layout: Layout) -> Parts:
    """Follow the descriptors from ``index.json``.

    Raises:
        VerificationError: They lead nowhere, or to something else than a release.
    """
    where = str(layout.folder)
    entry = _read_entry(layout)
    index = layout.read_record(entry, oci.ImageIndex)
    release, *carriers = index.manifests or (None,)
    if release is None or not carriers:
        raise VerificationError(
            "a release without a signed statement", where=where, next_step=COPY_AGAIN
        )
    image = layout.read_record(release, oci.ImageManifest)
    if image.artifact_type != oci.RELEASE_MEDIA_TYPE:
        raise VerificationError(
            "not the image manifest of a release",
            expected=oci.RELEASE_MEDIA_TYPE,
            found=image.artifact_type[:80],
            where=str(layout.path_of(release)),
        )
    if not image.layers:
        raise VerificationError("a release without layers", where=str(layout.path_of(release)))
    envelopes = tuple(_read_envelope(layout, carrier) for carrier in carriers)
    return Parts(
        layout=layout,
        entry=entry,
        release=release,
        image=image,
        seal=envelopes[0],
        evidence=envelopes[1:],
        titles=titles_of(image.layers, where=str(layout.path_of(release))),
        where=where,
    )


def _read_entry(layout: Layout) -> oci.Descriptor:
    where = str(layout.folder / "index.json")
    entry = layout.read_entry(oci.ImageIndex)
    if (entry.schema_version, entry.media_type) != (2, oci.INDEX_MEDIA_TYPE):
        raise VerificationError(
            "not an OCI image index", expected=oci.INDEX_MEDIA_TYPE, where=where
        )
    if len(entry.manifests) != 1:
        raise VerificationError(
            "a release is one image index",
            expected="exactly one manifest",
            found=str(len(entry.manifests)),
            where=where,
        )
    (descriptor,) = entry.manifests
    if descriptor.media_type != oci.INDEX_MEDIA_TYPE:
        raise VerificationError(
            "this is not the index of a release and its evidence",
            expected=oci.INDEX_MEDIA_TYPE,
            found=descriptor.media_type[:80],
            where=where,
            next_step=COPY_AGAIN,
        )
    return descriptor


def _read_envelope(layout: Layout, carrier: oci.Descriptor) -> StoredEnvelope:
    manifest = layout.read_record(carrier, oci.ImageManifest)
    where = str(layout.path_of(carrier))
    if len(manifest.layers) != 1:
        raise VerificationError(
            "not the carrier of a signed statement",
            expected="one layer",
            found=str(len(manifest.layers)),
            where=where,
        )
    (reference,) = manifest.layers
    data = layout.read(reference, largest_bytes=LARGEST_ENVELOPE_BYTES)
    return StoredEnvelope(data, reference, carrier, where=str(layout.path_of(reference)))
