"""From evidence to a signed release, and back: the gate, keys, the OCI layout, verification.

The doors open on first use, so that a device that only verifies loads nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeworthy.release.attestation import attest
    from edgeworthy.release.choice import PrimaryMetric
    from edgeworthy.release.contents import UnprovenRelease, read_unproven
    from edgeworthy.release.figures import Candidate, GateTarget
    from edgeworthy.release.gate import GateQuestion, judge
    from edgeworthy.release.key_creation import create_key, public_key_path
    from edgeworthy.release.keys import load_public_key, load_signer, public_key_file
    from edgeworthy.release.oci import GOLDEN_MEDIA_TYPE, MODEL_MEDIA_TYPE
    from edgeworthy.release.policy import (
        Acceptance,
        DeviceFacts,
        Refusal,
        check_policy,
        policy_keys,
    )
    from edgeworthy.release.requirements import MEASUREMENT_METRICS, check_requirements
    from edgeworthy.release.selection import NoneFits, Selected, select_variant, selection_rules
    from edgeworthy.release.signers import Key, Signer
    from edgeworthy.release.verification import verify_release
    from edgeworthy.release.verified import VerifiedBlob, VerifiedRelease
    from edgeworthy.release.write import Evidence, ReleaseBlob, ReleaseContents, write_release

_ROOM_OF = {
    "GOLDEN_MEDIA_TYPE": "oci",
    "MEASUREMENT_METRICS": "requirements",
    "MODEL_MEDIA_TYPE": "oci",
    "Acceptance": "policy",
    "Candidate": "figures",
    "DeviceFacts": "policy",
    "Evidence": "write",
    "GateQuestion": "gate",
    "GateTarget": "figures",
    "Key": "signers",
    "NoneFits": "selection",
    "PrimaryMetric": "choice",
    "Refusal": "policy",
    "ReleaseBlob": "write",
    "ReleaseContents": "write",
    "Selected": "selection",
    "Signer": "signers",
    "UnprovenRelease": "contents",
    "VerifiedBlob": "verified",
    "VerifiedRelease": "verified",
    "attest": "attestation",
    "check_policy": "policy",
    "check_requirements": "requirements",
    "create_key": "key_creation",
    "judge": "gate",
    "load_public_key": "keys",
    "load_signer": "keys",
    "policy_keys": "policy",
    "public_key_file": "keys",
    "public_key_path": "key_creation",
    "read_unproven": "contents",
    "select_variant": "selection",
    "selection_rules": "selection",
    "verify_release": "verification",
    "write_release": "write",
}

__all__ = [
    "GOLDEN_MEDIA_TYPE",
    "MEASUREMENT_METRICS",
    "MODEL_MEDIA_TYPE",
    "Acceptance",
    "Candidate",
    "DeviceFacts",
    "Evidence",
    "GateQuestion",
    "GateTarget",
    "Key",
    "NoneFits",
    "PrimaryMetric",
    "Refusal",
    "ReleaseBlob",
    "ReleaseContents",
    "Selected",
    "Signer",
    "UnprovenRelease",
    "VerifiedBlob",
    "VerifiedRelease",
    "attest",
    "check_policy",
    "check_requirements",
    "create_key",
    "judge",
    "load_public_key",
    "load_signer",
    "policy_keys",
    "public_key_file",
    "public_key_path",
    "read_unproven",
    "select_variant",
    "selection_rules",
    "verify_release",
    "write_release",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
