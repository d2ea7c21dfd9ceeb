"""Options of ``edgeworthy measure``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Scenario(StrEnum):
    """How queries arrive, as MLPerf names it."""

    SINGLE_STREAM = "single-stream"
    MULTI_STREAM = "multi-stream"
    SERVER = "server"
    OFFLINE = "offline"


ModelArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(help="An ONNX or .tflite file; left out, the project's model and variants."),
]
AgainstOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--vs", help="Compare with this ONNX file, in turns.", metavar="FILE"),
]
ScenarioOption: TypeAlias = Annotated[
    Scenario,
    typer.Option(
        help="How queries arrive, with MLPerf's meaning: single-stream, multi-stream, server or "
        "offline.",
        # The names of all four in one word would be torn apart where a terminal is narrow.
        metavar="SCENARIO",
    ),
]
BoundOption: TypeAlias = Annotated[
    float,
    typer.Option("--bound-ms", help="Server: what 99 of 100 queries may take.", min=0.001),
]
BatchOption: TypeAlias = Annotated[
    int, typer.Option(help="MultiStream, Offline: samples of one query.", min=1)
]
SamplesOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="npz file with an array per input; left out, random inputs.", metavar="FILE"),
]
GoldenOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="npz file with the right outputs of the samples; wrong answers are an error.",
        metavar="FILE",
    ),
]
ToleranceOption: TypeAlias = Annotated[
    float, typer.Option(help="Share of the largest golden value to be off.", min=0.0)
]
RuntimeOption: TypeAlias = Annotated[
    str, typer.Option(help="Engine; left out, the one that reads such files.", metavar="NAME")
]
ThreadsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Threads inside one inference: 1, or the target's.", min=1),
]
VariantOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Of a project: measure this variant, or `original`, by itself.", metavar="NAME"
    ),
]
TargetOption: TypeAlias = Annotated[
    str, typer.Option(help="With --variant: for this target; the first unless told.")
]
StartsOption: TypeAlias = Annotated[
    int | None, typer.Option(help="Starts of each model; more see smaller differences.", min=1)
]
BudgetOption: TypeAlias = Annotated[
    float | None, typer.Option(help="Seconds of timed rounds per model, at most.", min=0.001)
]
SeedOption: TypeAlias = Annotated[
    int | None, typer.Option(help="Seed of the random order: 0, or the project's.")
]
SustainedOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Run without pause for so long, such as 10m, and look for throttling.",
        metavar="DURATION",
    ),
]
OperatorsOption: TypeAlias = Annotated[
    bool,
    typer.Option("--operators", help="Say where the time goes, operator by operator."),
]
SweepOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Try several settings: threads, batch, affinity.", metavar="AXES"),
]
HtmlOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--html", help="With --sustained or --operators: also draw it as a page.", metavar="FILE"
    ),
]
