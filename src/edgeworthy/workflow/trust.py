"""Repositories for the command line: keys found, the clock read, the room below told what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.device_policy import DevicePolicy, PolicySigner
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.documents.record import document_fields
from edgeworthy.documents.trust import RepositoryStatus
from edgeworthy.errors import InputError, UsageError

if TYPE_CHECKING:
    from edgeworthy.release.trust import Ceremony, Outcome, TrustSettings

#: How many keys `trust init --create-keys` makes for a role.
KEYS_TO_CREATE = {"root": 3, "targets": 1, "snapshot": 1, "timestamp": 1, "director": 1}


class TrustedRepository:
    """A repository and the keys at hand.

    Args:
        repository: Its folder.
        keys: The folder with keys, each named after its role.
        passphrase: Asked for the secret of private keys, at most once.
    """

    def __init__(self, repository: Path, keys: Path, passphrase: Callable[[], bytes]) -> None:
        self.repository = repository
        self.keys = keys
        self._ask = passphrase
        self._known: bytes | None = None

    def create_keys(self, products: Sequence[str]) -> tuple[str, ...]:
        """Make a key for every role that has none; returns their names."""
        from edgeworthy.release.trust.keyring import create_missing_keys
        from edgeworthy.release.trust.layout import product_role

        counts = {**KEYS_TO_CREATE, **{product_role(each): 1 for each in products}}
        return create_missing_keys(self.keys, counts, self._passphrase())

    def init(self, products: Sequence[str], settings: TrustSettings) -> Outcome:
        """Begin the repository."""
        from edgeworthy.release.trust import init_repository

        return init_repository(self._ceremony(), products, settings)

    def delegate(self, product: str, threshold: int) -> Outcome:
        """Add a product."""
        from edgeworthy.release.trust import delegate_product

        return delegate_product(self._ceremony(), product, threshold)

    def rotate(self, role: str, public_keys: Sequence[Path], threshold: int | None) -> Outcome:
        """Give a role other keys."""
        from edgeworthy.release import load_public_key
        from edgeworthy.release.trust import rotate_role

        keys = [load_public_key(path) for path in public_keys]
        return rotate_role(self._ceremony(), role, keys, threshold)

    def revoke(self, key: str) -> Outcome:
        """Take away a key, named by its file or by its id."""
        from edgeworthy.release import load_public_key
        from edgeworthy.release.trust import revoke_key

        path = Path(key)
        key_id = load_public_key(path).keyid if path.is_file() else key
        if len(key_id) < _SHORTEST_KEY_ID:
            raise UsageError(
                "too short for a key id",
                expected=f"a file, or at least {_SHORTEST_KEY_ID} digits",
                found=key,
            )
        return revoke_key(self._ceremony(), key_id)

    def sign(self) -> Outcome:
        """Add our signatures to what waits for them."""
        from edgeworthy.release.trust import sign_staged

        return sign_staged(self._ceremony())

    def refresh(self, roles: Sequence[str]) -> Outcome:
        """Sign again before it expires."""
        from edgeworthy.release.trust import refresh_repository

        return refresh_repository(self._ceremony(), roles)

    def policy(self, file: Path, signers: Sequence[Path]) -> Outcome:
        """Publish a device policy; the signers are public key files."""
        from edgeworthy.release.trust import publish_policy

        read = read_policy(file, signers)
        return publish_policy(self._ceremony(), read)

    def assign(self, product: str, release_counter: int, audiences: Sequence[str]) -> Outcome:
        """Assign a publication."""
        from edgeworthy.release.trust import assign_release

        return assign_release(self._ceremony(), product, release_counter, audiences)

    def withdraw(self, product: str, release_counter: int) -> Outcome:
        """Offer a publication no longer."""
        from edgeworthy.release.trust import withdraw_release

        return withdraw_release(self._ceremony(), product, release_counter)

    def publish(
        self, release: Path, signers: Sequence[Path], audiences: Sequence[str], rollback: str
    ) -> tuple[PublishedRelease, Outcome]:
        """Offer a release."""
        from edgeworthy.release import load_public_key
        from edgeworthy.release.trust import Publication, publish_release

        return publish_release(
            self._ceremony(),
            Publication(
                folder=release,
                public_keys=[load_public_key(path) for path in signers],
                audiences=tuple(audiences),
                rollback_reason=rollback,
            ),
        )

    def status(self) -> RepositoryStatus:
        """What the repository says now."""
        from edgeworthy.release.trust import repository_status

        return repository_status(self._ceremony())

    def _ceremony(self) -> Ceremony:
        from edgeworthy.release.trust import Ceremony, open_keyring

        return Ceremony(
            self.repository, open_keyring(self.keys, self._passphrase), datetime.now(UTC)
        )

    def _passphrase(self) -> bytes:
        if self._known is None:
            self._known = self._ask()
        return self._known


_SHORTEST_KEY_ID = 8


def read_policy(file: Path, signers: Sequence[Path]) -> DevicePolicy:
    """Read a device policy from TOML.

    Args:
        file: The policy; ``signers`` may be left out of it.
        signers: Public key files that are added to its signers.

    Raises:
        InputError: It cannot be read, or is not a valid policy.
        SigningKeyError: A public key cannot be read.
    """
    import msgspec

    from edgeworthy.release import load_public_key

    added = []
    for path in signers:
        key = load_public_key(path)
        added.append(
            PolicySigner(
                key_id=key.keyid,
                key_type=key.keytype,
                scheme=key.scheme,
                public=str(key.keyval["public"]),
            )
        )
    try:
        raw = msgspec.toml.decode(file.read_bytes())
        raw["signers"] = [*raw.get("signers", []), *msgspec.to_builtins(added)]
        policy = msgspec.convert(raw, type=DevicePolicy)
    except OSError as error:
        raise InputError(f"the policy cannot be read: {error.strerror}", where=str(file)) from error
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise InputError(f"not a valid device policy: {error}", where=str(file)) from error
    unknown = raw.keys() - document_fields(policy).keys()
    if unknown:
        raise InputError(
            "unknown keys in a device policy",
            expected=", ".join(sorted(document_fields(policy).keys() - {"kind", "schema_version"})),
            found=", ".join(sorted(unknown)),
            where=str(file),
        )
    return policy
