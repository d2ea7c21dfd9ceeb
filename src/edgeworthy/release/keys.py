"""Keys: read from a file, encrypted at rest, or reached through a URI.

Rules:

1. A private key file is PKCS#8 PEM, encrypted with a passphrase and readable by its owner only; any
   other is refused.
2. A public key file is PEM (SubjectPublicKeyInfo), as OpenSSL and cosign write it, or the JSON of
   securesystemslib where PEM cannot say which scheme a key signs with.
3. Other places for a private key are securesystemslib URIs (``hsm:``, ``awskms:``, ``gcpkms:``,
   ``azurekms:`` and so on); their public key comes from a file, never from the other side.
4. Whatever goes wrong with a key is a :class:`SigningKeyError`, and no message holds a secret.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from edgeworthy.errors import SigningKeyError
from edgeworthy.release.key_creation import public_key_path
from edgeworthy.release.signers import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, Signer, SSlibKey

#: Where the public key of a URI is looked for when the URI has no ``#path``.
DEFAULT_PUBLIC_KEY = "edgeworthy.pub"
_LARGEST_KEY_BYTES = 64 * 1024
_FORBIDDEN_BITS = stat.S_IRWXG | stat.S_IRWXO


class _KeyFile(msgspec.Struct, frozen=True):
    """The JSON form of a public key, as ``securesystemslib`` names its fields."""

    keyid: str
    keytype: str
    scheme: str
    keyval: dict[str, str]


def load_signer(key: str, *, folder: Path, passphrase: Callable[[], bytes]) -> Signer:
    """Load a private key, or the means to reach one.

    Args:
        key: A path, ``file:`` and a path, or a securesystemslib URI. A URI may end in ``#`` and
            the path of its public key; without, ``edgeworthy.pub`` is taken.
        folder: What relative paths are relative to.
        passphrase: Asked for the secret, only when it is needed.

    Raises:
        SigningKeyError: The key is missing, not encrypted, readable by others, garbage or of an
            unsupported type; or the passphrase is wrong; or the URI cannot be reached.
    """
    scheme, colon, rest = key.partition(":")
    if colon and scheme in SIGNER_FOR_URI_SCHEME:
        return _load_by_uri(key, folder=folder, passphrase=passphrase)
    if colon and scheme == "file":
        return _load_file(folder / rest.removeprefix("//"), passphrase)
    if colon and scheme.isalnum() and not (folder / key).exists():
        known = ", ".join(f"{name}:" for name in sorted((*SIGNER_FOR_URI_SCHEME, "file")))
        raise SigningKeyError(
            "unknown kind of key", expected=f"a path or one of {known}", found=f"{scheme}:"
        )
    return _load_file(folder / key, passphrase)


def public_key_file(key: str, *, folder: Path) -> Path:
    """Where the public half of a key lies, whatever kind of key it is.

    Args:
        key: As for :func:`load_signer`.
        folder: What relative paths are relative to.
    """
    scheme, colon, rest = key.partition(":")
    if colon and scheme in SIGNER_FOR_URI_SCHEME:
        return folder / (key.partition("#")[2] or DEFAULT_PUBLIC_KEY)
    path = rest.removeprefix("//") if colon and scheme == "file" else key
    return public_key_path(folder / path)


def load_public_key(path: Path) -> Key:
    """Read a public key: PEM, or the JSON of securesystemslib.

    Raises:
        SigningKeyError: The file is missing, private or not a public key.
    """
    data = _read(path, next_step="Ask the publisher for the public key (the file ends in .pub)")
    if b"PRIVATE KEY" in data:
        raise SigningKeyError(
            "a private key where a public one belongs",
            where=str(path),
            next_step=f"Give {path.name}.pub, and keep this file to yourself",
        )
    try:
        if data.lstrip().startswith(b"{"):
            return _key_from_json(data)
        # cryptography names every kind of key that PEM can hold; securesystemslib refuses those
        # that cannot sign with a ValueError.
        return SSlibKey.from_crypto(serialization.load_pem_public_key(data))
    except (ValueError, TypeError, UnsupportedAlgorithm, msgspec.DecodeError) as error:
        raise SigningKeyError(
            "not a public key",
            expected="PEM that begins with `-----BEGIN PUBLIC KEY-----`, or securesystemslib JSON",
            where=str(path),
        ) from error


def _key_from_json(data: bytes) -> Key:
    fields = msgspec.json.decode(data, type=_KeyFile)
    key_dict = {"keytype": fields.keytype, "scheme": fields.scheme, "keyval": fields.keyval}
    return Key.from_dict(fields.keyid, key_dict)


def _load_file(path: Path, passphrase: Callable[[], bytes]) -> Signer:
    data = _read(path, next_step="Make one with `edgeworthy keys create`")
    _check_private(path)
    if b"-----BEGIN PRIVATE KEY-----" in data:
        raise SigningKeyError(
            "the private key is not encrypted",
            where=str(path),
            next_step=f"Encrypt it: openssl pkcs8 -topk8 -v2 aes256 -in {path.name} -out NEW",
        )
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in data:
        raise SigningKeyError(
            "not a private key",
            expected="PEM that begins with `-----BEGIN ENCRYPTED PRIVATE KEY-----`",
            where=str(path),
        )
    return _decrypt(path, data, passphrase())


def _decrypt(path: Path, data: bytes, passphrase: bytes) -> Signer:
    try:
        private = serialization.load_pem_private_key(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(
            "the key cannot be decrypted: the passphrase is wrong or the file is damaged",
            where=str(path),
            next_step="Check the passphrase; restore the file from its backup if it is right",
        ) from error
    try:
        return CryptoSigner(private)
    except ValueError as error:
        raise SigningKeyError(
            f"a key of a kind that cannot sign releases: {error}",
            where=str(path),
            next_step="Make one with `edgeworthy keys create`",
        ) from error


def _load_by_uri(uri: str, *, folder: Path, passphrase: Callable[[], bytes]) -> Signer:
    address = uri.partition("#")[0]
    public = load_public_key(public_key_file(uri, folder=folder))
    try:
        return Signer.from_priv_key_uri(address, public, lambda _: passphrase().decode())
    except Exception as error:  # each kind of signer has errors of its own, a driver's included
        raise SigningKeyError(
            f"the key cannot be reached: {error}",
            where=address,
            next_step="Check the URI, that its driver is installed and that you are signed in",
        ) from error


def _read(path: Path, *, next_step: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_KEY_BYTES + 1)
    except FileNotFoundError as error:
        raise SigningKeyError("no such key", where=str(path), next_step=next_step) from error
    except OSError as error:
        raise SigningKeyError(
            f"the key cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    if len(data) > _LARGEST_KEY_BYTES:
        raise SigningKeyError("far too large to be a key", where=str(path))
    return data


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _FORBIDDEN_BITS:
        raise SigningKeyError(
            "others can read the private key",
            expected="mode 600",
            found=f"mode {mode:o}",
            where=str(path),
            next_step=f"Run: chmod 600 {path}",
        )
