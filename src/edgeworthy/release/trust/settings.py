"""How long each role's signature counts, and how many keys must agree.

Rules:

1. The settings of a repository travel in its root, signed, so that every machine that signs
   finds the same ones.
2. A lifetime is chosen by who must act before it ends: an online role is signed again by a timer,
   an offline one by a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from edgeworthy.errors import TrustError
from edgeworthy.release.trust.layout import DIRECTOR, LIFETIMES_FIELD, ROOT, SNAPSHOT, TIMESTAMP
from edgeworthy.release.trust.tuf_names import Root


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """Days until a signature expires.

    Attributes:
        root: Of the root role.
        targets: Of the targets role and of the products.
        director: Of the director.
        snapshot: Of the snapshot.
        timestamp: Of the timestamp: how long an old state can be passed off as the newest.
    """

    root: int = 730
    targets: int = 365
    director: int = 30
    snapshot: int = 30
    timestamp: int = 7

    def expiry(self, role: str, now: datetime) -> datetime:
        """When something that is signed now stops counting (whole seconds, as TUF wants)."""
        days = {
            ROOT: self.root,
            DIRECTOR: self.director,
            SNAPSHOT: self.snapshot,
            TIMESTAMP: self.timestamp,
        }.get(role, self.targets)
        return now.replace(microsecond=0) + timedelta(days=days)


@dataclass(frozen=True, kw_only=True)
class TrustSettings:
    """What a repository begins with.

    Attributes:
        root_threshold: How many root keys must agree.
        targets_threshold: How many targets keys must agree.
        product_threshold: How many keys of a product must agree.
        lifetimes: How long signatures count.
    """

    root_threshold: int = 2
    targets_threshold: int = 1
    product_threshold: int = 1
    lifetimes: Lifetimes = field(default_factory=Lifetimes)


def lifetimes_of(root: Root) -> Lifetimes:
    """The lifetimes that a root states; the defaults where it states none.

    Raises:
        TrustError: They are malformed.
    """
    stated = root.unrecognized_fields.get(LIFETIMES_FIELD, {})
    try:
        return msgspec.convert(stated, type=Lifetimes)
    except msgspec.ValidationError as error:
        raise TrustError(f"malformed lifetimes in root: {error}") from error
