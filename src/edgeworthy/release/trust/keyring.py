"""The keys at hand: a folder in which each file is named after the role that it signs for.

Rules:

1. ``ROLE.pub`` or ``ROLE.NUMBER.pub`` is a public key of a role (``root.1.pub``,
   ``timestamp.pub``, ``product-keywords.pub``); the private key beside it, when there is one,
   signs. Nothing is decrypted before it has something to sign.
2. A key held elsewhere is a file ``ROLE.uri`` with a securesystemslib URI; ``ROLE.pub`` beside it
   is its public half.
3. ``trusted-root.json`` is the root that everything here was begun with. A repository is believed
   from there on and from nowhere else: whoever can write to the repository's folder must not be
   able to have anything signed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edgeworthy.errors import SigningKeyError
from edgeworthy.files import write_whole
from edgeworthy.release.key_creation import create_key
from edgeworthy.release.keys import load_public_key, load_signer
from edgeworthy.release.signers import Key, Signer

TRUSTED_ROOT_NAME = "trusted-root.json"
_STEM = re.compile(r"(?P<role>[A-Za-z0-9_-]+)(\.(?P<number>[0-9]+))?")


@dataclass(frozen=True)
class HeldKey:
    """A public key of a role, and the way to its private half.

    Attributes:
        name: The file's stem, for people.
        role: What it signs for.
        public: The public key.
        private: The path or URI of the private half; absent when it is held elsewhere.
    """

    name: str
    role: str
    public: Key
    private: str | None


@dataclass(frozen=True)
class Keyring:
    """A folder of keys.

    Attributes:
        folder: Where it lies.
        held: Every key, sorted by name.
        passphrase: Asked for the secret of private keys.
    """

    folder: Path
    held: tuple[HeldKey, ...]
    passphrase: Callable[[], bytes]
    _signers: dict[str, Signer] = field(default_factory=dict, compare=False, repr=False)

    def public_keys(self, role: str) -> tuple[Key, ...]:
        """The public keys of a role."""
        return tuple(each.public for each in self.held if each.role == role)

    def name_of(self, key_id: str) -> str:
        """What the files call a key; its id where no file does."""
        names = [each.name for each in self.held if each.public.keyid == key_id]
        return names[0] if names else key_id[:16]

    def signers(self, key_ids: Iterable[str]) -> tuple[Signer, ...]:
        """Those of some keys whose private halves are at hand.

        Raises:
            SigningKeyError: A private key cannot be read or decrypted.
        """
        wanted = set(key_ids)
        found = {
            each.public.keyid: each
            for each in self.held
            if each.private is not None and each.public.keyid in wanted
        }
        return tuple(self._signer(found[key_id]) for key_id in sorted(found))

    def trusted_root(self) -> bytes:
        """The root that the repository is believed from.

        Raises:
            SigningKeyError: There is none.
        """
        path = self.folder / TRUSTED_ROOT_NAME
        try:
            return path.read_bytes()
        except OSError as error:
            raise SigningKeyError(
                "the root that this repository was begun with is not here",
                where=str(path),
                next_step="Copy it from the machine that ran `edgeworthy trust init`",
            ) from error

    def pin_root(self, data: bytes) -> None:
        """Remember the root that everything begins with."""
        write_whole(self.folder / TRUSTED_ROOT_NAME, data)

    def _signer(self, key: HeldKey) -> Signer:
        key_id = key.public.keyid
        if key_id not in self._signers:
            signer = load_signer(key.private or "", folder=self.folder, passphrase=self.passphrase)
            if signer.public_key.keyid != key_id:
                raise SigningKeyError(
                    "the private key is not the other half of the public one",
                    expected=key_id[:16],
                    found=signer.public_key.keyid[:16],
                    where=str(self.folder / key.name),
                )
            self._signers[key_id] = signer
        return self._signers[key_id]


def open_keyring(folder: Path, passphrase: Callable[[], bytes]) -> Keyring:
    """Read the public keys of a folder.

    Raises:
        SigningKeyError: The folder or one of its public keys cannot be read.
    """
    if not folder.is_dir():
        raise SigningKeyError(
            "no folder with keys here",
            where=str(folder),
            next_step="Name it with --keys, or use `edgeworthy trust init --create-keys`",
        )
    held = []
    for path in sorted(folder.glob("*.pub")):
        match = _STEM.fullmatch(path.stem)
        if match is not None:
            held.append(HeldKey(path.stem, match["role"], load_public_key(path), _private_of(path)))
    return Keyring(folder, tuple(held), passphrase)


def create_missing_keys(folder: Path, counts: dict[str, int], passphrase: bytes) -> tuple[str, ...]:
    """Make a key pair for every role that has none.

    Args:
        folder: Where they go.
        counts: How many keys a role is to have.
        passphrase: What the new private keys are encrypted with.

    Returns:
        The names of the new keys.
    """
    made = []
    for role, count in counts.items():
        if any(folder.glob(f"{role}.pub")) or any(folder.glob(f"{role}.*.pub")):
            continue
        names = [role] if count == 1 else [f"{role}.{number + 1}" for number in range(count)]
        for name in names:
            create_key(folder / name, passphrase)
            made.append(name)
    return tuple(made)


def _private_of(public: Path) -> str | None:
    stem = public.with_suffix("")
    uri = stem.with_name(f"{stem.name}.uri")
    if uri.is_file():
        return f"{uri.read_text(encoding='utf-8').strip()}#{public.name}"
    return stem.name if stem.is_file() else None
