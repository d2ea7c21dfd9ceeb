"""``docs/reference/corruptions.md``: every corruption, and what its severities mean."""

from __future__ import annotations

import typing

from edgeworthy.documents.project import SampleKind
from edgeworthy.evaluation.corruptions import AnyCorruption, corruptions_of
from reference.docstrings import docstring_of
from reference.markdown import code, document, table

_INTRODUCTION = """\
What can be done to raw samples to see how an artefact takes it, each in five severities. All act
before anything that the device does to a sample. The random draws of a sample come from the seed
and from its own values, so that neither its place nor its neighbors change them.
[Corruptions](../concepts/corruptions.md) says what is made of the figures. A name, or the name of a
group, stands in `corruption` of a [`[[require]]`](project-file.md#require) and in
[`[evaluate.corruptions]`](project-file.md#evaluatecorruptions)."""

_KINDS: dict[SampleKind, str] = {
    "image": "Pictures. Lengths in pixels grow with the picture between the two sizes given.",
    "sound": "Sound, from wav files or declared with `kind`.",
    "series": "Series of inertial, biosignal and other sensors.",
    "table": "Rows of a table.",
    "features": "Spectrograms and cepstra. The sound itself is not there any more, so noise at a "
    "signal-to-noise ratio or a room cannot be added; these do what such things do to features.",
}


def corruptions_page() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for kind in typing.get_args(SampleKind):
        parts += [f"## {kind}", _KINDS[kind], _table(corruptions_of(kind))]
    return document("Corruptions", parts)


def _table(corruptions: tuple[AnyCorruption, ...]) -> str:
    return table(
        ["name", "group", "what it is", "severities 1 to 5", "source"],
        [
            [
                code(each.name),
                each.group,
                docstring_of(type(each)).summary,
                f"{_levels_explained(each)} {_levels(each)}",
                each.source,
            ]
            for each in corruptions
        ],
    )


def _levels_explained(corruption: AnyCorruption) -> str:
    text = " ".join((type(corruption).__doc__ or "").split())
    levels = text.partition("Levels: ")[2].rstrip(".")
    return f"{levels[:1].upper()}{levels[1:]}:"


def _levels(corruption: AnyCorruption) -> str:
    return "; ".join(
        ", ".join(f"{part:g}" for part in (level if isinstance(level, tuple) else (level,)))
        for level in corruption.levels
    )
