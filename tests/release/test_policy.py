from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edgeworthy.documents.device_policy import (
    DevicePolicy,
    EvidenceBound,
    EvidenceRule,
    PolicySigner,
)
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.errors import SigningKeyError
from edgeworthy.release import Signer, VerifiedRelease, verify_release
from edgeworthy.release.policy import (
    Acceptance,
    DeviceFacts,
    Refusal,
    check_policy,
    policy_keys,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEVICE = DeviceFacts(architecture="x86_64", instruction_set="x86-vnni")
MEASURED = Measurement.predicate_type()
EVALUATED = Evaluation.predicate_type()


@pytest.fixture(scope="module")
def verified(pristine: Path, signer: Signer) -> VerifiedRelease:
    return verify_release(pristine, [signer.public_key])


@pytest.fixture(scope="module")
def policy(signer: Signer) -> DevicePolicy:
    key = signer.public_key
    return DevicePolicy(
        name="gateways",
        products=("keywords",),
        instruction_sets=("x86-vnni",),
        signers=(
            PolicySigner(
                key_id=key.keyid,
                key_type=key.keytype,
                scheme=key.scheme,
                public=str(key.keyval["public"]),
            ),
        ),
    )


def demanding(policy: DevicePolicy, *rules: EvidenceRule) -> DevicePolicy:
    return msgspec.structs.replace(policy, evidence=rules)


def bounded(metric: str, **bound: object) -> EvidenceRule:
    made = msgspec.convert({"metric": metric, **bound}, EvidenceBound)
    kind = EVALUATED if metric == "accuracy" else MEASURED
    return EvidenceRule(predicate_type=kind, bounds=(made,))


def reason(found: Acceptance | Refusal) -> str:
    assert isinstance(found, Refusal)
    return " ".join(found.reasons)


def test_without_demands_every_variant_for_this_cpu_may_run(
    verified: VerifiedRelease, policy: DevicePolicy
) -> None:
    assert check_policy(verified, policy, DEVICE, NOW) == Acceptance(("float32", "int8"))


def test_the_keys_of_a_policy_prove_the_release(policy: DevicePolicy, pristine: Path) -> None:
    assert verify_release(pristine, policy_keys(policy)).manifest.name == "keywords"
    broken = msgspec.structs.replace(policy.signers[0], key_type="unknown")
    with pytest.raises(SigningKeyError, match="malformed"):
        policy_keys(msgspec.structs.replace(policy, signers=(broken,)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"products": ("gestures",)}, "does not allow the product keywords"),
        ({"instruction_sets": ("arm-neon",)}, "was not written for x86-vnni"),
        ({"signers": ()}, "which the policy does not accept"),
    ],
)
def test_a_policy_for_something_else_refuses(
    verified: VerifiedRelease, policy: DevicePolicy, changes: dict[str, object], expected: str
) -> None:
    changed = msgspec.structs.replace(policy, **changes)
    assert expected in reason(check_policy(verified, changed, DEVICE, NOW))


def test_a_release_without_a_variant_for_this_cpu_is_refused(
    verified: VerifiedRelease, policy: DevicePolicy
) -> None:
    arm = DeviceFacts(architecture="aarch64", instruction_set="arm-neon")
    for_arm = msgspec.structs.replace(policy, instruction_sets=("arm-neon",))
    assert "no variant for arm-neon" in reason(check_policy(verified, for_arm, arm, NOW))


@pytest.mark.parametrize(
    "rule",
    [
        bounded("accuracy", at_least=0.93),
        bounded("latency_p50_ms", at_most=11.0),
        bounded("latency_p90_ms", at_most=13.0),
        bounded("size_kib", at_most=1.0),
        bounded("peak_memory_mib", at_most=40.0),
        bounded("load_time_ms", at_most=110.0),
        EvidenceRule(predicate_type=MEASURED, largest_age_days=31, unexpired=True),
        EvidenceRule(predicate_type=GateDecision.predicate_type()),
    ],
    ids=lambda rule: rule.bounds[0].metric if rule.bounds else rule.predicate_type,
)
def test_evidence_that_keeps_its_bounds_is_accepted(
    verified: VerifiedRelease, policy: DevicePolicy, rule: EvidenceRule
) -> None:
    found = check_policy(verified, demanding(policy, rule), DEVICE, NOW)
    assert found == Acceptance(("float32", "int8"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (bounded("accuracy", at_least=0.94), "may be as low as 0.93 ratio, at least 0.94"),
        (bounded("latency_p50_ms", at_most=10.5), "may be as high as 11 ms, at most 10.5"),
        (bounded("latency_p99_ms", at_most=99.0), "no latency_p99_ms with confidence 0.95"),
        (bounded("latency_p50_ms", at_most=99.0, confidence=0.99), "with confidence 0.99"),
        (bounded("latency_p50_ms", at_most=99.0, slice="a=b"), "no latency_p50_ms on a=b"),
        (bounded("accuracy", at_least=0.1, slice="a=b"), "no accuracy on a=b"),
        (bounded("nonsense", at_most=1.0), "no nonsense"),
        (bounded("size_kib"), "is not one bound"),
        (EvidenceRule(predicate_type="urn:edgeworthy:attack:v1"), "there is no urn:edgeworthy"),
        (EvidenceRule(predicate_type=MEASURED, largest_age_days=30), "is 31 days old"),
        (EvidenceRule(predicate_type=MEASURED, signers=("other",)), "does not count for it"),
        (
            EvidenceRule(predicate_type=GateDecision.predicate_type(), unexpired=True),
            "neither figures nor dates",
        ),
    ],
)
def test_evidence_that_is_missing_weak_or_old_refuses(
    verified: VerifiedRelease, policy: DevicePolicy, rule: EvidenceRule, expected: str
) -> None:
    found = check_policy(verified, demanding(policy, rule), DEVICE, NOW)
    assert expected in reason(found)


def test_evidence_that_expired_refuses_only_where_the_policy_says_so(
    verified: VerifiedRelease, policy: DevicePolicy
) -> None:
    later = datetime(2027, 6, 1, tzinfo=UTC)
    rule = EvidenceRule(predicate_type=MEASURED)
    assert isinstance(check_policy(verified, demanding(policy, rule), DEVICE, later), Acceptance)
    rule = EvidenceRule(predicate_type=MEASURED, unexpired=True)
    assert "expired at 2026-08-01" in reason(
        check_policy(verified, demanding(policy, rule), DEVICE, later)
    )


def test_evidence_from_another_class_of_device_does_not_count(
    verified: VerifiedRelease, policy: DevicePolicy
) -> None:
    other = DeviceFacts(architecture="aarch64", instruction_set="x86-vnni")
    rule = EvidenceRule(predicate_type=MEASURED)
    assert "was taken on x86-vnni" in reason(
        check_policy(verified, demanding(policy, rule), other, NOW)
    )
    rule = EvidenceRule(predicate_type=MEASURED, device_class=False)
    assert isinstance(check_policy(verified, demanding(policy, rule), other, NOW), Acceptance)
