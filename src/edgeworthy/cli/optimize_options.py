"""Options of ``edgeworthy optimize``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


@dataclass(frozen=True)
class BareReading:
    """How samples and outputs of a bare model are read.

    Attributes:
        labels: Array with the labels.
        output: Output that is judged.
        vectors: Whether directions of outputs are compared.
    """

    labels: str
    output: str
    vectors: bool = field(kw_only=True)


class Preference(StrEnum):
    """What a version must be better at than float."""

    LATENCY = "latency"
    SIZE = "size"
    ACCURACY = "accuracy"


ModelArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(help="An ONNX file, with --data; left out, the project's model."),
]
DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="npz file with an array per input and, if there are any, labels.", metavar="FILE"
    ),
]
CalibrationOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="npz file with other samples to find ranges with; left out, every other sample of "
        "--data.",
        metavar="FILE",
    ),
]
LabelsOption: TypeAlias = Annotated[
    str, typer.Option(help="Array with the labels; left out, `labels` or `y`.", metavar="KEY")
]
VectorsOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--vectors", help="Without labels: compare directions of outputs, as of embeddings."
    ),
]
OutputOption: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Output that is judged; left out, the first with labels, and all without.",
        metavar="NAME",
    ),
]
BudgetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Begin no trial after so long, such as 10m.", metavar="DURATION"),
]
TrialsOption: TypeAlias = Annotated[
    int | None, typer.Option(help="Versions to try, at most.", min=1, metavar="N")
]
WorkersOption: TypeAlias = Annotated[
    int, typer.Option(help="Versions made side by side.", min=1, max=64, metavar="N")
]
RecipeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--recipe", help="Make what this recipe says, and nothing else.", metavar="FILE"),
]
MarginOption: TypeAlias = Annotated[
    float | None,
    typer.Option(help="Largest loss of the metric that counts as none.", min=0.0, metavar="LOSS"),
]
PreferOption: TypeAlias = Annotated[
    Preference | None,
    typer.Option(help="What a version of a bare model must be better at."),
]
TargetOption: TypeAlias = Annotated[
    str, typer.Option(help="Target of the project; left out, its first.", metavar="NAME")
]
RuntimeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime", help="Engine; given again, engines compete. The first is the usual one."
    ),
]
ThreadsOption: TypeAlias = Annotated[
    int, typer.Option(help="Threads inside one inference, of a bare model.", min=1)
]
OutOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Folder for the chosen version, its recipe and the page.", metavar="FOLDER"),
]
SamplesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=8,
        help="Evaluation samples to emulate the other classes of CPU on; few when left out.",
        metavar="N",
    ),
]
