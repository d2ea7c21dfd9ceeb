"""A new key pair on the disk.

Rules:

1. The private key is encrypted with a passphrase, readable by its owner only from its first byte
   on, and never overwrites anything.
2. Both files are there, or neither.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgeworthy.errors import SigningKeyError
from edgeworthy.files import storage_errors
from edgeworthy.release.key_encryption import RANDOM_BYTES, encrypt_pkcs8
from edgeworthy.release.signers import SSlibKey


def create_key(path: Path, passphrase: bytes) -> SSlibKey:
    """Make an ed25519 key pair: ``path`` (private, encrypted) and ``path.pub``.

    Args:
        path: Where the private key goes; missing parent folders are made.
        passphrase: What it is encrypted with; not empty.

    Returns:
        The public key.

    Raises:
        SigningKeyError: The passphrase is empty, or one of the files exists.
        StorageError: The disk is full, read-only or forbidden; neither file is left behind.
    """
    if not passphrase:
        raise SigningKeyError(
            "a key is never stored without a passphrase",
            where=str(path),
            next_step="Give a passphrase; a file with it can be named for machines",
        )
    public_path = public_key_path(path)
    private = Ed25519PrivateKey.generate()
    plain = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    secret = encrypt_pkcs8(plain, passphrase, randomness=secrets.token_bytes(RANDOM_BYTES))
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _write_new(path, secret, mode=0o600)
    try:
        _write_new(public_path, public, mode=0o644)
    except BaseException:
        path.unlink()
        raise
    return SSlibKey.from_crypto(private.public_key())


def public_key_path(path: Path) -> Path:
    """Where the public key of the private key at ``path`` lies.

    >>> str(public_key_path(Path("keys/release")))
    'keys/release.pub'
    """
    return path.with_name(f"{path.name}.pub")


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError as error:
            raise SigningKeyError(
                "a key is never overwritten, and this file exists",
                where=str(path),
                next_step="Choose another path",
            ) from error
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            path.unlink()
            raise
