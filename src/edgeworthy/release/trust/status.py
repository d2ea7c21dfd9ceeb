"""What a repository says now, as a record for people."""

from __future__ import annotations

from collections.abc import Iterator

from edgeworthy.documents.publication import ReleaseAssignment
from edgeworthy.documents.record import decode_document
from edgeworthy.documents.trust import PublicationStatus, RepositoryStatus, RoleStatus
from edgeworthy.release.trust.assigning import published_releases
from edgeworthy.release.trust.ceremonies import Ceremony
from edgeworthy.release.trust.committing import staged_roles
from edgeworthy.release.trust.files import read_target
from edgeworthy.release.trust.layout import (
    DIRECTOR,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    product_of,
)
from edgeworthy.release.trust.state import State
from edgeworthy.release.trust.tuf_names import Signed


def repository_status(ceremony: Ceremony) -> RepositoryStatus:
    """Read and prove a repository, and say what it offers.

    Raises:
        TrustError: It is not one that the pinned root leads to.
    """
    state = ceremony.state()
    assignments = tuple(_assignments(ceremony, state))
    products = [product for role in sorted(state.targets) if (product := product_of(role))]
    return RepositoryStatus(
        roles=tuple(_roles(ceremony, state)),
        publications=tuple(
            PublicationStatus(
                product=product,
                release_counter=each.release_counter,
                version=each.version,
                manifest=each.manifest,
                size_bytes=each.size_bytes,
                rollback_reason=each.rollback_reason,
                audiences=tuple(
                    sorted(
                        said.audience
                        for said in assignments
                        if (said.product, said.release_counter) == (product, each.release_counter)
                    )
                ),
            )
            for product in products
            for each in published_releases(ceremony, state, product)
        ),
        policies=tuple(
            sorted(
                path.removeprefix("policies/").removesuffix(".json")
                for path in state.targets[TARGETS].targets
            )
        ),
        waiting=tuple(sorted(staged_roles(ceremony.repository, state))),
    )


def _roles(ceremony: Ceremony, state: State) -> Iterator[RoleStatus]:
    top = state.targets[TARGETS]
    signed: dict[str, Signed | None] = {
        ROOT: state.root,
        TIMESTAMP: state.timestamp,
        SNAPSHOT: state.snapshot,
        **state.targets,
    }
    for role, each in signed.items():
        if each is None:
            continue
        delegator = state.root if role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS) else top
        delegated = delegator.get_delegated_role(role)
        yield RoleStatus(
            role=role,
            version=each.version,
            expires_at=each.expires.isoformat(),
            expired=each.is_expired(ceremony.now),
            threshold=delegated.threshold,
            keys=tuple(ceremony.keyring.name_of(key_id) for key_id in delegated.keyids),
        )


def _assignments(ceremony: Ceremony, state: State) -> Iterator[ReleaseAssignment]:
    for path, target in state.targets[DIRECTOR].targets.items():
        data = read_target(ceremony.repository, path, target.hashes["sha256"])
        yield decode_document(data, ReleaseAssignment, where=path)
