"""How a device comes to know whom it follows.

Rules:

1. Trust begins with the root that comes by a safe way, never with what a repository says of itself.
2. Settings are written last: a device whose enrolment was cut off is not enrolled.
3. An enrolled device is not enrolled over: that would be a way to take it over.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tuf.api.exceptions import RepositoryError
from tuf.api.serialization import DeserializationError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType

from edgeworthy.agent.chain import with_entry
from edgeworthy.agent.events import Moment
from edgeworthy.agent.history import settle_history
from edgeworthy.agent.identity import identify
from edgeworthy.agent.sources import source_of
from edgeworthy.agent.store import Store
from edgeworthy.documents.agent import AgentSettings
from edgeworthy.errors import InputError, TrustError, UsageError
from edgeworthy.files import write_whole
from edgeworthy.release.trust.layout import assignment_path, policy_path


def enroll(store: Store, settings: AgentSettings, root: bytes) -> None:
    """Enroll a device.

    Args:
        store: Its store; made when it is not there.
        settings: Who it is.
        root: The trusted root of its repository.

    Raises:
        UsageError: It is enrolled already.
        InputError: A setting is malformed.
        TrustError: The root is not one.
        StorageError: The disk is full, read-only or forbidden.
    """
    if (store.folder / "settings.json").exists():
        raise UsageError(
            "this device is enrolled already",
            where=str(store.folder),
            next_step="Remove the store to begin anew; what runs there is lost with it",
        )
    _check(settings, root)
    write_whole(store.trust / "root.json", root)
    identity = identify()
    now = Moment(
        own_clock=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        signed_time="",
        boot=identity.boot,
        fingerprint=identity.fingerprint,
    )
    reason = f"{settings.device} follows {settings.product} in ring {settings.ring}"
    with store.alone():
        state = with_entry(store.state(), now, "enrolled", None, reason)
        store.write_state(state)
        settle_history(store.history_file, state)
        store.write_settings(settings)


def _check(settings: AgentSettings, root: bytes) -> None:
    assignment_path(settings.product, f"devices/{settings.device}")
    assignment_path(settings.product, f"rings/{settings.ring}")
    policy_path(settings.policy)
    for place in settings.repositories:
        source_of(place)
    if not settings.repositories:
        raise InputError("a device needs a repository", next_step="Name one with --repository")
    try:
        TrustedMetadataSet(root, EnvelopeType.METADATA)
    except (RepositoryError, DeserializationError, ValueError) as error:
        raise TrustError(
            f"not a trusted root: {error}",
            next_step="Use trust-keys/trusted-root.json of whoever keeps the repository",
        ) from error
