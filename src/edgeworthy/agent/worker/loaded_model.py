"""A variant of a release in memory: hashed, loaded, ready to be tested and served."""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.agent.worker.memory import resident_bytes
from edgeworthy.agent.worker.release_folder import ReleaseFolder
from edgeworthy.documents.release import ReleasedVariant
from edgeworthy.runtimes.base import Session
from edgeworthy.runtimes.registry import find_runtime


@dataclass(frozen=True)
class LoadedModel:
    """A model that can run.

    Attributes:
        folder: The release.
        variant: Which of its variants.
        session: The engine's.
        runtime: Engine and version.
        bytes_before: Resident memory before it was loaded.
        model_bytes: Resident memory that loading added.
    """

    folder: ReleaseFolder
    variant: ReleasedVariant
    session: Session
    runtime: str
    bytes_before: int
    model_bytes: int


def load_model(folder: ReleaseFolder, name: str, *, threads: int) -> LoadedModel:
    """Load a variant.

    Args:
        folder: The release.
        name: Of the variant.
        threads: Of the engine inside one inference.

    Raises:
        InputError: There is no such variant, or the engine cannot read it.
        VerificationError: Its bytes have changed.
        InferenceError: The engine would not run it on this device.
    """
    variant = folder.variant(name)
    artifact = folder.blob(variant.artifact)
    runtime = find_runtime(variant.runtime)
    before = resident_bytes()
    session = runtime.load(artifact, threads=threads)
    return LoadedModel(
        folder=folder,
        variant=variant,
        session=session,
        runtime=runtime.version(),
        bytes_before=before,
        model_bytes=max(resident_bytes() - before, 0),
    )
