"""What people with keys do together: begin a repository, exchange keys, take them away, renew.

Rules:

1. A ceremony needs no more than the public keys and whichever private keys are at hand; when they
   are not enough, the rest is signed elsewhere and nothing is published before.
2. Root and targets are for offline keys; snapshot, timestamp and director for online ones. No key
   serves both an offline and an online role.
3. A role never has fewer keys than its threshold.
4. When a role gets other keys, everything that it signs is signed again in the same publication.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.documents.record import encode_document
from edgeworthy.errors import TrustError, UsageError
from edgeworthy.release.signers import Key
from edgeworthy.release.trust.committing import Draft, Outcome, commit, finish, staged_roles
from edgeworthy.release.trust.files import write_target, writing
from edgeworthy.release.trust.keyring import Keyring
from edgeworthy.release.trust.layout import (
    DIRECTOR,
    DIRECTOR_PATHS,
    LIFETIMES_FIELD,
    METADATA_FOLDER,
    ROOT,
    SNAPSHOT,
    STAGED_FOLDER,
    TARGETS,
    TIMESTAMP,
    TOP_LEVEL,
    policy_path,
    product_paths,
    product_role,
    release_path,
)
from edgeworthy.release.trust.settings import TrustSettings
from edgeworthy.release.trust.state import State, delegated_roles, load_state
from edgeworthy.release.trust.tuf_names import DelegatedRole, Delegations, Root, TargetFile, Targets

_OFFLINE = (ROOT, TARGETS)


@dataclass(frozen=True)
class Ceremony:
    """Where a ceremony takes place.

    Attributes:
        repository: The folder.
        keyring: The keys at hand.
        now: With a time zone.
    """

    repository: Path
    keyring: Keyring
    now: datetime

    def state(self) -> State:
        """What the repository says now.

        Raises:
            TrustError: There is no repository, or not the one that the pinned root leads to.
        """
        if not (self.repository / METADATA_FOLDER / "timestamp.json").is_file():
            raise TrustError(
                "no repository here yet",
                where=str(self.repository),
                next_step="Begin one with `edgeworthy trust init`",
            )
        return load_state(self.repository, self.keyring.trusted_root())


def init_repository(
    ceremony: Ceremony, products: Sequence[str], settings: TrustSettings
) -> Outcome:
    """Begin a repository.

    Args:
        ceremony: Where; the keyring holds a public key for every role.
        products: Products to delegate to from the start.
        settings: Thresholds and lifetimes.

    Raises:
        UsageError: There is a repository already, a role has too few keys, or a key would serve
            both an offline and an online role.
    """
    if (ceremony.repository / METADATA_FOLDER).exists() or _has_staged(ceremony.repository):
        raise UsageError(
            "there is a repository already",
            where=str(ceremony.repository),
            next_step="Change it with `edgeworthy trust rotate`, or choose another folder",
        )
    root, targets = _new_roles(ceremony.keyring, products, settings)
    with writing(ceremony.repository):
        outcome = commit(
            ceremony.repository, None, Draft(root, targets), ceremony.keyring, ceremony.now
        )
    if outcome.published:
        _pin_first_root(ceremony)
    return outcome


def sign_staged(ceremony: Ceremony) -> Outcome:
    """Add our signatures to what waits for them, and publish it when that is enough.

    Raises:
        UsageError: Nothing waits.
    """
    begun = (ceremony.repository / METADATA_FOLDER / "timestamp.json").is_file()
    with writing(ceremony.repository):
        state = ceremony.state() if begun else None
        waiting = staged_roles(ceremony.repository, state)
        if not waiting:
            raise UsageError("nothing waits for signatures", where=str(ceremony.repository))
        outcome = finish(ceremony.repository, state, waiting, ceremony.keyring, ceremony.now)
    if outcome.published and not begun:
        _pin_first_root(ceremony)
    return outcome


def delegate_product(ceremony: Ceremony, product: str, threshold: int = 1) -> Outcome:
    """Let the keys ``product-NAME*.pub`` vouch for a product.

    Raises:
        UsageError: The product exists, or has too few keys.
    """
    role = product_role(product)
    with writing(ceremony.repository):
        state = ceremony.state()
        if role in state.targets:
            raise UsageError(
                f"the product {product} exists",
                next_step=f"Exchange its keys with `edgeworthy trust rotate REPOSITORY {role}`",
            )
        targets = state.copy_of(TARGETS)
        keys = _keys_of(ceremony.keyring, role, threshold)
        _delegate(targets, role, product_paths(product), keys, threshold)
        draft = Draft(targets={TARGETS: targets, role: Targets()})
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def rotate_role(
    ceremony: Ceremony, role: str, keys: Sequence[Key], threshold: int | None = None
) -> Outcome:
    """Give a role other keys, and sign again what it vouches for.

    Args:
        ceremony: Where.
        role: For example ``timestamp``, ``director``, ``product-keywords``.
        keys: All keys that it has from now on.
        threshold: How many must agree; as before when absent.

    Raises:
        UsageError: Fewer keys than the threshold, or a key of an offline role for an online one.
        TrustError: There is no such role.
    """
    with writing(ceremony.repository):
        state = ceremony.state()
        draft = _with_keys(state, role, keys, threshold)
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def revoke_key(ceremony: Ceremony, key_id: str) -> Outcome:
    """Take a key away from every role that has it.

    Args:
        ceremony: Where.
        key_id: The key's id, or enough of its beginning.

    Raises:
        UsageError: No role has such a key, or a role would keep fewer keys than its threshold.
    """
    with writing(ceremony.repository):
        state = ceremony.state()
        draft = Draft()
        for role, keys in _keys_by_role(state).items():
            kept = [key for key in keys if not key.keyid.startswith(key_id)]
            if len(kept) < len(keys):
                changed = _applied(state, draft)
                draft = _merged(draft, _with_keys(changed, role, kept, None))
        if draft == Draft():
            raise UsageError("no role has this key", found=key_id[:64])
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def refresh_repository(ceremony: Ceremony, roles: Sequence[str] = ()) -> Outcome:
    """Sign again before it expires: snapshot and timestamp, and the roles that are named."""
    with writing(ceremony.repository):
        state = ceremony.state()
        root = copy.deepcopy(state.root) if ROOT in roles else None
        online = (SNAPSHOT, TIMESTAMP)
        targets = {each: state.copy_of(each) for each in roles if each not in (ROOT, *online)}
        draft = Draft(root, targets)
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def withdraw_release(ceremony: Ceremony, product: str, release_counter: int) -> Outcome:
    """Offer a publication no longer, neither to new devices nor to a director that would choose it.

    Devices that run it go on running it; the counter is not used again.

    Raises:
        UsageError: There is no such publication.
    """
    role = product_role(product)
    with writing(ceremony.repository):
        state = ceremony.state()
        targets = state.copy_of(role)
        path = release_path(product, release_counter)
        if targets.targets.pop(path, None) is None:
            raise UsageError(
                f"{product} has no publication {release_counter}",
                next_step="`edgeworthy trust status` lists what there is",
            )
        draft = Draft(targets={role: targets})
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def publish_policy(ceremony: Ceremony, policy: DevicePolicy) -> Outcome:
    """Have the targets role vouch for what a class of devices demands."""
    data = encode_document(policy)
    path = policy_path(policy.name)
    with writing(ceremony.repository):
        state = ceremony.state()
        targets = state.copy_of(TARGETS)
        targets.targets[path] = TargetFile.from_data(path, data, ["sha256"])
        write_target(ceremony.repository, path, data)
        draft = Draft(targets={TARGETS: targets})
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def _has_staged(repository: Path) -> bool:
    return any((repository / STAGED_FOLDER).glob("*.json"))


def _pin_first_root(ceremony: Ceremony) -> None:
    ceremony.keyring.pin_root((ceremony.repository / METADATA_FOLDER / "1.root.json").read_bytes())


def _new_roles(
    keyring: Keyring, products: Sequence[str], settings: TrustSettings
) -> tuple[Root, Mapping[str, Targets]]:
    thresholds = {ROOT: settings.root_threshold, TARGETS: settings.targets_threshold}
    root = Root(consistent_snapshot=True)
    root.unrecognized_fields[LIFETIMES_FIELD] = msgspec.to_builtins(settings.lifetimes)
    for role in TOP_LEVEL:
        threshold = thresholds.get(role, 1)
        root.roles[role].threshold = threshold
        for key in _keys_of(keyring, role, threshold):
            root.add_key(key, role)
    top = Targets()
    _delegate(top, DIRECTOR, DIRECTOR_PATHS, _keys_of(keyring, DIRECTOR, 1), 1)
    made = {TARGETS: top, DIRECTOR: Targets()}
    for product in products:
        role = product_role(product)
        keys = _keys_of(keyring, role, settings.product_threshold)
        _delegate(top, role, product_paths(product), keys, settings.product_threshold)
        made[role] = Targets()
    _check_separation(root, top)
    return root, made


def _delegate(
    targets: Targets, role: str, paths: Sequence[str], keys: Sequence[Key], threshold: int
) -> None:
    if targets.delegations is None:
        targets.delegations = Delegations({}, {})
    if targets.delegations.roles is None:
        raise TrustError("delegations of a kind that we do not write")
    targets.delegations.roles[role] = DelegatedRole(
        role, [], threshold, terminating=True, paths=list(paths)
    )
    for key in keys:
        targets.add_key(key, role)


def _keys_of(keyring: Keyring, role: str, threshold: int) -> tuple[Key, ...]:
    keys = keyring.public_keys(role)
    _check_enough(role, keys, threshold)
    return keys


def _check_enough(role: str, keys: Sequence[Key], threshold: int) -> None:
    if threshold < 1 or len({key.keyid for key in keys}) < threshold:
        raise UsageError(
            f"the role {role} has too few keys",
            expected=f"at least {max(threshold, 1)}",
            found=str(len(keys)),
            next_step=f"Make `{role}.pub` with `edgeworthy keys create`, or use --create-keys",
        )


def _with_keys(state: State, role: str, keys: Sequence[Key], threshold: int | None) -> Draft:
    if role in TOP_LEVEL:
        root = copy.deepcopy(state.root)
        wanted = threshold or root.roles[role].threshold
        _check_enough(role, keys, wanted)
        for key_id in list(root.roles[role].keyids):
            root.revoke_key(key_id, role)
        for key in keys:
            root.add_key(key, role)
        root.roles[role].threshold = wanted
        _check_separation(root, state.targets[TARGETS])
        again = {TARGETS: state.copy_of(TARGETS)} if role == TARGETS else {}
        return Draft(root, again)
    again = {TARGETS: state.copy_of(TARGETS), role: state.copy_of(role)}
    delegated = delegated_roles(again[TARGETS])[role]
    wanted = threshold or delegated.threshold
    _check_enough(role, keys, wanted)
    for key_id in list(delegated.keyids):
        again[TARGETS].revoke_key(key_id, role)
    for key in keys:
        again[TARGETS].add_key(key, role)
    delegated.threshold = wanted
    _check_separation(state.root, again[TARGETS])
    return Draft(targets=again)


def _keys_by_role(state: State) -> dict[str, list[Key]]:
    found = {
        role: [state.root.keys[key_id] for key_id in state.root.roles[role].keyids]
        for role in TOP_LEVEL
    }
    top = state.targets[TARGETS]
    for role, delegated in delegated_roles(top).items():
        found[role] = [top.get_key(key_id) for key_id in delegated.keyids]
    return found


def _check_separation(root: Root, targets: Targets) -> None:
    """Rule 2."""
    offline = {key_id for role in _OFFLINE for key_id in root.roles[role].keyids}
    online = {key_id for role in (SNAPSHOT, TIMESTAMP) for key_id in root.roles[role].keyids}
    for role, delegated in delegated_roles(targets).items():
        (online if role == DIRECTOR else offline).update(delegated.keyids)
    if both := offline & online:
        raise UsageError(
            "a key would serve both an offline and an online role",
            found=", ".join(sorted(key_id[:16] for key_id in both)),
            next_step="Make a key for each side; a stolen server has the online one",
        )


def _applied(state: State, draft: Draft) -> State:
    root = draft.root or state.root
    targets = {**state.targets, **draft.targets}
    return State(
        root, state.root_data, state.timestamp, state.snapshot, targets, state.targets_data
    )


def _merged(first: Draft, second: Draft) -> Draft:
    return Draft(second.root or first.root, {**first.targets, **second.targets})
