"""Whether a device may run a release: the evidence that it demands, held against what travels.

Rules:

1. Pure: a proven release, a policy, facts of the device and a moment in; an acceptance with the
   variants that may run, or a refusal with its reasons.
2. What counts is signed evidence about the very artefact, by a signer of the policy, on this class
   of device, young enough. What is missing refuses; a figure whose interval straddles a bound does
   not keep it.
3. The moment is the last signed time that the device saw (or its clock, where that is later and
   counts). This check stands before an activation; nobody asks it about what already runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.device_policy import (
    DevicePolicy,
    EvidenceBound,
    EvidenceRule,
    PolicySigner,
)
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.release import ReleasedVariant
from edgeworthy.errors import InputError, SigningKeyError
from edgeworthy.release.expiry import expiry_of, parse_date
from edgeworthy.release.signers import Key
from edgeworthy.release.statements import VerifiedStatement
from edgeworthy.release.verified import VerifiedRelease

_LATENCY_PERCENTS = {"latency_p50_ms": 50.0, "latency_p90_ms": 90.0, "latency_p99_ms": 99.0}
_BYTES_PER_KIB = 1024


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """What a device knows of itself.

    Attributes:
        architecture: As ``platform.machine()`` says.
        instruction_set: How its CPU multiplies 8-bit integers.
    """

    architecture: str
    instruction_set: InstructionSet


@dataclass(frozen=True)
class Acceptance:
    """The release may run here.

    Attributes:
        variants: Names of the variants that keep the policy, in the order of the release.
    """

    variants: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """The release may not run here.

    Attributes:
        reasons: One sentence each.
    """

    reasons: tuple[str, ...]


def check_policy(
    release: VerifiedRelease, policy: DevicePolicy, device: DeviceFacts, signed_time: datetime
) -> Acceptance | Refusal:
    """Hold a release against a policy (rules 1 and 2).

    Args:
        release: Proven with the policy's keys; see :func:`policy_keys`.
        policy: What the device demands.
        device: What it is.
        signed_time: With a time zone; see rule 3.
    """
    general = tuple(_general_reasons(release, policy, device))
    if general:
        return Refusal(general)
    ours = [each for each in release.manifest.variants if _is_for(each, device.instruction_set)]
    if not ours:
        return Refusal((f"The release has no variant for {device.instruction_set}.",))
    reasons: list[str] = []
    kept = []
    for variant in ours:
        question = _Question(release, policy, device, signed_time, variant)
        found = tuple(question.reasons())
        reasons += found
        if not found:
            kept.append(variant.name)
    return Acceptance(tuple(kept)) if kept else Refusal(tuple(dict.fromkeys(reasons)))


def policy_keys(policy: DevicePolicy) -> tuple[Key, ...]:
    """The keys of a policy's signers, to prove a release with.

    Raises:
        SigningKeyError: A key is malformed.
    """
    return tuple(_key_of(each) for each in policy.signers)


def _key_of(signer: PolicySigner) -> Key:
    fields = {
        "keytype": signer.key_type,
        "scheme": signer.scheme,
        "keyval": {"public": signer.public},
    }
    try:
        return Key.from_dict(signer.key_id, fields)
    except (ValueError, KeyError, TypeError) as error:
        raise SigningKeyError(
            f"a key of the device policy is malformed: {error}", found=signer.key_id[:16]
        ) from error


def _is_for(variant: ReleasedVariant, instruction_set: InstructionSet) -> bool:
    return instruction_set in variant.instruction_sets or "generic" in variant.instruction_sets


def _general_reasons(
    release: VerifiedRelease, policy: DevicePolicy, device: DeviceFacts
) -> Iterator[str]:
    if release.manifest.name not in policy.products:
        yield f"The policy {policy.name} does not allow the product {release.manifest.name}."
    if device.instruction_set not in policy.instruction_sets:
        yield f"The policy {policy.name} was not written for {device.instruction_set}."
    allowed = {each.key_id for each in policy.signers}
    strangers = sorted(set(release.key_ids) - allowed)
    if strangers:
        yield f"Statements are signed by {strangers[0][:16]}, which the policy does not accept."


@dataclass(frozen=True)
class _Question:
    """One variant held against the policy."""

    release: VerifiedRelease
    policy: DevicePolicy
    device: DeviceFacts
    signed_time: datetime
    variant: ReleasedVariant

    def reasons(self) -> Iterator[str]:
        """Why this variant may not run; nothing when it may."""
        for rule in self.policy.evidence:
            reason = self._broken(rule)
            if reason:
                yield f"{self.variant.name}: {reason}"

    def _broken(self, rule: EvidenceRule) -> str:
        about = [
            each
            for each in self.release.statements
            if each.predicate_type == rule.predicate_type and self.variant.artifact in each.subjects
        ]
        if not about:
            return f"there is no {rule.predicate_type} about it."
        reasons = []
        for statement in about:
            reason = self._why_not(rule, statement)
            if not reason:
                return ""
            reasons.append(reason)
        return reasons[-1]

    def _why_not(self, rule: EvidenceRule, statement: VerifiedStatement) -> str:
        named = f"its {rule.predicate_type}"
        if rule.signers and statement.key_id not in rule.signers:
            return f"{named} is signed by {statement.key_id[:16]}, who does not count for it."
        document = statement.document
        if not isinstance(document, Measurement | Evaluation):
            return self._of_another_kind(rule, named)
        if rule.device_class and not self._same_class(document):
            return f"{named} was taken on {document.host.instruction_set}, not on this class."
        stale = self._stale(rule, document)
        return f"{named} {stale}" if stale else next(iter(self._broken_bounds(rule, document)), "")

    def _stale(self, rule: EvidenceRule, document: Measurement | Evaluation) -> str:
        try:
            age = self.signed_time - parse_date(document.taken_at)
            expired = expiry_of(document) <= self.signed_time
        except InputError as error:
            return f"has a {error.problem}."
        if rule.largest_age_days is not None and age > timedelta(days=rule.largest_age_days):
            return f"is {age.days} days old, at most {rule.largest_age_days} are allowed."
        return f"expired at {document.expires_at}." if rule.unexpired and expired else ""

    @staticmethod
    def _of_another_kind(rule: EvidenceRule, named: str) -> str:
        """A kind without a host, a date or figures counts by its presence alone."""
        wanted = rule.bounds or rule.largest_age_days is not None or rule.unexpired
        return f"{named} has neither figures nor dates that could be held." if wanted else ""

    def _same_class(self, document: Measurement | Evaluation) -> bool:
        host = document.host
        return (host.architecture, host.instruction_set) == (
            self.device.architecture,
            self.device.instruction_set,
        )

    def _broken_bounds(
        self, rule: EvidenceRule, document: Measurement | Evaluation
    ) -> Iterator[str]:
        for bound in rule.bounds:
            careful = [
                each
                for each in _figures(bound, document, self.variant)
                if each.confidence >= bound.confidence
            ]
            if not careful:
                yield f"there is no {_named(bound)} with confidence {bound.confidence:g}."
                continue
            estimate = min(careful, key=lambda each: each.confidence)
            if (bound.at_least is None) == (bound.at_most is None):
                yield f"the policy's bound on {_named(bound)} is not one bound."
            elif bound.at_least is not None and not estimate.low >= bound.at_least:
                yield (
                    f"{_named(bound)} may be as low as {estimate.low:g} {estimate.unit}, "
                    f"at least {bound.at_least:g} is demanded."
                )
            elif bound.at_most is not None and not estimate.high <= bound.at_most:
                yield (
                    f"{_named(bound)} may be as high as {estimate.high:g} {estimate.unit}, "
                    f"at most {bound.at_most:g} is allowed."
                )


def _named(bound: EvidenceBound) -> str:
    return f"{bound.metric} on {bound.slice}" if bound.slice else bound.metric


def _figures(
    bound: EvidenceBound, document: Measurement | Evaluation, variant: ReleasedVariant
) -> Iterable[Estimate]:
    if isinstance(document, Evaluation):
        return tuple(
            each.estimate
            for each in document.metrics
            if (each.metric, each.slice) == (bound.metric, bound.slice)
        )
    if bound.slice:
        return ()
    percent = _LATENCY_PERCENTS.get(bound.metric)
    if percent is not None:
        return tuple(
            each.latency_ms
            for each in document.percentiles
            if each.percent == percent and each.latency_ms is not None
        )
    named = {
        "load_time_ms": document.load_time_ms,
        "peak_memory_mib": document.peak_memory_mib,
        "size_kib": exact(variant.size_bytes / _BYTES_PER_KIB, unit="KiB"),
    }
    found = named.get(bound.metric)
    return () if found is None else (found,)
