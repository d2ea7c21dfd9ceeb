"""A TUF repository made from releases: plain files, offline keys, and a director that only chooses.

The doors open on first use: a device needs the names in :mod:`edgeworthy.release.trust.layout`
and nothing else of this room.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeworthy.release.trust.assigning import assign_release
    from edgeworthy.release.trust.ceremonies import (
        Ceremony,
        delegate_product,
        init_repository,
        publish_policy,
        refresh_repository,
        revoke_key,
        rotate_role,
        sign_staged,
        withdraw_release,
    )
    from edgeworthy.release.trust.committing import Outcome
    from edgeworthy.release.trust.keyring import Keyring, open_keyring
    from edgeworthy.release.trust.publishing import Publication, publish_release
    from edgeworthy.release.trust.settings import TrustSettings
    from edgeworthy.release.trust.status import repository_status

_ROOM_OF = {
    "Ceremony": "ceremonies",
    "Keyring": "keyring",
    "Outcome": "committing",
    "Publication": "publishing",
    "TrustSettings": "settings",
    "assign_release": "assigning",
    "delegate_product": "ceremonies",
    "init_repository": "ceremonies",
    "open_keyring": "keyring",
    "publish_policy": "ceremonies",
    "publish_release": "publishing",
    "refresh_repository": "ceremonies",
    "repository_status": "status",
    "revoke_key": "ceremonies",
    "rotate_role": "ceremonies",
    "sign_staged": "ceremonies",
    "withdraw_release": "ceremonies",
}

__all__ = [
    "Ceremony",
    "Keyring",
    "Outcome",
    "Publication",
    "TrustSettings",
    "assign_release",
    "delegate_product",
    "init_repository",
    "open_keyring",
    "publish_policy",
    "publish_release",
    "refresh_repository",
    "repository_status",
    "revoke_key",
    "rotate_role",
    "sign_staged",
    "withdraw_release",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
