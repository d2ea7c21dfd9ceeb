"""A release of which everything has been proven."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import Document
from edgeworthy.documents.release import ReleaseManifest
from edgeworthy.errors import InputError, VerificationError
from edgeworthy.release.expiry import expiry_of
from edgeworthy.release.statements import VerifiedStatement

DocumentT = TypeVar("DocumentT", bound=Document)


@dataclass(frozen=True, kw_only=True)
class VerifiedBlob:
    """A layer of a release whose bytes are those that were signed.

    Attributes:
        title: Its file name.
        media_type: What it is.
        digest: Of its content.
        size_bytes: Of its content.
        path: Where it lies.
    """

    title: str
    media_type: str
    digest: str
    size_bytes: int
    path: Path


@dataclass(frozen=True, kw_only=True)
class VerifiedRelease:
    """What was proven.

    Attributes:
        digest: Of the OCI image manifest: the name of the release.
        index_digest: Of the OCI image index: release and evidence together.
        manifest: What is in it and how it is used.
        decision: The gate's.
        measurements: Of the variants, as the gate judged them.
        evaluations: Of the variants, as the gate judged them.
        statements: Every signed statement, the seal excepted.
        blobs: Every layer that is there: all of them, or all but files of models.
        expired: One sentence per document that had expired at the time of verification.
    """

    digest: str
    index_digest: str
    manifest: ReleaseManifest
    decision: GateDecision
    measurements: tuple[Measurement, ...]
    evaluations: tuple[Evaluation, ...]
    statements: tuple[VerifiedStatement, ...]
    blobs: tuple[VerifiedBlob, ...]
    expired: tuple[str, ...]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keys that signed, sorted."""
        return tuple(sorted({statement.key_id for statement in self.statements}))


def documents_of(
    statements: Iterable[VerifiedStatement], kind: type[DocumentT]
) -> tuple[DocumentT, ...]:
    """The documents of one kind, in the order of the statements."""
    return tuple(each.document for each in statements if isinstance(each.document, kind))


def expired_of(
    statements: Iterable[VerifiedStatement], now: datetime | None, *, where: str
) -> tuple[str, ...]:
    """One sentence per document that had expired by ``now``.

    Raises:
        VerificationError: A date is malformed.
    """
    sentences = []
    for statement in statements:
        if not isinstance(statement.document, Measurement | Evaluation):
            continue
        document = statement.document
        try:
            expires = expiry_of(document)
        except InputError as error:
            raise VerificationError(
                error.problem, found=error.found, where=f"{where} ({statement.label})"
            ) from error
        if now is not None and expires <= now:
            sentences.append(
                f"The {document.KIND} of {document.variant} on {document.target} expired at "
                f"{document.expires_at}."
            )
    return tuple(sentences)
