"""From evidence to a signed release, and back: the gate, keys, the OCI layout, verification.

The doors open on first use, so that a device that only verifies loads nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeworthy.release.attestation import attest
    from edgeworthy.release.keys import create_key, load_public_key, load_signer
    from edgeworthy.release.oci import GOLDEN_MEDIA_TYPE, MODEL_MEDIA_TYPE
    from edgeworthy.release.signers import Key, Signer
    from edgeworthy.release.verification import verify_release
    from edgeworthy.release.verified import VerifiedBlob, VerifiedRelease
    from edgeworthy.release.write import Evidence, ReleaseBlob, ReleaseContents, write_release

_ROOM_OF = {
    "GOLDEN_MEDIA_TYPE": "oci",
    "MODEL_MEDIA_TYPE": "oci",
    "Evidence": "write",
    "Key": "signers",
    "ReleaseBlob": "write",
    "ReleaseContents": "write",
    "Signer": "signers",
    "VerifiedBlob": "verified",
    "VerifiedRelease": "verified",
    "attest": "attestation",
    "create_key": "keys",
    "load_public_key": "keys",
    "load_signer": "keys",
    "verify_release": "verification",
    "write_release": "write",
}

__all__ = [
    "GOLDEN_MEDIA_TYPE",
    "MODEL_MEDIA_TYPE",
    "Evidence",
    "Key",
    "ReleaseBlob",
    "ReleaseContents",
    "Signer",
    "VerifiedBlob",
    "VerifiedRelease",
    "attest",
    "create_key",
    "load_public_key",
    "load_signer",
    "verify_release",
    "write_release",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
