from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from edgeworthy.release.key_encryption import RANDOM_BYTES, encrypt_pkcs8

SEED = bytes(range(32))


def der_of(private: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("size", [0, 1024, 3072])
def test_openssl_and_cryptography_read_what_we_encrypt(tmp_path: Path, size: int) -> None:
    """A long key has lengths of several bytes in DER; an ed25519 key has short ones."""
    private = (
        rsa.generate_private_key(public_exponent=65537, key_size=size)
        if size
        else ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
    )
    der = der_of(private)
    pem = encrypt_pkcs8(der, b"secret", randomness=bytes(range(RANDOM_BYTES)))
    loaded = serialization.load_pem_private_key(pem, b"secret")
    assert isinstance(loaded, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey)
    assert der_of(loaded) == der
    (tmp_path / "key").write_bytes(pem)
    decrypted = subprocess.run(
        ["openssl", "pkcs8", "-in", tmp_path / "key", "-passin", "pass:secret", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    # OpenSSL writes an RSA key in its own, older form: the key is compared, not the bytes.
    theirs = serialization.load_der_private_key(decrypted, None)
    assert isinstance(theirs, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey)
    assert der_of(theirs) == der
