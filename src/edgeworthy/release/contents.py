"""What is in a release, for whoever compares it and does not ship it.

Rules:

1. Every byte that is handed out has the digest that the release names it by.
2. No signature is looked at: what comes from here is never shipped and decides nothing. Proof is
   :func:`edgeworthy.release.verify_release`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest
from edgeworthy.errors import VerificationError
from edgeworthy.release.layout import open_layout
from edgeworthy.release.parts import Parts, find_parts
from edgeworthy.release.verification import read_manifest


@dataclass(frozen=True)
class UnprovenRelease:
    """A release whose bytes are whole, signed by nobody knows whom.

    Attributes:
        manifest: What is in it and how it is used.
        parts: Where it lies.
    """

    manifest: ReleaseManifest
    parts: Parts

    def path_of(self, variant: ReleasedVariant) -> Path:
        """The file of a variant, its bytes checked against its digest.

        Raises:
            VerificationError: It is missing, or other bytes.
        """
        for layer in self.parts.image.layers:
            if layer.digest == variant.artifact:
                return self.parts.layout.check(layer)
        raise VerificationError(
            "a variant without its file",
            found=f"no layer for {variant.name}",
            where=self.parts.where,
            next_step="Copy the release again",
        )


def read_unproven(folder: Path) -> UnprovenRelease:
    """Read a release without proof of who made it.

    Args:
        folder: An OCI image layout.

    Raises:
        VerificationError: It is none, or not whole.
    """
    parts = find_parts(open_layout(folder))
    return UnprovenRelease(read_manifest(parts), parts)
