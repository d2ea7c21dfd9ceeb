"""The OCI side of a release: media types, descriptors, manifests and the index, as pure bytes.

Rules:

1. One image manifest per release. Its configuration is an ordinary OCI image configuration, so
   that ``skopeo inspect`` reads name, version and description from it; its first layer is the
   release manifest, every other layer is one blob.
2. Each signed statement is a manifest of its own that refers to the release by ``subject``.
3. ``index.json`` names one image index, which names the release first and its evidence after it:
   ``skopeo inspect`` and ``skopeo copy`` then find one image, and ``skopeo copy --all`` takes the
   evidence along without changing a byte.
4. The same input gives the same bytes; what no signature covers can therefore be built again by a
   reader and compared.

Source: https://github.com/opencontainers/image-spec (version 1.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from edgeworthy.documents.record import canonical_json
from edgeworthy.documents.release import ReleaseManifest
from edgeworthy.files import digest_bytes

INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
EMPTY_MEDIA_TYPE = "application/vnd.oci.empty.v1+json"
ENVELOPE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"
RELEASE_MEDIA_TYPE = "application/vnd.edgeworthy.release.v1+json"
MODEL_MEDIA_TYPE = "application/vnd.edgeworthy.model.onnx.v1"
GOLDEN_MEDIA_TYPE = "application/vnd.edgeworthy.golden.npz.v1"

TITLE_ANNOTATION = "org.opencontainers.image.title"
REFERENCE_ANNOTATION = "org.opencontainers.image.ref.name"
PREDICATE_ANNOTATION = "in-toto.io/predicate-type"

#: Title of the layer with the release manifest.
RELEASE_TITLE = "release.json"
#: What the seal calls the image manifest; no layer has this title.
MANIFEST_SUBJECT = "image-manifest"
#: Titles become file names on the other side: no folder, no hidden file, nothing odd.
TITLE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

EMPTY_CONFIG = b"{}"
LAYOUT = canonical_json({"imageLayoutVersion": "1.0.0"})
_PREDICATE_PATTERN = re.compile(r"urn:edgeworthy:([a-z0-9-]{1,64}):v([0-9]{1,4})")


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names content by type, digest and size."""

    media_type: str = msgspec.field(name="mediaType")
    digest: str
    size: int
    annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET

    def title(self) -> str:
        """The file name that the content carries; empty when it has none."""
        return (
            "" if self.annotations is msgspec.UNSET else self.annotations.get(TITLE_ANNOTATION, "")
        )


class ImageManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OCI image manifest."""

    schema_version: int = msgspec.field(name="schemaVersion", default=2)
    media_type: str = msgspec.field(name="mediaType", default=MANIFEST_MEDIA_TYPE)
    artifact_type: str = msgspec.field(name="artifactType")
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | msgspec.UnsetType = msgspec.UNSET
    annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class ImageIndex(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OCI image index, and ``index.json`` too."""

    schema_version: int = msgspec.field(name="schemaVersion", default=2)
    media_type: str = msgspec.field(name="mediaType", default=INDEX_MEDIA_TYPE)
    manifests: tuple[Descriptor, ...]


def describe(
    data: bytes, media_type: str, *, annotations: Mapping[str, str] | None = None
) -> Descriptor:
    """The descriptor of some bytes.

    >>> describe(b"{}", EMPTY_MEDIA_TYPE).digest[:19]
    'sha256:44136fa355b3'
    """
    return Descriptor(
        media_type=media_type,
        digest=digest_bytes(data),
        size=len(data),
        annotations=dict(annotations) if annotations else msgspec.UNSET,
    )


def artifact_type(predicate_type: str) -> str:
    """The media type that a registry lists a statement under; empty for a foreign predicate.

    OCI wants a media type here, which a predicate type is not.

    >>> artifact_type("urn:edgeworthy:measurement:v1")
    'application/vnd.edgeworthy.measurement.v1+json'
    """
    match = _PREDICATE_PATTERN.fullmatch(predicate_type)
    return f"application/vnd.edgeworthy.{match[1]}.v{match[2]}+json" if match else ""


def build_config(manifest: ReleaseManifest, layers: Sequence[Descriptor]) -> bytes:
    """The image configuration: what ``skopeo inspect`` shows of a release."""
    labels = {
        "org.opencontainers.image.title": manifest.name,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.description": manifest.description,
        "org.opencontainers.image.licenses": manifest.license,
    }
    return canonical_json(
        {
            "architecture": "unknown",
            "config": {"Labels": {name: text for name, text in labels.items() if text}},
            "created": manifest.created_at,
            "os": "unknown",
            "rootfs": {"diff_ids": [layer.digest for layer in layers], "type": "layers"},
        }
    )


def build_manifest(config: bytes, layers: Sequence[Descriptor]) -> bytes:
    """The image manifest of a release."""
    return canonical_json(
        ImageManifest(
            artifact_type=RELEASE_MEDIA_TYPE,
            config=describe(config, CONFIG_MEDIA_TYPE),
            layers=tuple(layers),
        )
    )


def build_evidence_manifest(envelope: bytes, predicate_type: str, release: Descriptor) -> bytes:
    """The manifest by which a signed statement refers to a release."""
    annotations = {PREDICATE_ANNOTATION: predicate_type}
    return canonical_json(
        ImageManifest(
            artifact_type=artifact_type(predicate_type),
            config=describe(EMPTY_CONFIG, EMPTY_MEDIA_TYPE),
            layers=(describe(envelope, ENVELOPE_MEDIA_TYPE, annotations=annotations),),
            subject=release,
            annotations=annotations,
        )
    )


def build_index(manifests: Sequence[Descriptor]) -> bytes:
    """The image index: the release, the statement that seals it, the evidence."""
    return canonical_json(ImageIndex(manifests=tuple(manifests)))


def build_entry(index: bytes, version: str) -> bytes:
    """``index.json``: where a reader begins."""
    entry = describe(index, INDEX_MEDIA_TYPE, annotations={REFERENCE_ANNOTATION: version})
    return canonical_json(ImageIndex(manifests=(entry,)))
