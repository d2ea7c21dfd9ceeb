from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import SigningKeyError, StorageError
from edgeworthy.release import (
    Key,
    create_key,
    load_public_key,
    load_signer,
    public_key_file,
    public_key_path,
)

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    """A key pair and its public key; 600,000 rounds are made once."""
    path = tmp_path_factory.mktemp("keys") / "new" / "release"
    return path, create_key(path, PASSPHRASE)


def never_asked() -> bytes:
    pytest.fail("the passphrase was asked for")


def error_of(key: str, folder: Path, passphrase: bytes = PASSPHRASE) -> SigningKeyError:
    with pytest.raises(SigningKeyError) as caught:
        load_signer(key, folder=folder, passphrase=lambda: passphrase)
    assert PASSPHRASE.decode() not in str(caught.value)
    return caught.value


def test_a_key_signs_and_its_public_half_verifies(made: tuple[Path, Key]) -> None:
    path, public = made
    signer = load_signer(path.name, folder=path.parent, passphrase=lambda: PASSPHRASE)
    loaded = load_public_key(public_key_path(path))
    assert signer.public_key == loaded == public
    loaded.verify_signature(signer.sign(b"a model"), b"a model")


@pytest.mark.parametrize("form", ["release", "file:release", "./release"])
def test_a_path_is_relative_to_the_folder(made: tuple[Path, Key], form: str) -> None:
    path, public = made
    signer = load_signer(form, folder=path.parent, passphrase=lambda: PASSPHRASE)
    assert signer.public_key == public


def test_an_absolute_path_and_a_file_uri(made: tuple[Path, Key], tmp_path: Path) -> None:
    path, public = made
    for form in (str(path), f"file://{path}", f"file:{path}"):
        signer = load_signer(form, folder=tmp_path, passphrase=lambda: PASSPHRASE)
        assert signer.public_key == public
        assert public_key_file(form, folder=tmp_path) == public_key_path(path)


def test_only_the_owner_can_read_a_private_key(made: tuple[Path, Key]) -> None:
    path, _ = made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(public_key_path(path).stat().st_mode) == 0o644


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_openssl_reads_both_files(made: tuple[Path, Key], tmp_path: Path) -> None:
    """An independent implementation: OpenSSL decrypts, signs, and verifies with the other file."""
    path, _ = made
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"a model")
    private = ("-inkey", path, "-passin", f"pass:{PASSPHRASE.decode()}")
    openssl("pkeyutl", "-sign", "-rawin", *private, "-in", message, "-out", signature)
    public = ("-pubin", "-inkey", public_key_path(path))
    openssl("pkeyutl", "-verify", "-rawin", *public, "-in", message, "-sigfile", signature)
    signer = load_signer(str(path), folder=tmp_path, passphrase=lambda: PASSPHRASE)
    assert signature.read_bytes().hex() == signer.sign(b"a model").signature


def test_the_passphrase_costs_600000_rounds(made: tuple[Path, Key]) -> None:
    path, _ = made
    listing = openssl("asn1parse", "-in", path)
    assert "PBES2" in listing
    assert "hmacWithSHA256" in listing
    assert "aes-256-cbc" in listing
    assert f":{600_000:06X}" in listing


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    first, second = create_key(tmp_path / "a", b"x"), create_key(tmp_path / "b", b"x")
    assert first.keyid != second.keyid
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("existing", ["key", "key.pub"])
def test_nothing_is_ever_overwritten(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).write_text("precious")
    with pytest.raises(SigningKeyError, match="never overwritten") as caught:
        create_key(tmp_path / "key", PASSPHRASE)
    assert caught.value.where == str(tmp_path / existing)
    assert caught.value.exit_code == 4
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "precious"


def test_a_key_without_a_passphrase_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="never stored without a passphrase"):
        create_key(tmp_path / "key", b"")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space is left"):
        create_key(tmp_path / "key", PASSPHRASE)
    assert not list(tmp_path.iterdir())


def test_a_wrong_passphrase_is_told_apart_from_nothing_but_damage(made: tuple[Path, Key]) -> None:
    path, _ = made
    error = error_of(path.name, path.parent, b"wrong")
    assert "passphrase is wrong" in error.problem
    assert error.exit_code == 4
    assert "wrong" not in error.found


def test_an_empty_passphrase_is_wrong_too(made: tuple[Path, Key]) -> None:
    path, _ = made
    assert "passphrase is wrong" in error_of(path.name, path.parent, b"").problem


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="no such key") as caught:
        load_signer("keys/release", folder=tmp_path, passphrase=never_asked)
    assert caught.value.where == str(tmp_path / "keys" / "release")
    assert "edgeworthy keys create" in caught.value.next_step


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o610])
def test_a_key_that_others_can_read_is_refused(
    made: tuple[Path, Key], tmp_path: Path, mode: int
) -> None:
    (tmp_path / "key").write_bytes(made[0].read_bytes())
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SigningKeyError, match="others can read") as caught:
        load_signer("key", folder=tmp_path, passphrase=never_asked)
    assert caught.value.next_step == f"Run: chmod 600 {tmp_path / 'key'}"


def private_file(folder: Path, data: bytes) -> Path:
    path = folder / "key"
    path.write_bytes(data)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\x00\xff" * 100,
        b"-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
    ],
)
def test_a_file_that_is_no_private_key(tmp_path: Path, data: bytes) -> None:
    private_file(tmp_path, data)
    assert "not a private key" in error_of("key", tmp_path).problem


def test_a_damaged_private_key(made: tuple[Path, Key], tmp_path: Path) -> None:
    data = made[0].read_bytes()
    middle = len(data) // 2
    private_file(tmp_path, data[:middle] + b"!!" + data[middle + 2 :])
    assert "damaged" in error_of("key", tmp_path).problem


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    private_file(tmp_path, b"-----BEGIN ENCRYPTED PRIVATE KEY-----" + b"A" * (1 << 20))
    assert "far too large" in error_of("key", tmp_path).problem


def test_a_folder_in_place_of_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    assert "cannot be read" in error_of("key", tmp_path).problem


def pem_of(
    private: rsa.RSAPrivateKey | x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey,
    *,
    encrypted: bool = True,
) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(PASSPHRASE)
        if encrypted
        else serialization.NoEncryption()
    )
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def public_pem_of(private: x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_key_that_is_not_encrypted_is_refused(tmp_path: Path) -> None:
    private_file(tmp_path, pem_of(ec.generate_private_key(ec.SECP256R1()), encrypted=False))
    error = error_of("key", tmp_path)
    assert "not encrypted" in error.problem
    assert "openssl pkcs8 -topk8" in error.next_step


def test_an_ecdsa_key_of_another_program_signs_too(tmp_path: Path) -> None:
    private_file(tmp_path, pem_of(ec.generate_private_key(ec.SECP256R1())))
    signer = load_signer("key", folder=tmp_path, passphrase=lambda: PASSPHRASE)
    assert signer.public_key.scheme == "ecdsa-sha2-nistp256"
    signer.public_key.verify_signature(signer.sign(b"x"), b"x")


def test_a_key_that_cannot_sign(tmp_path: Path) -> None:
    private_file(tmp_path, pem_of(x25519.X25519PrivateKey.generate()))
    assert "cannot sign releases" in error_of("key", tmp_path).problem


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"{",
        b"{}",
        b'{"keyid":"a","keytype":"rsa","scheme":"none","keyval":{"public":"x"}}',
        b'{"keyid":"a","keytype":"ed25519","scheme":"ed25519","keyval":{}}',
        b'{"keyid":1}',
        public_pem_of(x25519.X25519PrivateKey.generate()),
        public_pem_of(ec.generate_private_key(ec.SECP256K1())),
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_file_that_is_no_public_key(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key.pub").write_bytes(data)
    with pytest.raises(SigningKeyError, match="not a public key") as caught:
        load_public_key(tmp_path / "key.pub")
    assert caught.value.where == str(tmp_path / "key.pub")


def test_a_private_key_in_place_of_a_public_one(made: tuple[Path, Key]) -> None:
    with pytest.raises(SigningKeyError, match="a private key where a public one belongs") as caught:
        load_public_key(made[0])
    assert "release.pub" in caught.value.next_step


def test_a_missing_public_key(tmp_path: Path) -> None:
    with pytest.raises(SigningKeyError, match="no such key"):
        load_public_key(tmp_path / "key.pub")


def test_a_public_key_as_securesystemslib_writes_it(made: tuple[Path, Key], tmp_path: Path) -> None:
    _, public = made
    fields = {"keyid": "the key of the build server", **public.to_dict()}
    (tmp_path / "key.pub").write_bytes(canonical_json(fields))
    loaded = load_public_key(tmp_path / "key.pub")
    assert loaded.keyid == "the key of the build server"
    assert loaded.keyval == public.keyval


@pytest.fixture
def reachable(tmp_path: Path) -> Path:
    """A key behind a URI of securesystemslib: ``file2:``, the only scheme without a device."""
    private = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "plain").write_bytes(pem_of(private, encrypted=False))
    (tmp_path / "edgeworthy.pub").write_bytes(public_pem_of(private))
    return tmp_path


@pytest.mark.parametrize("ending", ["", "#edgeworthy.pub", "#keys/other.pub"])
def test_a_uri_goes_to_securesystemslib(reachable: Path, ending: str) -> None:
    (reachable / "keys").mkdir()
    (reachable / "keys" / "other.pub").write_bytes((reachable / "edgeworthy.pub").read_bytes())
    uri = f"file2:{reachable / 'plain'}{ending}"
    signer = load_signer(uri, folder=reachable, passphrase=never_asked)
    expected = reachable / (ending.removeprefix("#") or "edgeworthy.pub")
    assert public_key_file(uri, folder=reachable) == expected
    load_public_key(expected).verify_signature(signer.sign(b"x"), b"x")


def test_a_uri_whose_public_key_is_another_is_refused(
    reachable: Path, made: tuple[Path, Key]
) -> None:
    (reachable / "edgeworthy.pub").write_bytes(public_key_path(made[0]).read_bytes())
    error = error_of(f"file2:{reachable / 'plain'}", reachable)
    assert "the key cannot be reached" in error.problem


def test_a_uri_without_its_public_key(tmp_path: Path) -> None:
    error = error_of("awskms:alias/release", tmp_path)
    assert error.where == str(tmp_path / "edgeworthy.pub")


@pytest.mark.parametrize("uri", ["hsm:2", "awskms:alias/x", "gcpkms:projects/x", "azurekms:x/y/z"])
def test_a_device_that_is_not_there(reachable: Path, uri: str) -> None:
    error = error_of(uri, reachable)
    assert "the key cannot be reached" in error.problem
    assert error.where == uri


def test_an_unknown_scheme_lists_those_that_exist(tmp_path: Path) -> None:
    error = error_of("floppy:a", tmp_path)
    assert "unknown kind of key" in error.problem
    assert "awskms:" in error.expected
    assert "hsm:" in error.expected


def test_a_file_name_with_a_colon_is_still_a_file(made: tuple[Path, Key], tmp_path: Path) -> None:
    path = tmp_path / "release:2026"
    path.write_bytes(made[0].read_bytes())
    path.chmod(0o600)
    signer = load_signer(path.name, folder=tmp_path, passphrase=lambda: PASSPHRASE)
    assert signer.public_key == made[1]
