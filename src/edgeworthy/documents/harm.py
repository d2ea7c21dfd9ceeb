"""Whether a version may take the place of float, and what stands in its way."""

from __future__ import annotations

from typing import Literal

from edgeworthy.documents.record import Record

#: Why a layer makes an integer variant worse or slower than float.
RemarkKind = Literal[
    "saturation", "border", "no-int8-kernel", "little-arithmetic", "no-vnni", "output-error"
]


class LayerRemark(Record, frozen=True, kw_only=True):
    """What one layer costs, and why.

    Attributes:
        node: Name of the node; empty when the remark is about the machine.
        kind: What is the matter.
        sentence: For people, with the figure that it rests on.
    """

    node: str
    kind: RemarkKind
    sentence: str


class HarmCheck(Record, frozen=True, kw_only=True):
    """Whether a variant may take the place of float.

    Attributes:
        harmless: Whether it may.
        not_inferior: Whether the whole interval of the loss lies within the margin.
        better: Whether it is faster or smaller, as the target prefers.
        sentence: Why, in one sentence.
    """

    harmless: bool
    not_inferior: bool
    better: bool
    sentence: str


class CheckedVariant(Record, frozen=True, kw_only=True):
    """A variant that could take the place of float, and whether it may.

    Attributes:
        variant: Name of the variant.
        check: What was found.
    """

    variant: str
    check: HarmCheck


class Explanation(Record, frozen=True, kw_only=True):
    """Why a variant did not take the place of float on a target.

    Attributes:
        target: Name of the target.
        variant: The variant that came closest.
        remarks: What stands in its way, the most expensive first.
    """

    target: str
    variant: str
    remarks: tuple[LayerRemark, ...]
