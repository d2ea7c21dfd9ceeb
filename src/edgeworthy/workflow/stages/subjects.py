"""What is measured and evaluated for a target: the original and the variants it may run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.workflow.stages.inspection import InspectedModel
from edgeworthy.workflow.stages.optimization import Optimized


@dataclass(frozen=True)
class Subject:
    """An artefact that is judged.

    Attributes:
        name: ``original``, or the name of the variant.
        path: The file.
        artifact: Its digest.
        size_bytes: Its size, external data included.
    """

    name: str
    path: Path
    artifact: str
    size_bytes: int

    @cached_property
    def at_a_time(self) -> int | None:
        """How many samples are run together; absent where that changes nothing."""
        from edgeworthy.graph import samples_at_a_time

        return samples_at_a_time(self.path)


def subjects_of(original: InspectedModel, optimized: Optimized, target: str) -> list[Subject]:
    """The original first, then the variants in the order of the recipes."""
    inspection = original.inspection
    first = Subject(
        name=ORIGINAL,
        path=original.path,
        artifact=inspection.artifact,
        size_bytes=inspection.size_bytes,
    )
    variants = [optimized.variants[name] for name in optimized.names_by_target[target]]
    return [
        first,
        *(
            Subject(
                name=each.variant.name,
                path=each.path,
                artifact=each.variant.artifact,
                size_bytes=each.variant.size_bytes,
            )
            for each in variants
        ),
    ]
