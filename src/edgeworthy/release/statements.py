"""Signed statements read back as documents.

Rules:

1. A predicate that says it is a kind of document that we know must be a valid one.
2. A kind that we do not know (a newer Edgeworthy may have written it) is kept as JSON and counts
   for nothing but its presence; it must still name itself as its predicate type does.
3. A subject is named by the title of a layer and has exactly one digest, the layer's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.dataset import DatasetSummary
from edgeworthy.documents.device import DeviceProfile
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model import ModelInspection
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.record import Document, DocumentT, canonical_json, decode_document
from edgeworthy.documents.release import ReleaseIndex
from edgeworthy.documents.statement import Statement
from edgeworthy.documents.variant import Variant
from edgeworthy.errors import InputError, VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release.oci import artifact_type

_KNOWN: tuple[type[Document], ...] = (
    BuildRecord,
    DatasetSummary,
    DeviceProfile,
    Evaluation,
    GateDecision,
    Measurement,
    ModelInspection,
    ModelScan,
    ReleaseIndex,
    Variant,
)
_BY_PREDICATE_TYPE: Mapping[str, type[Document]] = {
    known.predicate_type(): known for known in _KNOWN
}


@dataclass(frozen=True, kw_only=True)
class VerifiedStatement:
    """A statement whose signature held.

    Attributes:
        predicate_type: What kind of document it carries.
        subjects: Digests of the blobs that it speaks of.
        envelope: Digest of its DSSE envelope.
        key_id: The key that signed it.
        predicate: The document in canonical JSON.
        document: The document; absent for a kind that this version does not know.
    """

    predicate_type: str
    subjects: tuple[str, ...]
    envelope: str
    key_id: str
    predicate: bytes
    document: Document | None

    @property
    def document_digest(self) -> str:
        """Digest of the document alone, as a gate decision lists it."""
        return digest_bytes(self.predicate)

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return f"{self.predicate_type} in {self.envelope}"


def read_subjects(
    statement: Statement, titles: Mapping[str, str], *, where: str
) -> tuple[str, ...]:
    """The digests that a statement speaks of.

    Args:
        statement: Whose signature held.
        titles: Digest by title, of what a statement may speak of.
        where: What it came from, for the error message.

    Raises:
        VerificationError: There is no subject, one occurs twice, or one is not of this release.
    """
    digests = []
    for subject in statement.subject:
        digest = f"sha256:{subject.digest.get('sha256', '')}"
        if len(subject.digest) != 1 or titles.get(subject.name) != digest:
            raise VerificationError(
                "a statement about something that is not in this release",
                found=f"subject {subject.name[:80]!r} with {digest[:80]}",
                where=where,
            )
        digests.append(digest)
    if not digests or len(set(digests)) != len(digests):
        raise VerificationError(
            "a statement needs subjects, each once", found=f"{len(digests)}", where=where
        )
    return tuple(digests)


def decode_known(data: bytes, document_type: type[DocumentT], *, where: str) -> DocumentT:
    """Read a document of a release.

    Raises:
        VerificationError: It is not a valid document of this kind and version.
    """
    try:
        return decode_document(data, document_type, where=where)
    except InputError as error:
        raise VerificationError(
            error.problem,
            expected=error.expected,
            found=error.found,
            where=where,
            next_step=error.next_step,
        ) from error
    except (ValueError, RecursionError) as error:  # a version of thousands of digits
        raise VerificationError(f"not a valid document: {error}", where=where) from error


def decode_predicate(statement: Statement, *, where: str) -> tuple[bytes, Document | None]:
    """The document of a statement, as canonical JSON and as a record.

    Raises:
        VerificationError: It is not the kind of document that its predicate type says.
    """
    try:
        data = canonical_json(statement.predicate)
    except RecursionError as error:
        raise VerificationError("the predicate is nested too deeply", where=where) from error
    known = _BY_PREDICATE_TYPE.get(statement.predicate_type)
    if known is not None:
        return data, decode_known(data, known, where=where)
    kind = statement.predicate.get("kind")
    named = f"urn:edgeworthy:{kind}:v"
    if not artifact_type(statement.predicate_type) or not statement.predicate_type.startswith(
        named
    ):
        raise VerificationError(
            "the predicate is not of the kind that its type says",
            expected=statement.predicate_type[:80],
            found=str(kind)[:80],
            where=where,
        )
    return data, None
