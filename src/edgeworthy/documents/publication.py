"""What a repository offers, and to whom: the documents behind its signed target files."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.record import Document, Record


class PublishedBlob(Record, frozen=True, kw_only=True):
    """A file of a release in the repository.

    Attributes:
        digest: Its content, and its name under ``blobs/sha256``.
        size_bytes: Its size.
    """

    digest: str
    size_bytes: int


class PublishedRelease(Document, frozen=True, kw_only=True):
    """A release as it is offered to devices; the offline key of its product vouches for it.

    Attributes:
        product: Name of the project.
        version: Version of the project, for people.
        release_counter: Counts publications of the product from 1, and never goes back: an
            authorized rollback is the older release once more, under a new number.
        entry: Digest of the OCI image index: release and evidence together.
        manifest: Digest of the OCI image manifest: the name of the release.
        blobs: Every blob of the OCI layout, sorted by digest.
        rollback_reason: Why an older version is offered again; empty for a new one.
        published_at: RFC 3339, UTC.
    """

    KIND: ClassVar[str] = "published-release"

    product: str
    version: str
    release_counter: int
    entry: str
    manifest: str
    blobs: tuple[PublishedBlob, ...]
    rollback_reason: str = ""
    published_at: str

    @property
    def size_bytes(self) -> int:
        """What a device fetches that holds nothing yet."""
        return sum(blob.size_bytes for blob in self.blobs)


class ReleaseAssignment(Document, frozen=True, kw_only=True):
    """Which release a ring or a device is to run; the director's word, and only a choice.

    Attributes:
        audience: ``rings/NAME`` or ``devices/NAME``: nobody else obeys it.
        product: Name of the project.
        release_counter: Which publication of the product.
        release: Digest of the published release document, as the product's role names it.
        assigned_at: RFC 3339, UTC.
    """

    KIND: ClassVar[str] = "release-assignment"

    audience: str
    product: str
    release_counter: int
    release: str
    assigned_at: str
