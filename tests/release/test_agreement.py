"""Releases whose every part is signed, by the right key, and whose parts contradict each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import msgspec
import pytest

from edgeworthy.documents.gate import GateDecision, RequirementResult, Verdict
from edgeworthy.documents.project import RequirementSection
from edgeworthy.documents.record import encode_document
from edgeworthy.documents.release import ReleaseManifest
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import (
    GOLDEN_MEDIA_TYPE,
    MODEL_MEDIA_TYPE,
    Evidence,
    ReleaseBlob,
    ReleaseContents,
    Signer,
    write_release,
)
from release.builders import (
    FLOAT_MODEL,
    GOLDEN,
    ORIGINAL,
    contents_of,
    with_decision,
    with_evidence,
)


def refused(folder: Path, contents: ReleaseContents, signer: Signer) -> str:
    with pytest.raises(VerificationError) as caught:
        write_release(folder, contents, signer)
    assert not folder.exists(), "a release that does not hold is never written"
    assert not list(folder.parent.iterdir())
    return str(caught.value)


def with_manifest(contents: ReleaseContents, **changes: object) -> ReleaseContents:
    manifest: ReleaseManifest = msgspec.structs.replace(contents.manifest, **changes)
    return dataclasses.replace(contents, manifest=manifest)


def with_variant(contents: ReleaseContents, **changes: object) -> ReleaseContents:
    first, *others = contents.manifest.variants
    return with_manifest(contents, variants=(msgspec.structs.replace(first, **changes), *others))


def with_blobs(contents: ReleaseContents, *blobs: ReleaseBlob) -> ReleaseContents:
    return dataclasses.replace(contents, blobs=blobs)


def decision_of(contents: ReleaseContents) -> GateDecision:
    decision = contents.evidence[0].document
    assert isinstance(decision, GateDecision)
    return decision


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"variants": ()}, "a release without a variant"),
        ({"version": "9.9.9"}, None),
    ],
)
def test_the_manifest_alone(
    tmp_path: Path, signer: Signer, changes: dict[str, object], problem: str | None
) -> None:
    contents = with_manifest(contents_of(), **changes)
    if problem is None:
        write_release(tmp_path / "release", contents, signer)
    else:
        assert problem in refused(tmp_path / "release", contents, signer)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"artifact": digest_bytes(b"elsewhere")}, "variant float32 is not a layer"),
        ({"artifact": digest_bytes(GOLDEN)}, "variant float32 is not a layer"),
        ({"size_bytes": 1}, "another size than its layer"),
        ({"name": "int8"}, "a variant occurs twice"),
        ({"name": "other"}, "the gate chose other variants"),
        ({"targets": ("server", "toaster")}, "the gate chose other variants"),
        ({"targets": ()}, "the gate chose other variants"),
    ],
)
def test_a_variant_that_does_not_fit(
    tmp_path: Path, signer: Signer, changes: dict[str, object], problem: str
) -> None:
    contents = with_variant(contents_of(), **changes)
    assert problem in refused(tmp_path / "release", contents, signer)


def test_two_variants_of_one_file(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    twin = msgspec.structs.replace(contents.manifest.variants[0], name="twin")
    contents = with_manifest(contents, variants=(*contents.manifest.variants, twin))
    assert "an artefact occurs twice" in refused(tmp_path / "release", contents, signer)


def test_a_model_that_is_no_variant(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    stowaway = ReleaseBlob(title="more.onnx", media_type=MODEL_MEDIA_TYPE, source=b"stowaway")
    message = refused(tmp_path / "release", with_blobs(contents, *contents.blobs, stowaway), signer)
    assert "a model that is not a variant of the release" in message
    assert "more.onnx" in message


def test_a_release_without_its_golden_set(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    kept = [each for each in contents.blobs if each.media_type != GOLDEN_MEDIA_TYPE]
    message = refused(tmp_path / "release", with_blobs(contents, *kept), signer)
    assert "the golden set is not a layer" in message


def test_a_golden_set_that_is_something_else(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    report = next(each for each in contents.blobs if each.title == "report.html")
    assert isinstance(report.source, bytes)
    golden = msgspec.structs.replace(contents.manifest.golden, blob=digest_bytes(report.source))
    message = refused(tmp_path / "release", with_manifest(contents, golden=golden), signer)
    assert "the golden set is not a layer" in message


@pytest.mark.parametrize(
    "title", ["", ".hidden", "a/b", "../a", "a b", "a\n", "x" * 129, "-a", "ü", "a\x00"]
)
def test_a_title_that_is_no_file_name(tmp_path: Path, signer: Signer, title: str) -> None:
    contents = contents_of()
    odd = ReleaseBlob(title=title, media_type="text/plain", source=b"odd")
    message = refused(tmp_path / "release", with_blobs(contents, *contents.blobs, odd), signer)
    assert "without a safe file name" in message


@pytest.mark.parametrize(
    ("title", "source"),
    [
        ("int8.onnx", b"another"),
        ("release.json", b"another"),
        ("image-manifest", b"another"),
        ("twin.onnx", FLOAT_MODEL),
    ],
)
def test_a_title_or_a_blob_twice(tmp_path: Path, signer: Signer, title: str, source: bytes) -> None:
    contents = contents_of()
    twin = ReleaseBlob(title=title, media_type="text/plain", source=source)
    message = refused(tmp_path / "release", with_blobs(contents, *contents.blobs, twin), signer)
    assert f"a layer occurs twice. Found {title}." in message


def test_a_release_without_a_decision(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    message = refused(tmp_path / "release", with_evidence(contents, *contents.evidence[1:]), signer)
    assert "carries the decision of its gate" in message
    assert "found 0" in message


def test_a_release_with_two_decisions(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    second = Evidence(
        document=msgspec.structs.replace(
            decision_of(contents), policy_digest=digest_bytes(b"another policy")
        ),
        subjects=contents.evidence[0].subjects,
    )
    contents = with_evidence(contents, *contents.evidence, second)
    assert "found 2" in refused(tmp_path / "release", contents, signer)


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_a_decision_that_is_no_pass(tmp_path: Path, signer: Signer, verdict: Verdict) -> None:
    contents = with_decision(contents_of(), verdict=verdict)
    message = refused(tmp_path / "release", contents, signer)
    assert "the gate did not let this pass" in message
    assert f"found {verdict}" in message


def test_a_target_that_is_no_pass(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    first, *others = decision_of(contents).targets
    failed = msgspec.structs.replace(first, verdict=Verdict.FAIL)
    contents = with_decision(contents, targets=(failed, *others))
    assert "the gate did not let this pass" in refused(tmp_path / "release", contents, signer)


def test_a_target_that_the_decision_leaves_out(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    contents = with_decision(contents, targets=decision_of(contents).targets[1:])
    assert "the gate chose other variants" in refused(tmp_path / "release", contents, signer)


def test_a_decision_about_other_subjects(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    decision, *others = contents.evidence
    partial = Evidence(document=decision.document, subjects=decision.subjects[:1])
    contents = with_evidence(contents, partial, *others)
    assert "the gate chose other variants" in refused(tmp_path / "release", contents, signer)


def test_a_decision_whose_own_results_contradict_it(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    target = decision_of(contents).targets[0]
    failed = RequirementResult(
        requirement=RequirementSection(metric="accuracy", at_least=0.99),
        requirement_index=3,
        slice="",
        target=target.target,
        variant=target.variant,
        artifact=target.artifact,
        verdict=Verdict.FAIL,
        measured=None,
        bound="at least 0.99",
        reason="It is not.",
    )
    contents = with_decision(contents, results=(*decision_of(contents).results, failed))
    message = refused(tmp_path / "release", contents, signer)
    assert "a chosen variant does not pass requirement 3" in message


def test_a_result_of_a_variant_that_was_not_chosen_may_fail(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    result = decision_of(contents).results[0]
    other = msgspec.structs.replace(
        result, variant="other", artifact=digest_bytes(b"other"), verdict=Verdict.FAIL
    )
    contents = with_decision(contents, results=(*decision_of(contents).results, other))
    write_release(tmp_path / "release", contents, signer)


@pytest.mark.parametrize("which", range(1, 5))
def test_evidence_that_is_needed_and_missing(tmp_path: Path, signer: Signer, which: int) -> None:
    contents = contents_of()
    document = contents.evidence[which].document
    kept = [each for index, each in enumerate(contents.evidence) if index != which]
    message = refused(tmp_path / "release", with_evidence(contents, *kept), signer)
    fields = json.loads(encode_document(document))
    expected = f"the {fields['kind']} of variant {fields['variant']} on target {fields['target']}"
    assert f"{expected} is missing" in message


def replaced(contents: ReleaseContents, which: int, **changes: object) -> ReleaseContents:
    evidence = list(contents.evidence)
    document = msgspec.structs.replace(evidence[which].document, **changes)
    evidence[which] = dataclasses.replace(evidence[which], document=document)
    return with_evidence(contents, *evidence)


def test_evidence_that_the_gate_did_not_judge(tmp_path: Path, signer: Signer) -> None:
    contents = replaced(contents_of(), 1, query_count=2000)
    assert "evidence that the gate did not judge" in refused(tmp_path / "release", contents, signer)


def test_evidence_that_names_another_variant(tmp_path: Path, signer: Signer) -> None:
    contents = replaced(contents_of(), 1, variant="int8")
    message = refused(tmp_path / "release", contents, signer)
    assert "not the variant it names" in message


def test_evidence_about_the_golden_set_as_if_it_were_a_model(
    tmp_path: Path, signer: Signer
) -> None:
    contents = replaced(contents_of(), 1, artifact=digest_bytes(GOLDEN))
    evidence = list(contents.evidence)
    evidence[1] = dataclasses.replace(evidence[1], subjects=(digest_bytes(GOLDEN),))
    message = refused(tmp_path / "release", with_evidence(contents, *evidence), signer)
    assert "not the variant it names" in message


def test_evidence_about_something_that_is_not_there(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    stray = dataclasses.replace(contents.evidence[1], subjects=(ORIGINAL,))
    contents = with_evidence(contents, *contents.evidence, stray)
    message = refused(tmp_path / "release", contents, signer)
    assert "a measurement about something that is not in this release" in message


def test_evidence_about_nothing(tmp_path: Path, signer: Signer) -> None:
    contents = contents_of()
    stray = dataclasses.replace(contents.evidence[1], subjects=())
    contents = with_evidence(contents, *contents.evidence, stray)
    assert "a statement needs subjects" in refused(tmp_path / "release", contents, signer)


@pytest.mark.parametrize("date", ["soon", "2026-08-01T00:00:00", ""])
def test_evidence_with_a_malformed_date(tmp_path: Path, signer: Signer, date: str) -> None:
    contents = replaced(contents_of(), 1, expires_at=date)
    digest = digest_bytes(encode_document(contents.evidence[1].document))
    judged = (*decision_of(contents).evidence, digest)
    message = refused(tmp_path / "release", with_decision(contents, evidence=judged), signer)
    assert "date" in message


def test_a_temperature_that_no_evaluation_found(tmp_path: Path, signer: Signer) -> None:
    message = refused(tmp_path / "release", with_variant(contents_of(), temperature=2.0), signer)
    assert "another temperature than its evaluation found" in message
    assert "Expected 1, found 2" in message
