"""A scan as a requirement: what was found, and what could not be scanned, fails."""

from __future__ import annotations

import pytest

from edgeworthy.documents.gate import Verdict
from edgeworthy.documents.model_scan import ModelScan, ScanCheck
from edgeworthy.documents.project import RequirementSection
from edgeworthy.documents.record import encode_document
from edgeworthy.errors import ProjectFileError
from edgeworthy.files import digest_bytes
from edgeworthy.release import GateQuestion, check_requirements, judge
from release.builders import NOW
from release.questions import INT8, question_of

NO_FINDINGS = RequirementSection(metric="scan_findings", at_most=0)


def asked(*scans: ModelScan) -> GateQuestion:
    plain = question_of(NO_FINDINGS)
    return GateQuestion(
        requirements=plain.requirements,
        targets=plain.targets,
        candidates=plain.candidates,
        original=plain.original,
        primary=plain.primary,
        measurements=(),
        evaluations=(),
        scans=scans,
    )


def scan_of(*checks: ScanCheck, artifact: str = INT8) -> ModelScan:
    return ModelScan(
        artifact=artifact,
        size_bytes=10,
        model_format="onnx",
        checks=checks,
        finding_count=sum(len(each.findings) for each in checks),
        tool_version="edgeworthy 0",
    )


CLEAN = ScanCheck(name="format", outcome="clean")
FOUND = ScanCheck(name="operators", outcome="finding", findings=("Custom operators.",))
NOT_SCANNED = ScanCheck(name="sizes", outcome="unscanned", findings=("It was not made.",))


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ((CLEAN,), Verdict.PASS),
        ((CLEAN, FOUND), Verdict.FAIL),
        ((CLEAN, NOT_SCANNED), Verdict.FAIL),
    ],
)
def test_a_scan_is_held_against_the_bound(checks: tuple[ScanCheck, ...], verdict: Verdict) -> None:
    assert judge(asked(scan_of(*checks)), now=NOW).verdict is verdict


def test_a_file_that_was_not_scanned_is_open() -> None:
    other = scan_of(CLEAN, artifact=digest_bytes(b"another file"))
    decision = judge(asked(other), now=NOW)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "its file was not scanned" in decision.results[0].reason


def test_the_decision_names_the_scan_as_evidence() -> None:
    scan = scan_of(CLEAN)
    assert digest_bytes(encode_document(scan)) in judge(asked(scan), now=NOW).evidence


@pytest.mark.parametrize(
    "requirement",
    [
        RequirementSection(metric="scan_findings", drop_at_most=0),
        RequirementSection(metric="scan_findings", slice="a=b", at_most=0),
    ],
)
def test_requirements_that_make_no_sense(requirement: RequirementSection) -> None:
    with pytest.raises(ProjectFileError, match="scan_findings"):
        check_requirements((requirement,), metric_names=(), target_names=())
