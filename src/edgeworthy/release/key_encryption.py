"""A private key under a passphrase: PKCS#8 with PBES2.

``cryptography`` writes this form too, but with 2048 rounds of PBKDF2, which a graphics card tries
in less than a microsecond. Nothing but the number of rounds differs here, so OpenSSL and
``cryptography`` read the file as any other.

Rules:

1. PBKDF2-HMAC-SHA256 with :data:`ROUNDS` rounds and a random salt of 16 bytes, AES-256-CBC with a
   random vector: ``openssl pkcs8 -topk8 -v2 aes256 -iter 600000``.
2. Randomness comes in as an argument.

Source: RFC 8018, section 6.2 and appendix A.4; the number of rounds is that of the OWASP Password
Storage Cheat Sheet.
"""

from __future__ import annotations

import base64
import hashlib
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

ROUNDS = 600_000
#: Bytes of randomness that :func:`encrypt_pkcs8` needs: a salt and an initial vector.
RANDOM_BYTES = 32

_SEQUENCE, _INTEGER, _OCTETS, _NULL = 0x30, 0x02, 0x04, 0x05
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_SHORT_LENGTH_LIMIT = 0x80


def encrypt_pkcs8(der: bytes, passphrase: bytes, *, randomness: bytes) -> bytes:
    """Encrypt a PKCS#8 private key.

    Args:
        der: The key, unencrypted.
        passphrase: What opens it.
        randomness: :data:`RANDOM_BYTES` random bytes, never used before.

    Returns:
        PEM, ``ENCRYPTED PRIVATE KEY``.
    """
    salt, vector = randomness[:16], randomness[16:]
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, ROUNDS, dklen=32)
    padder = PKCS7(128).padder()
    padded = padder.update(der) + padder.finalize()
    encryptor = Cipher(AES256(key), CBC(vector)).encryptor()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    body = base64.b64encode(
        _element(_SEQUENCE, _algorithm(salt, vector), _element(_OCTETS, encrypted))
    )
    lines = "\n".join(textwrap.wrap(body.decode("ascii"), 64))
    label = "ENCRYPTED PRIVATE KEY"
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode("ascii")


def _algorithm(salt: bytes, vector: bytes) -> bytes:
    rounds = ROUNDS.to_bytes(ROUNDS.bit_length() // 8 + 1, "big")
    function = _element(_SEQUENCE, _HMAC_SHA256, _element(_NULL))
    derivation = _element(
        _SEQUENCE,
        _PBKDF2,
        _element(_SEQUENCE, _element(_OCTETS, salt), _element(_INTEGER, rounds), function),
    )
    cipher = _element(_SEQUENCE, _AES_256_CBC, _element(_OCTETS, vector))
    return _element(_SEQUENCE, _PBES2, _element(_SEQUENCE, derivation, cipher))


def _element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < _SHORT_LENGTH_LIMIT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT_LENGTH_LIMIT | len(length))) + length + content
