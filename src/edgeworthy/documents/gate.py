"""What was decided, and on which figures."""

from __future__ import annotations

import enum
from typing import ClassVar

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import CheckedVariant
from edgeworthy.documents.project import RequirementSection
from edgeworthy.documents.record import Document, Record


class Verdict(enum.StrEnum):
    """Three-valued: an interval that straddles the bound decides nothing."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class RequirementResult(Record, frozen=True, kw_only=True):
    """One requirement held against one variant on one target.

    Attributes:
        requirement: As it stands in the project file.
        requirement_index: Its position there, from 0.
        slice: The slice that was judged (a ``*`` gives one result per value); empty for all.
        target: Name of the target.
        variant: Name of the variant.
        artifact: Digest of its file.
        verdict: Pass, fail or inconclusive.
        measured: The figure that was held against the bound; absent when there is none.
        bound: The bound in words, for example ``at least 0.95``.
        reason: One sentence.
        samples_needed: How many more samples would settle an inconclusive result, if the
            observed value is the true one; absent when that cannot be told.
    """

    requirement: RequirementSection
    requirement_index: int
    slice: str
    target: str
    variant: str
    artifact: str
    verdict: Verdict
    measured: Estimate | None
    bound: str
    reason: str
    samples_needed: int | None = None


class TargetDecision(Record, frozen=True, kw_only=True):
    """Which variant ships to a target.

    Attributes:
        target: Name of the target.
        verdict: Pass when some variant meets every requirement.
        variant: The chosen one; for a refusal the one that came closest.
        artifact: Digest of its file.
        reason: Why this one.
        harm: Which variants may take the place of float here, and why; empty where none could.
    """

    target: str
    verdict: Verdict
    variant: str
    artifact: str
    reason: str
    harm: tuple[CheckedVariant, ...] = ()


class GateDecision(Document, frozen=True, kw_only=True):
    """Whether this may ship.

    Attributes:
        verdict: Pass when every target passes; fail when one fails; else inconclusive.
        targets: One decision per target.
        results: Every requirement against every variant.
        policy_digest: Digest of the requirements.
        evidence: Digests of the measurements and evaluations that were judged, sorted.
    """

    KIND: ClassVar[str] = "gate-decision"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    verdict: Verdict
    targets: tuple[TargetDecision, ...]
    results: tuple[RequirementResult, ...]
    policy_digest: str
    evidence: tuple[str, ...]
