"""The director: which of the published releases a ring or a device is to run.

Rules:

1. The director chooses; it never makes. An assignment names a release that the product's offline
   key vouches for, by number and by digest, and a device follows it only when both agree.
2. An assignment says whom it is for, so it means nothing to anybody else.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.publication import PublishedRelease, ReleaseAssignment
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import UsageError
from edgeworthy.release.trust.ceremonies import Ceremony
from edgeworthy.release.trust.committing import Draft, Outcome, commit
from edgeworthy.release.trust.files import read_target, write_target, writing
from edgeworthy.release.trust.layout import (
    DIRECTOR,
    assignment_path,
    product_role,
    release_path,
)
from edgeworthy.release.trust.state import State
from edgeworthy.release.trust.tuf_names import TargetFile, Targets


def assign_release(
    ceremony: Ceremony, product: str, release_counter: int, audiences: Sequence[str]
) -> Outcome:
    """Assign a published release to rings and devices.

    Args:
        ceremony: Where; the keyring holds the director's key.
        product: Name of the product.
        release_counter: Which publication.
        audiences: ``rings/NAME`` or ``devices/NAME``.

    Raises:
        UsageError: There is no such publication.
    """
    with writing(ceremony.repository):
        state = ceremony.state()
        path = release_path(product, release_counter)
        target = state.copy_of(product_role(product)).targets.get(path)
        if target is None:
            raise UsageError(
                f"{product} has no publication {release_counter}",
                next_step="`edgeworthy trust status` lists what there is",
            )
        read_target(ceremony.repository, path, target.hashes["sha256"])
        draft = Draft(targets={DIRECTOR: assigned(ceremony, state, product, target, audiences)})
        return commit(ceremony.repository, state, draft, ceremony.keyring, ceremony.now)


def assigned(
    ceremony: Ceremony,
    state: State,
    product: str,
    release: TargetFile,
    audiences: Sequence[str],
) -> Targets:
    """The director's role with some audiences assigned to a release; writes the documents."""
    director = state.copy_of(DIRECTOR)
    counter = int(release.path.rpartition("/")[2].removesuffix(".json"))
    for audience in audiences:
        path = assignment_path(product, audience)
        data = encode_document(
            ReleaseAssignment(
                audience=audience,
                product=product,
                release_counter=counter,
                release=f"sha256:{release.hashes['sha256']}",
                assigned_at=ceremony.now.isoformat(timespec="seconds"),
            )
        )
        write_target(ceremony.repository, path, data)
        director.targets[path] = TargetFile.from_data(path, data, ["sha256"])
    return director


def published_releases(
    ceremony: Ceremony, state: State, product: str
) -> tuple[PublishedRelease, ...]:
    """Every publication of a product, oldest first."""
    role = state.targets[product_role(product)]
    found = [
        decode_document(
            read_target(ceremony.repository, path, target.hashes["sha256"]),
            PublishedRelease,
            where=path,
        )
        for path, target in role.targets.items()
    ]
    return tuple(sorted(found, key=lambda each: each.release_counter))
