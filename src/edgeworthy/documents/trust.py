"""What a repository says of itself, for people who look after it."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.record import Document, Record


class RoleStatus(Record, frozen=True, kw_only=True):
    """A role of a repository.

    Attributes:
        role: Its name.
        version: Counts its signatures.
        expires_at: RFC 3339, UTC.
        expired: Whether that is past.
        threshold: How many of its keys must agree.
        keys: Its keys, by the names of the files at hand or by their ids.
    """

    role: str
    version: int
    expires_at: str
    expired: bool
    threshold: int
    keys: tuple[str, ...]


class PublicationStatus(Record, frozen=True, kw_only=True):
    """A release that a repository offers.

    Attributes:
        product: Name of the project.
        release_counter: Which publication.
        version: Version of the project.
        manifest: Digest that names the release.
        size_bytes: What a device fetches that holds nothing yet.
        rollback_reason: Why an older version is offered again.
        audiences: Whom it is assigned to.
    """

    product: str
    release_counter: int
    version: str
    manifest: str
    size_bytes: int
    rollback_reason: str
    audiences: tuple[str, ...]


class RepositoryStatus(Document, frozen=True, kw_only=True):
    """What a repository says now.

    Attributes:
        roles: Every role.
        publications: Every release that is offered, oldest first.
        policies: Names of the device policies.
        waiting: Roles that wait for signatures.
    """

    KIND: ClassVar[str] = "repository-status"

    roles: tuple[RoleStatus, ...]
    publications: tuple[PublicationStatus, ...]
    policies: tuple[str, ...]
    waiting: tuple[str, ...]
