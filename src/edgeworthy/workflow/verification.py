"""Verifying a release for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.errors import VerificationError

if TYPE_CHECKING:
    from edgeworthy.release import VerifiedRelease


def verify_folder(folder: Path, keys: Sequence[Path]) -> VerifiedRelease:
    """Prove a release with public key files.

    Args:
        folder: The OCI image layout.
        keys: Public keys whose signatures are accepted.

    Raises:
        VerificationError: It is not what a holder of one of the keys signed.
        SigningKeyError: A key file cannot be read.
    """
    from edgeworthy.release import load_public_key, verify_release

    if not folder.is_dir():
        raise VerificationError(
            "no release here",
            expected="a folder that `edgeworthy release` made",
            where=str(folder),
        )
    return verify_release(folder, [load_public_key(key) for key in keys], now=datetime.now(UTC))
