"""Which variant of a proven release runs here.

Rules:

1. Only variants that keep the device's policy are looked at, in the order of the release.
2. One that was made for this very class of CPU goes before one for any.
3. One whose measured memory does not fit into what a worker may take here is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.agent.identity import Identity
from edgeworthy.documents.agent import Slot
from edgeworthy.documents.publication import PublishedBlob, PublishedRelease
from edgeworthy.documents.release import ReleasedVariant
from edgeworthy.errors import VerificationError
from edgeworthy.release.verified import VerifiedRelease

_BYTES_PER_MIB = 1 << 20


def choose_variant(
    verified: VerifiedRelease,
    accepted: Sequence[str],
    identity: Identity,
    memory_limit_mib: int = 0,
) -> ReleasedVariant:
    """The variant for this device.

    Args:
        verified: The release.
        accepted: Names of the variants that keep the policy.
        identity: This device.
        memory_limit_mib: What a worker may take; 0 for what the machine has.

    Raises:
        VerificationError: None fits; the message says why.
    """
    ours = identity.host.instruction_set
    kept = [each for each in verified.manifest.variants if each.name in accepted]
    ordered = sorted(kept, key=lambda variant: ours not in variant.instruction_sets)
    limit_mib = memory_limit_mib or identity.host.memory_bytes // _BYTES_PER_MIB
    needs = {each.name: _memory_mib(verified, each) for each in ordered}
    for variant in ordered:
        need = needs[variant.name]
        if need is None or not limit_mib or need <= limit_mib:
            return variant
    raise VerificationError(
        "no variant of the release fits this device",
        expected=f"at most {limit_mib} MiB of memory on {ours}",
        found=", ".join(f"{name} {need:.0f} MiB" for name, need in needs.items() if need)
        or "no variant that keeps the policy",
    )


def slot_of(verified: VerifiedRelease, release: PublishedRelease, variant: ReleasedVariant) -> Slot:
    """The release as it will stand in the store, with every file that loading it touches."""
    sizes = {each.digest: each.size_bytes for each in release.blobs}
    others = {
        each.artifact for each in verified.manifest.variants if each.artifact != variant.artifact
    }
    layers = [each.digest for each in verified.blobs if each.digest not in others]
    needed = dict.fromkeys((release.entry, release.manifest, *layers))
    return Slot(
        product=release.product,
        version=release.version,
        release_counter=release.release_counter,
        entry=release.entry,
        manifest=release.manifest,
        variant=variant.name,
        artifact=variant.artifact,
        files=tuple(PublishedBlob(digest=each, size_bytes=sizes[each]) for each in needed),
    )


def _memory_mib(verified: VerifiedRelease, variant: ReleasedVariant) -> float | None:
    """The largest memory that was measured with it; absent when none was."""
    measured = [
        each.peak_memory_mib.value
        for each in verified.measurements
        if each.artifact == variant.artifact and each.peak_memory_mib is not None
    ]
    return max(measured, default=None)
