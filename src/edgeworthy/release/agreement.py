"""Whether the parts of a release, each of them signed, tell the same story.

Rules:

1. The release manifest is the first layer. Each variant and the golden set is a layer, of its type
   and size, and every layer with a model is a variant. Titles are unique and safe as file names.
   The rule by which a device selects its variant says the same as the variants.
2. There is exactly one gate decision; it is a pass and every target's is; the variants that it
   chose for the targets are those of the release manifest, and no requirement that it judged for
   them is anything but a pass. Its subjects are those variants.
3. A measurement, an evaluation or the making of a variant speaks of exactly the artefact that the
   document names; so does the name of the variant in it.
4. Each variant has, for each of its targets, a measurement and an evaluation, and the gate judged
   every measurement and evaluation that travels.
5. The temperature of a variant is the one that an evaluation which travels found for it; where
   none found one, it is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.record import Document
from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest
from edgeworthy.documents.variant import Variant
from edgeworthy.errors import VerificationError
from edgeworthy.release import oci
from edgeworthy.release.selection import check_selection
from edgeworthy.release.statements import VerifiedStatement
from edgeworthy.release.verified import documents_of

DocumentT = TypeVar("DocumentT", bound=Document)


def titles_of(layers: Iterable[oci.Descriptor], *, where: str) -> dict[str, str]:
    """Digest by title.

    Raises:
        VerificationError: A title is missing, unsafe or given twice, or a blob has two.
    """
    titles: dict[str, str] = {}
    for layer in layers:
        title = layer.title()
        if not oci.TITLE_PATTERN.fullmatch(title):
            raise VerificationError(
                "a layer without a safe file name",
                expected=f"letters, digits, `.`, `_` and `-` in {oci.TITLE_ANNOTATION}",
                found=repr(title[:80]),
                where=where,
            )
        if title in (*titles, oci.MANIFEST_SUBJECT) or layer.digest in titles.values():
            raise VerificationError("a layer occurs twice", found=title, where=where)
        titles[title] = layer.digest
    return titles


def check_layers(
    manifest: ReleaseManifest, layers: Sequence[oci.Descriptor], *, where: str
) -> None:
    """Hold the release manifest against the layers (rule 1).

    Raises:
        VerificationError: They contradict each other.
    """
    by_digest = {layer.digest: layer for layer in layers}
    variants = {variant.artifact: variant for variant in manifest.variants}
    _check_unique((variant.name for variant in manifest.variants), "a variant", where)
    _check_unique((variant.artifact for variant in manifest.variants), "an artefact", where)
    if not variants:
        raise VerificationError("a release without a variant", where=where)
    for artifact, variant in variants.items():
        layer = by_digest.get(artifact)
        if layer is None or layer.media_type != oci.MODEL_MEDIA_TYPE:
            raise VerificationError(
                f"variant {variant.name} is not a layer", expected=artifact, where=where
            )
        if layer.size != variant.size_bytes:
            raise VerificationError(
                f"variant {variant.name} has another size than its layer",
                expected=f"{variant.size_bytes} bytes",
                found=f"{layer.size}",
                where=where,
            )
    for layer in layers:
        if layer.media_type == oci.MODEL_MEDIA_TYPE and layer.digest not in variants:
            raise VerificationError(
                "a model that is not a variant of the release", found=layer.title(), where=where
            )
    check_selection(manifest, where=where)
    golden = by_digest.get(manifest.golden.blob)
    if golden is None or golden.media_type != oci.GOLDEN_MEDIA_TYPE:
        raise VerificationError(
            "the golden set is not a layer", expected=manifest.golden.blob, where=where
        )


def check_decision(
    manifest: ReleaseManifest, statements: Sequence[VerifiedStatement], *, where: str
) -> GateDecision:
    """Find the gate's decision and hold the release manifest against it (rule 2).

    Raises:
        VerificationError: There is not exactly one, it is no pass, or it chose something else.
    """
    found = [each for each in statements if isinstance(each.document, GateDecision)]
    if len(found) != 1:
        raise VerificationError(
            "a release carries the decision of its gate",
            expected="exactly one gate-decision",
            found=str(len(found)),
            where=where,
        )
    decision = documents_of(found, GateDecision)[0]
    where = f"{where} ({found[0].label})"
    for verdict in (decision.verdict, *(target.verdict for target in decision.targets)):
        if verdict is not Verdict.PASS:
            raise VerificationError(
                "the gate did not let this pass", expected="pass", found=verdict, where=where
            )
    chosen = {(each.target, each.variant, each.artifact) for each in decision.targets}
    shipped = {
        (target, variant.name, variant.artifact)
        for variant in manifest.variants
        for target in variant.targets
    }
    if chosen != shipped or {artifact for _, _, artifact in shipped} != set(found[0].subjects):
        raise VerificationError(
            "the gate chose other variants than the release holds",
            expected=_choices(chosen),
            found=_choices(shipped),
            where=where,
        )
    for result in decision.results:
        judged = (result.target, result.variant, result.artifact)
        if judged in chosen and result.verdict is not Verdict.PASS:
            raise VerificationError(
                f"a chosen variant does not pass requirement {result.requirement_index}",
                expected="pass",
                found=result.verdict,
                where=where,
            )
    return decision


def check_evidence(
    manifest: ReleaseManifest,
    statements: Sequence[VerifiedStatement],
    decision: GateDecision,
    *,
    where: str,
) -> None:
    """Hold every statement against what it speaks of (rules 3 and 4).

    Raises:
        VerificationError: One speaks of another artefact, or one that is needed is missing.
    """
    variants = {variant.artifact: variant for variant in manifest.variants}
    present = set()
    for statement in statements:
        document = statement.document
        if isinstance(document, Measurement | Evaluation | Variant):
            _check_artifact(document, statement, variants, where)
        if isinstance(document, Measurement | Evaluation):
            present.add((type(document), document.artifact, document.target))
        if isinstance(document, ModelScan):
            _check_scan(document, statement, variants, where)
        judged = isinstance(document, Measurement | Evaluation | ModelScan)
        if judged and statement.document_digest not in decision.evidence:
            raise VerificationError(
                "evidence that the gate did not judge",
                expected="a document whose digest the gate decision lists",
                found=statement.document_digest,
                where=f"{where} ({statement.label})",
            )
    for variant in manifest.variants:
        _check_complete(variant, present, where)
        _check_temperature(variant, documents_of(statements, Evaluation), where)


def _check_temperature(
    variant: ReleasedVariant, evaluations: Sequence[Evaluation], where: str
) -> None:
    found = {
        each.temperature.temperature.value
        for each in evaluations
        if each.artifact == variant.artifact
        and each.temperature is not None
        and each.temperature.temperature is not None
    }
    if variant.temperature not in (found or {1.0}):
        raise VerificationError(
            f"variant {variant.name} has another temperature than its evaluation found",
            expected=" or ".join(f"{each:g}" for each in sorted(found or {1.0})),
            found=f"{variant.temperature:g}",
            where=where,
        )


def _check_scan(
    scan: ModelScan,
    statement: VerifiedStatement,
    variants: Mapping[str, ReleasedVariant],
    where: str,
) -> None:
    if statement.subjects != (scan.artifact,) or scan.artifact not in variants:
        raise VerificationError(
            "the statement speaks of one artefact and the scan in it of another",
            expected=scan.artifact,
            found=", ".join(statement.subjects),
            where=f"{where} ({statement.label})",
        )


def _check_artifact(
    document: Measurement | Evaluation | Variant,
    statement: VerifiedStatement,
    variants: Mapping[str, ReleasedVariant],
    where: str,
) -> None:
    where = f"{where} ({statement.label})"
    if statement.subjects != (document.artifact,):
        raise VerificationError(
            "the statement speaks of one artefact and its document of another",
            expected=document.artifact,
            found=", ".join(statement.subjects),
            where=where,
        )
    name = document.name if isinstance(document, Variant) else document.variant
    variant = variants.get(document.artifact)
    if variant is None or variant.name != name:
        raise VerificationError(
            "evidence about an artefact that is not the variant it names", found=name, where=where
        )


def _check_complete(
    variant: ReleasedVariant,
    present: set[tuple[type[Measurement | Evaluation], str, str]],
    where: str,
) -> None:
    for target in variant.targets:
        for kind in (Measurement, Evaluation):
            if (kind, variant.artifact, target) not in present:
                raise VerificationError(
                    f"the {kind.KIND} of variant {variant.name} on target {target} is missing",
                    where=where,
                )


def _check_unique(values: Iterable[str], what: str, where: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise VerificationError(f"{what} occurs twice", found=value[:80], where=where)
        seen.add(value)


def _choices(choices: set[tuple[str, str, str]]) -> str:
    return ", ".join(f"{target}: {name} {digest}" for target, name, digest in sorted(choices))
