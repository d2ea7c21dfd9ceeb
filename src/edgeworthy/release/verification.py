"""Whether a folder is, byte for byte, the release that the holder of a key signed.

Rules:

1. The folder holds the blobs of one release and nothing else: none is missing, none is extra, none
   is a link; each is the number of bytes and has the digest that its descriptor says.
2. One statement, the seal, is signed over the digest of the image manifest and names every other
   statement; what the seal cannot cover (the manifests that carry statements and the index of
   them) is built again and must be the same bytes.
3. Every statement is signed by an accepted key, is of the kind that it says, and speaks only of
   blobs of this release, by their titles.
4. The release manifest, the layers and the gate's decision agree, and the decision is a pass; each
   variant has, for each of its targets, the measurement and the evaluation that the gate judged.
5. Evidence that has expired is reported, not refused: a device that was off for a year must be
   able to tell a release that is old from one that is forged. The caller decides.
6. Any bytes at all give a :class:`VerifiedRelease` or a :class:`VerificationError` that names the
   culprit. Only names, sizes and digests are needed to get there; no model is opened.
7. A device holds one variant: where the caller says so, files of models may be missing. They stay
   named and signed, they are not among the blobs that were proven, and nothing else may be missing.

What is proven is what lay there while it was read: whoever uses a file later hashes it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.release import EvidenceReference, ReleaseIndex, ReleaseManifest
from edgeworthy.errors import VerificationError
from edgeworthy.release import oci
from edgeworthy.release.agreement import check_decision, check_evidence, check_layers
from edgeworthy.release.attestation import open_envelope
from edgeworthy.release.layout import LARGEST_MANIFEST_BYTES, Layout, open_layout
from edgeworthy.release.parts import COPY_AGAIN, Parts, StoredEnvelope, find_parts
from edgeworthy.release.signers import Key
from edgeworthy.release.statements import (
    VerifiedStatement,
    decode_known,
    decode_predicate,
    read_subjects,
)
from edgeworthy.release.strict_json import parse_strictly
from edgeworthy.release.verified import VerifiedBlob, VerifiedRelease, documents_of, expired_of

__all__ = ["VerifiedBlob", "VerifiedRelease", "VerifiedStatement", "verify_release"]


def verify_release(
    folder: Path,
    public_keys: Sequence[Key],
    *,
    now: datetime | None = None,
    some_models: bool = False,
) -> VerifiedRelease:
    """Prove every blob and every signature of a release.

    Args:
        folder: An OCI image layout.
        public_keys: Keys whose word is accepted; one of them must have signed each statement.
        now: With a time zone. Evidence that had expired by then is listed in
            ``VerifiedRelease.expired``; without it none is.
        some_models: Files of models may be missing (rule 7).

    Raises:
        VerificationError: It is not what was signed; the message names the culprit.
    """
    parts = find_parts(open_layout(folder))
    sealed = _open(parts.seal, parts, public_keys)
    _check_seal(sealed, parts)
    statements = tuple(_open(envelope, parts, public_keys) for envelope in parts.evidence)
    _check_rebuilt(parts, (sealed, *statements))
    _check_nothing_else(parts)
    blobs = tuple(
        _prove(layer, parts.layout)
        for layer in parts.image.layers
        if not (some_models and _is_missing_model(layer, parts.layout))
    )
    manifest = read_manifest(parts)
    check_layers(manifest, parts.image.layers, where=parts.where)
    decision = check_decision(manifest, statements, where=parts.where)
    check_evidence(manifest, statements, decision, where=parts.where)
    return VerifiedRelease(
        digest=parts.release.digest,
        index_digest=parts.entry.digest,
        manifest=manifest,
        decision=decision,
        measurements=documents_of(statements, Measurement),
        evaluations=documents_of(statements, Evaluation),
        statements=statements,
        blobs=blobs,
        expired=expired_of(statements, now, where=parts.where),
    )


def _open(envelope: StoredEnvelope, parts: Parts, public_keys: Sequence[Key]) -> VerifiedStatement:
    opened = open_envelope(envelope.data, public_keys, where=envelope.where)
    predicate, document = decode_predicate(opened.statement, where=envelope.where)
    known = parts.titles
    if isinstance(document, ReleaseIndex):
        known = {**known, oci.MANIFEST_SUBJECT: parts.release.digest}
    return VerifiedStatement(
        predicate_type=opened.statement.predicate_type,
        subjects=read_subjects(opened.statement, known, where=envelope.where),
        envelope=envelope.reference.digest,
        key_id=opened.key_id,
        predicate=predicate,
        document=document,
    )


def _check_seal(sealed: VerifiedStatement, parts: Parts) -> None:
    seal = sealed.document
    if not isinstance(seal, ReleaseIndex):
        raise VerificationError(
            "the first statement of a release is its seal",
            expected=ReleaseIndex.predicate_type(),
            found=sealed.predicate_type,
            where=parts.seal.where,
        )
    everything = {parts.release.digest, *parts.titles.values()}
    if seal.manifest != parts.release.digest or set(sealed.subjects) != everything:
        raise VerificationError(
            "the seal is that of another release",
            expected=parts.release.digest,
            found=seal.manifest[:80],
            where=parts.seal.where,
        )
    named = {each.envelope: each for each in seal.evidence}
    found = {each.reference.digest: each for each in parts.evidence}
    for digest, each in named.items():
        if digest not in found:
            raise VerificationError(
                f"a statement that the seal names is missing: {each.predicate_type} in {digest}",
                where=parts.where,
                next_step=COPY_AGAIN,
            )
    for digest, envelope in found.items():
        if digest not in named:
            raise VerificationError("a statement that the seal does not name", where=envelope.where)


def _check_rebuilt(parts: Parts, statements: Sequence[VerifiedStatement]) -> None:
    """What no signature covers must be what we would have written (rule 2)."""
    release = oci.Descriptor(
        media_type=oci.MANIFEST_MEDIA_TYPE, digest=parts.release.digest, size=parts.release.size
    )
    carriers = []
    envelopes = (parts.seal, *parts.evidence)
    for envelope, statement in zip(envelopes, statements, strict=True):
        data = oci.build_evidence_manifest(envelope.data, statement.predicate_type, release)
        carrier = oci.describe(data, oci.MANIFEST_MEDIA_TYPE)
        if carrier != envelope.carrier:
            raise VerificationError(
                "the manifest that carries a statement was changed",
                expected=carrier.digest,
                found=envelope.carrier.digest,
                where=str(parts.layout.path_of(envelope.carrier)),
            )
        carriers.append(carrier)
    index = oci.build_index((release, *carriers))
    if oci.describe(index, oci.INDEX_MEDIA_TYPE).digest != parts.entry.digest:
        raise VerificationError(
            "the index of the release was changed", where=str(parts.layout.path_of(parts.entry))
        )
    seal = statements[0].document
    order = tuple(
        EvidenceReference(
            predicate_type=statement.predicate_type,
            envelope=statement.envelope,
            size_bytes=envelope.reference.size,
        )
        for envelope, statement in zip(envelopes[1:], statements[1:], strict=True)
    )
    if not isinstance(seal, ReleaseIndex) or seal.evidence != order:
        raise VerificationError(
            "the statements are not those of the seal, in its order", where=parts.seal.where
        )


def _check_nothing_else(parts: Parts) -> None:
    empty = oci.describe(oci.EMPTY_CONFIG, oci.EMPTY_MEDIA_TYPE)
    envelopes = (parts.seal, *parts.evidence)
    needed = [parts.entry, parts.release, parts.image.config, *parts.image.layers, empty]
    needed += [envelope.reference for envelope in envelopes]
    needed += [envelope.carrier for envelope in envelopes]
    extra = sorted(parts.layout.present - {each.digest for each in needed})
    if extra:
        raise VerificationError(
            "a blob that does not belong to this release",
            found=", ".join(extra[:3]),
            where=parts.where,
            next_step="Fetch the release again from its publisher",
        )
    parts.layout.check(empty)
    parts.layout.check(parts.image.config)


def _is_missing_model(layer: oci.Descriptor, layout: Layout) -> bool:
    return layer.media_type == oci.MODEL_MEDIA_TYPE and layer.digest not in layout.present


def _prove(layer: oci.Descriptor, layout: Layout) -> VerifiedBlob:
    return VerifiedBlob(
        title=layer.title(),
        media_type=layer.media_type,
        digest=layer.digest,
        size_bytes=layer.size,
        path=layout.check(layer),
    )


def read_manifest(parts: Parts) -> ReleaseManifest:
    """The release manifest among parts whose signatures nobody has looked at.

    Raises:
        VerificationError: There is none, or it is malformed.
    """
    first = parts.image.layers[0]
    if (first.title(), first.media_type) != (oci.RELEASE_TITLE, oci.RELEASE_MEDIA_TYPE):
        raise VerificationError(
            "the first layer is not the release manifest",
            expected=f"{oci.RELEASE_TITLE}, {oci.RELEASE_MEDIA_TYPE}",
            found=f"{first.title()}, {first.media_type[:80]}",
            where=parts.where,
        )
    where = f"{parts.layout.path_of(first)} ({oci.RELEASE_TITLE})"
    data = parts.layout.read(first, largest_bytes=LARGEST_MANIFEST_BYTES)
    parse_strictly(data, where=where, largest_bytes=LARGEST_MANIFEST_BYTES)
    manifest = decode_known(data, ReleaseManifest, where=where)
    tag = parts.entry.annotations
    if tag not in (msgspec.UNSET, {oci.REFERENCE_ANNOTATION: manifest.version}):
        raise VerificationError(
            "the tag is not the version of the release",
            expected=manifest.version,
            found=str(tag)[:80],
            where=str(parts.layout.folder / "index.json"),
        )
    return manifest
