"""A release as the worker finds it: laid out, verified before by the supervisor, hashed again here.

Rules:

1. No signature is looked at: the supervisor proved the release, and this process holds no trust
   library. But a file may have rotted since, so what is loaded is hashed before every load.
2. Nothing is opened but by digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeworthy.documents.record import decode_document
from edgeworthy.documents.release import GoldenBounds, ReleasedVariant, ReleaseManifest
from edgeworthy.errors import InputError, VerificationError
from edgeworthy.release.layout import LARGEST_MANIFEST_BYTES, Layout, open_layout
from edgeworthy.release.oci import (
    RELEASE_MEDIA_TYPE,
    Descriptor,
    ImageIndex,
    ImageManifest,
)


@dataclass(frozen=True)
class ReleaseFolder:
    """A release on this device.

    Attributes:
        manifest: What is in it.
        layout: Where.
        layers: Its blobs by digest.
    """

    manifest: ReleaseManifest
    layout: Layout
    layers: dict[str, Descriptor]

    @property
    def title(self) -> str:
        """``NAME VERSION``."""
        return f"{self.manifest.name} {self.manifest.version}"

    def variant(self, name: str) -> ReleasedVariant:
        """The variant of a name.

        Raises:
            InputError: There is none.
        """
        for variant in self.manifest.variants:
            if variant.name == name:
                return variant
        names = ", ".join(f"`{variant.name}`" for variant in self.manifest.variants)
        raise InputError(
            f"the release has no variant `{name}`",
            expected=f"one of {names}",
            where=str(self.layout.folder),
        )

    def bounds(self, variant: str) -> GoldenBounds | None:
        """The bounds that are stated for a variant; ``None`` in an older release."""
        stated = self.manifest.golden.bounds
        return next((each for each in stated if each.variant == variant), None)

    def blob(self, digest: str) -> Path:
        """The file of a digest, hashed now.

        Raises:
            VerificationError: It is missing, or its bytes have changed.
        """
        layer = self.layers.get(digest)
        if layer is None:
            raise VerificationError(
                "the manifest names a blob that the release lacks",
                found=digest,
                where=str(self.layout.folder),
                next_step="Fetch the release again from its publisher",
            )
        return self.layout.check(layer)


def read_release_folder(folder: Path) -> ReleaseFolder:
    """Read the manifest of a release.

    Raises:
        VerificationError: It is no release, or not whole.
        InputError: Its manifest is not one, or of a newer Edgeworthy.
    """
    layout = open_layout(folder)
    entry = layout.read_entry(ImageIndex)
    index = layout.read_record(_first(entry.manifests, folder), ImageIndex)
    image = layout.read_record(_first(index.manifests, folder), ImageManifest)
    manifest = _first(image.layers, folder)
    if manifest.media_type != RELEASE_MEDIA_TYPE:
        raise VerificationError(
            "the first layer is not the release manifest",
            expected=RELEASE_MEDIA_TYPE,
            found=manifest.media_type[:80],
            where=str(folder),
        )
    data = layout.read(manifest, largest_bytes=LARGEST_MANIFEST_BYTES)
    return ReleaseFolder(
        manifest=decode_document(data, ReleaseManifest, where=str(folder)),
        layout=layout,
        layers={layer.digest: layer for layer in image.layers},
    )


def _first(descriptors: tuple[Descriptor, ...], folder: Path) -> Descriptor:
    if not descriptors:
        raise VerificationError("a list of blobs that names none", where=str(folder))
    return descriptors[0]
