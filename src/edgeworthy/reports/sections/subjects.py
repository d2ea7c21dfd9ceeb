"""What every section about one evaluation says of it: which artefact, where, how many samples."""

from __future__ import annotations

from edgeworthy.reports.blocks import Heading, KeyEntry
from edgeworthy.reports.formatting import digest_short
from edgeworthy.reports.index import BuildIndex, Subject
from edgeworthy.reports.theme import ORIGINAL
from edgeworthy.reports.wording import plain, plural


def class_name(index: BuildIndex, position: int) -> str:
    """The label of a class, or its number."""
    labels = index.record.project.model.labels
    return plain(labels[position]) if 0 <= position < len(labels) else f"class {position}"


def heading_of(subject: Subject) -> Heading:
    """The variant, and beside it the targets, the artefact and the number of samples."""
    entry = subject.evaluation
    where = plain(", ".join(subject.targets))
    samples = plural(entry.dataset.sample_count, "sample")
    note = f"{where}; artefact {digest_short(entry.artifact)}; n = {samples}"
    return Heading(plain(entry.variant), note=note)


def key_of(index: BuildIndex, subject: Subject) -> tuple[KeyEntry, ...]:
    """The colors of the variant and of the original beside it."""
    name = subject.evaluation.variant
    mine = KeyEntry(index.color(name).name, plain(name))
    return (mine, KeyEntry(ORIGINAL.name, "original")) if subject.original else (mine,)
