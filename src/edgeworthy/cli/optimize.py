"""``edgeworthy optimize``: search for the version of the model that suits a target best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.cli.optimize_options import (
    BareReading,
    BudgetOption,
    CalibrationOption,
    DataOption,
    LabelsOption,
    MarginOption,
    ModelArgument,
    OutOption,
    OutputOption,
    Preference,
    PreferOption,
    RecipeOption,
    RuntimeOption,
    SamplesOption,
    TargetOption,
    ThreadsOption,
    TrialsOption,
    VectorsOption,
    WorkersOption,
)
from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import console, interval, print_json, print_outcomes, table
from edgeworthy.cli.search import print_search
from edgeworthy.cli.session import opened_project, shown_progress
from edgeworthy.cli.sustained import seconds_of
from edgeworthy.documents.prediction import Prediction
from edgeworthy.errors import UsageError

if TYPE_CHECKING:
    from edgeworthy.workflow.search.session import SearchOptions
    from edgeworthy.workflow.search.sources import BareSource


def optimize(
    model: ModelArgument = None,
    project: ProjectOption = Path(),
    data: DataOption = None,
    calibration: CalibrationOption = None,
    labels: LabelsOption = "",
    vectors: VectorsOption = False,
    output: OutputOption = "",
    budget: BudgetOption = None,
    trials: TrialsOption = None,
    workers: WorkersOption = 1,
    recipe: RecipeOption = None,
    margin: MarginOption = None,
    prefer: PreferOption = None,
    target: TargetOption = "",
    runtime: RuntimeOption = None,
    threads: ThreadsOption = 1,
    out: OutOption = None,
    samples: SamplesOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Search for the version of the model that suits a target best, and say why it does.

    Of a project, or of a bare model with samples. A search that was stopped goes on where it was.

    Example: edgeworthy optimize --project digits --budget 10m
    """
    from edgeworthy.workflow.search.plan import SearchLimits
    from edgeworthy.workflow.search.session import SearchOptions

    options = SearchOptions(
        limits=SearchLimits(
            budget_s=None if budget is None else seconds_of(budget, option="--budget"),
            trial_count=trials,
        ),
        margin=margin,
        workers=workers,
        out=out,
        target=target,
        runtimes=tuple(runtime or ()),
        prefer=prefer or Preference.LATENCY,
        threads=threads,
    )
    source = None
    if model is not None:
        source = _bare(model, data, calibration, BareReading(labels, output, vectors=vectors))
    elif data or calibration or labels or vectors or output or prefer:
        raise UsageError(
            "--data, --calibration, --labels, --vectors, --output and --prefer belong to a bare "
            "model",
            next_step="Name the ONNX file, or set them in the project file",
        )
    if recipe is not None:
        _make_recipe(recipe, project, source, options, as_json=as_json)
    elif source is not None:
        _search_file(source, options, as_json=as_json)
    else:
        _search_project(project, options, samples, as_json=as_json, explain=explain)


def _bare(
    model: Path, data: Path | None, calibration: Path | None, reading: BareReading
) -> BareSource:
    from edgeworthy.workflow.search.sources import BareSource

    if data is None:
        raise UsageError(
            "a bare model needs samples",
            next_step=f"Write for example `edgeworthy optimize {model.name} --data FILE.npz`",
        )
    return BareSource(
        model=str(model),
        data=str(data),
        calibration=str(calibration or ""),
        labels=reading.labels,
        vectors=reading.vectors,
        output=reading.output,
    )


def _search_file(source: BareSource, options: SearchOptions, *, as_json: bool) -> None:
    from edgeworthy.workflow.search.session import search_file

    with shown_progress() as progress:
        result = search_file(source, options, progress=progress)
    print_json(result.search) if as_json else print_search(result)


def _search_project(
    project: Path,
    options: SearchOptions,
    samples: int | None,
    *,
    as_json: bool,
    explain: bool,
) -> None:
    from edgeworthy.workflow.search.session import search_project

    with opened_project(project) as opened:
        result = search_project(opened, options)
        predictions = opened.predict(samples)
    if as_json:
        print_json([result.search, *predictions])
        return
    print_search(result)
    print_predictions(predictions)
    if explain:
        print_outcomes(opened.outcomes)


def _make_recipe(
    recipe: Path,
    project: Path,
    source: BareSource | None,
    options: SearchOptions,
    *,
    as_json: bool,
) -> None:
    from edgeworthy.workflow.search.recipes import make_from_recipe

    with shown_progress() as progress:
        made = make_from_recipe(
            recipe, source if source is not None else project, options, progress=progress
        )
    if as_json:
        print_json(made.variant)
        return
    out = console()
    out.print(f"made {made.path}")
    out.print(f"{made.variant.artifact}, {made.variant.size_bytes} bytes")
    if made.promise:
        out.print(made.promise)


def print_predictions(predictions: Sequence[Prediction]) -> None:
    """What each class of CPU will see, as a table; nothing when nothing was predicted."""
    if not predictions:
        return
    made = table(
        "Estimates by emulation",
        "variant",
        "class of CPU",
        "samples",
        "metric",
        "saturates in",
        right=("samples",),
    )
    for each in predictions:
        first = next(iter(each.metrics), None)
        said = f"{first.metric} {interval(first.estimate)}" if first else each.refusal
        nodes = [one.node for one in each.saturation]
        where = f"{len(nodes)} nodes, most in {nodes[0]}" if nodes else "nothing"
        made.add_row(
            each.variant,
            ", ".join(each.instruction_sets),
            str(each.sample_count),
            said,
            "-" if each.refusal else where,
        )
    console().print(made)
