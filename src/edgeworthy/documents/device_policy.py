"""What a device demands of a release before it runs it: the evidence, and whose word counts."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.record import Document, Record


class PolicySigner(Record, frozen=True, kw_only=True):
    """A public key whose statements a device accepts.

    Attributes:
        key_id: As the signatures name it.
        key_type: For example ``ed25519``.
        scheme: For example ``ed25519``.
        public: The key: PEM, or hexadecimal digits for ed25519.
    """

    key_id: str
    key_type: str
    scheme: str
    public: str


class EvidenceBound(Record, frozen=True, kw_only=True):
    """A bound on a figure of the evidence; exactly one of both is given.

    Attributes:
        metric: As in a requirement of the project file: ``accuracy``, ``latency_p90_ms``.
        slice: ``column=value``, or empty for all samples.
        at_least: The low end of the interval is not below it.
        at_most: The high end of the interval is not above it.
        confidence: The interval's confidence is not below it.
    """

    metric: str
    slice: str = ""
    at_least: float | None = None
    at_most: float | None = None
    confidence: float = 0.95


class EvidenceRule(Record, frozen=True, kw_only=True):
    """A kind of evidence that a release must carry about what the device is to run.

    Attributes:
        predicate_type: For example ``urn:edgeworthy:measurement:v1``.
        signers: Key ids, one of which must have signed it; empty for any signer of the policy.
        device_class: Whether it must have been taken on this device's class of CPU.
        largest_age_days: How old it may be; absent for any age.
        unexpired: Whether it must not have expired.
        bounds: What its figures must keep.
    """

    predicate_type: str
    signers: tuple[str, ...] = ()
    device_class: bool = True
    largest_age_days: int | None = None
    unexpired: bool = False
    bounds: tuple[EvidenceBound, ...] = ()


class DevicePolicy(Document, frozen=True, kw_only=True):
    """What a device demands of a release; the repository's offline targets keys vouch for it.

    Attributes:
        name: Its name, for messages.
        products: Products that the device may run.
        instruction_sets: Classes of CPU that this policy was written for.
        signers: Whose statements count.
        evidence: What a release must carry; a gate decision that passed is always demanded.
        clock: Whether the device's own clock counts. ``signed-time-only`` is for devices whose
            clock says nothing: age is then judged by the last signed time that was seen.
    """

    KIND: ClassVar[str] = "device-policy"

    name: str
    products: tuple[str, ...]
    instruction_sets: tuple[InstructionSet, ...]
    signers: tuple[PolicySigner, ...]
    evidence: tuple[EvidenceRule, ...] = ()
    clock: Literal["own-clock", "signed-time-only"] = "own-clock"
