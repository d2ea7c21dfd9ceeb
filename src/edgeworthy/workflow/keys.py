"""Keys for the command line."""

from __future__ import annotations

import secrets
from pathlib import Path

from edgeworthy.errors import SigningKeyError, UsageError
from edgeworthy.files import write_whole


def create_signing_key(path: Path, passphrase: bytes) -> Path:
    """Make a key pair; returns where the public key lies.

    Raises:
        SigningKeyError: A key lies there already.
    """
    from edgeworthy.release import create_key, public_key_path

    create_key(path, passphrase)
    return public_key_path(path)


def write_random_passphrase(path: Path) -> bytes:
    """Make a passphrase of 256 random bits and write it where only the owner may read it.

    Raises:
        UsageError: The file exists.
    """
    if path.exists():
        raise UsageError(
            "a passphrase is never overwritten",
            where=str(path),
            next_step="Use it with --passphrase-file, or name another file",
        )
    passphrase = secrets.token_urlsafe(32).encode()
    write_whole(path, passphrase + b"\n", mode=0o600)
    return passphrase


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file, without the newline at its end.

    Raises:
        SigningKeyError: The file cannot be read or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SigningKeyError(
            f"the passphrase cannot be read: {error.strerror}",
            where=str(path),
            next_step="Name the file with --passphrase-file",
        ) from error
    passphrase = data.rstrip(b"\r\n")
    if not passphrase:
        raise SigningKeyError("the passphrase is empty", where=str(path))
    return passphrase
