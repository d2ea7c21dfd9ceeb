"""Which variant of a proven release runs here.

Rules:

1. The signed rule of the release decides: of its lines the first that fits.
2. A line fits when it is for this class of CPU or for any, when its engine is installed, when its
   variant keeps the device's policy, and when the memory that was measured with that variant fits
   into what a worker may take here.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.agent.identity import Identity
from edgeworthy.documents.agent import Slot
from edgeworthy.documents.publication import PublishedBlob, PublishedRelease
from edgeworthy.documents.release import ReleasedVariant
from edgeworthy.errors import VerificationError
from edgeworthy.release.selection import selection_of
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
    engines = {each.partition(" ")[0] for each in identity.host.runtimes}
    limit_mib = memory_limit_mib or identity.host.memory_bytes // _BYTES_PER_MIB
    variants = {each.name: each for each in verified.manifest.variants}
    why_not: dict[str, None] = {}
    for line in selection_of(verified.manifest):
        variant = variants[line.variant]
        need = _memory_mib(verified, variant)
        if line.instruction_set not in {ours, "generic"}:
            why_not[f"{line.variant} is for {line.instruction_set}"] = None
        elif line.runtime not in engines:
            why_not[f"{line.variant} needs {line.runtime}"] = None
        elif line.variant not in accepted:
            why_not[f"{line.variant} does not keep the policy"] = None
        elif need is not None and limit_mib and need > limit_mib:
            why_not[f"{line.variant} takes {need:.0f} MiB"] = None
        else:
            return variant
    raise VerificationError(
        "no variant of the release fits this device",
        expected=f"one for {ours} in at most {limit_mib} MiB",
        found="; ".join(why_not) or "no variant at all",
    )


def slot_of(
    verified: VerifiedRelease, release: PublishedRelease, variant: ReleasedVariant, chosen_on: str
) -> Slot:
    """The release as it will stand in the store, with every file that loading it touches.

    Args:
        verified: The release.
        release: Its publication.
        variant: What runs here.
        chosen_on: Digest of the machine and software that it was chosen for.
    """
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
        chosen_on=chosen_on,
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
