"""What a report is made of: a few kinds of block, each with one template.

A section is a title, one sentence that says what it shows, and blocks. Sections are built from
documents in ``sections/``; how a block looks is in ``html/blocks/`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from markupsafe import Markup

#: No drawing.
NO_MARKUP: Final = Markup()


@dataclass(frozen=True)
class Block:
    """A part of a section.

    Attributes:
        TEMPLATE: The file in ``html/blocks/`` that draws it.
    """

    TEMPLATE: ClassVar[str]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it says.
        note: A second, smaller line.
        mark: A drawing after the text.
        tone: CSS class: a verdict, ``number``, ``code``, ``absent``, ``caution`` or empty.
        hint: The long form, shown on hovering.
    """

    text: str
    note: str = ""
    mark: Markup = NO_MARKUP
    tone: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; the first cell heads it."""

    cells: tuple[Cell, ...]
    emphasis: bool = False


@dataclass(frozen=True)
class Table(Block):
    """A table that becomes a stack of cards on a phone.

    Attributes:
        caption: What the table holds, for readers who cannot see it.
        columns: Headings.
        rows: One cell per heading each.
    """

    TEMPLATE: ClassVar[str] = "table"

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class KeyEntry:
    """A color and what it stands for.

    Attributes:
        color: Name of the CSS variable, without the dashes.
        text: What it stands for.
    """

    color: str
    text: str


@dataclass(frozen=True)
class Drawing:
    """A chart with its caption.

    Attributes:
        title: Above it.
        caption: Below it: the sample counts, the artefacts, what to look for.
        narrow: The drawing, at phone width.
        wide: A wider drawing for wide pages and paper; empty when the narrow one does for both.
        key: What the colors stand for, where the drawing itself does not say.
    """

    title: str
    caption: str
    narrow: Markup
    wide: Markup = NO_MARKUP
    key: tuple[KeyEntry, ...] = ()


@dataclass(frozen=True)
class Drawings(Block):
    """Charts side by side where there is room."""

    TEMPLATE: ClassVar[str] = "drawings"

    items: tuple[Drawing, ...]


@dataclass(frozen=True)
class Facts(Block):
    """Pairs of a term and what it is; the third part of each is the long form."""

    TEMPLATE: ClassVar[str] = "facts"

    items: tuple[Cell, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Heading(Block):
    """The title of the blocks that follow."""

    TEMPLATE: ClassVar[str] = "heading"

    text: str
    note: str = ""


@dataclass(frozen=True)
class Note(Block):
    """A sentence."""

    TEMPLATE: ClassVar[str] = "note"

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Command(Block):
    """A command line to copy."""

    TEMPLATE: ClassVar[str] = "command"

    text: str


@dataclass(frozen=True)
class Details(Block):
    """Blocks that are folded away on a screen and open on paper."""

    TEMPLATE: ClassVar[str] = "details"

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class SampleCard:
    """A sample whose prediction changed.

    Attributes:
        title: Where it stands in the set and what it is.
        picture: May be empty.
        before: Prediction and confidence of the original.
        after: Prediction and confidence of the variant.
        kind: ``worse``, ``better`` or ``other``.
    """

    title: str
    picture: Markup
    before: str
    after: str
    kind: str


@dataclass(frozen=True)
class SampleCards(Block):
    """Samples side by side."""

    TEMPLATE: ClassVar[str] = "samples"

    items: tuple[SampleCard, ...]


@dataclass(frozen=True)
class Section:
    """A part of the report with an anchor.

    Attributes:
        key: The anchor.
        title: Of the section.
        lead: What it shows, in a sentence or two.
        blocks: In order.
    """

    key: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
