"""Verifying a release for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.errors import VerificationError

if TYPE_CHECKING:
    from edgeworthy.release import VerifiedRelease


def verify_folder(
    folder: Path, keys: Sequence[Path], *, some_models: bool = False
) -> VerifiedRelease:
    """Prove a release with public key files.

    Args:
        folder: The OCI image layout.
        keys: Public keys whose signatures are accepted.
        some_models: Files of models may be missing, as on a device, which holds one variant.

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
    accepted = [load_public_key(key) for key in keys]
    return verify_release(folder, accepted, now=datetime.now(UTC), some_models=some_models)
