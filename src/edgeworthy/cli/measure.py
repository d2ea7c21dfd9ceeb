"""``edgeworthy measure``: how fast and how large."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.cli.comparison import print_comparison
from edgeworthy.cli.load import print_load
from edgeworthy.cli.measure_options import (
    AgainstOption,
    BatchOption,
    BoundOption,
    BudgetOption,
    GoldenOption,
    HtmlOption,
    ModelArgument,
    OperatorsOption,
    RuntimeOption,
    SamplesOption,
    Scenario,
    ScenarioOption,
    SeedOption,
    StartsOption,
    SustainedOption,
    SweepOption,
    TargetOption,
    ThreadsOption,
    ToleranceOption,
    VariantOption,
)
from edgeworthy.cli.measured import print_measurements
from edgeworthy.cli.operators import measure_operators
from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import print_json, print_outcomes
from edgeworthy.cli.session import opened_project, refuse_partial, shown_progress
from edgeworthy.cli.sustained import measure_sustained
from edgeworthy.cli.sweep import measure_sweep
from edgeworthy.documents.load import LoadScenario
from edgeworthy.errors import UsageError

if TYPE_CHECKING:
    from edgeworthy.workflow.bare_models import BareOptions

_SPECIAL = "--vs, --scenario, --sustained, --operators and --sweep"


_LOADS: dict[Scenario, LoadScenario] = {
    Scenario.MULTI_STREAM: "MultiStream",
    Scenario.SERVER: "Server",
    Scenario.OFFLINE: "Offline",
}


def measure(
    model: ModelArgument = None,
    project: ProjectOption = Path(),
    variant: VariantOption = None,
    target: TargetOption = "",
    against: AgainstOption = None,
    scenario: ScenarioOption = Scenario.SINGLE_STREAM,
    bound: BoundOption = 10.0,
    batch: BatchOption = 8,
    samples: SamplesOption = None,
    golden: GoldenOption = None,
    tolerance: ToleranceOption = 1e-3,
    runtime: RuntimeOption = "",
    threads: ThreadsOption = None,
    starts: StartsOption = None,
    budget: BudgetOption = None,
    seed: SeedOption = None,
    sustained: SustainedOption = None,
    operators: OperatorsOption = False,
    html: HtmlOption = None,
    sweep: SweepOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Measure latency, memory, load time and size: of a project, or of bare model files.

    Example: edgeworthy measure int8.onnx --vs float.onnx
    """
    from edgeworthy.workflow.bare_models import BareOptions

    loaded = scenario is not Scenario.SINGLE_STREAM
    asked = (against is not None, loaded, sustained is not None, operators, sweep is not None)
    _refuse_mixing(asked, has_subject=bool(model or variant), has_page=html is not None)
    if model is None and variant is None:
        _measure_project(project, as_json=as_json, explain=explain)
        return
    options = BareOptions(samples=samples, golden=golden, tolerance=tolerance)
    if variant is not None:
        model, options = _of_project(project, variant, target, given=(model, samples, golden))
    assert model is not None  # noqa: S101 - one of the two was given
    options = _asked_for(options, runtime, threads, budget, starts, seed)
    if sweep is not None:
        measure_sweep(model, options, sweep, as_json=as_json)
    elif operators:
        measure_operators(model, options, as_json=as_json, html=html)
    elif sustained is not None:
        measure_sustained(model, options, sustained, as_json=as_json, html=html)
    elif against is not None:
        _compare(model, against, options, as_json=as_json)
    elif loaded:
        _measure_load(model, options, (_LOADS[scenario], batch, bound), as_json=as_json)
    else:
        _measure_file(model, options, as_json=as_json)


def _asked_for(
    options: BareOptions,
    runtime: str,
    threads: int | None,
    budget: float | None,
    starts: int | None,
    seed: int | None,
) -> BareOptions:
    """What was asked for on the command line comes before what the project says."""
    return replace(
        options,
        runtime=runtime or options.runtime,
        threads=threads or options.threads,
        budget_s=budget,
        starts=starts,
        seed=options.seed if seed is None else seed,
    )


def _of_project(
    project: Path, variant: str, target: str, *, given: tuple[Path | None, ...]
) -> tuple[Path, BareOptions]:
    """The file of a variant, and how its project measures it."""
    if any(each is not None for each in given):
        raise UsageError(
            "--variant takes the model and the samples of the project",
            next_step="Leave out either --variant, or the file, --samples and --golden",
        )
    with opened_project(project) as opened:
        subject = opened.subject(variant, target)
        return subject.path, opened.measuring_options(subject)


def _refuse_mixing(asked: tuple[bool, ...], *, has_subject: bool, has_page: bool) -> None:
    if any(asked) and not has_subject:
        raise UsageError(
            f"{_SPECIAL} measure one artefact",
            next_step="Name a file, as in `edgeworthy measure A.onnx --vs B.onnx`, or a variant of "
            "the project with --variant",
        )
    if has_page and not (asked[2] or asked[3]):
        raise UsageError("--html draws what --sustained or --operators measured")
    if sum(asked) > 1:
        raise UsageError(
            f"{_SPECIAL} do not go together", next_step="Leave all but one of them out"
        )


def _compare(model: Path, against: Path, options: BareOptions, *, as_json: bool) -> None:
    from edgeworthy.workflow.bare_models import compare_files

    with shown_progress() as progress:
        compared = compare_files(model, against, options, progress=progress)
    print_json(compared) if as_json else print_comparison(compared)
    refuse_partial(partial=compared.partial)


def _measure_file(model: Path, options: BareOptions, *, as_json: bool) -> None:
    from edgeworthy.workflow.bare_models import measure_file

    with shown_progress() as progress:
        measured = measure_file(model, options, progress=progress)
    print_json(measured) if as_json else print_measurements([measured])
    refuse_partial(partial=measured.partial)


def _measure_load(
    model: Path, options: BareOptions, load: tuple[LoadScenario, int, float], *, as_json: bool
) -> None:
    from edgeworthy.measurement import LoadOptions
    from edgeworthy.workflow.bare_models import load_file

    scenario, batch, bound_ms = load
    asked = LoadOptions(scenario=scenario, samples_per_query=batch, latency_bound_ms=bound_ms)
    with shown_progress() as progress:
        measured = load_file(model, asked, options, progress=progress)
    print_json(measured) if as_json else print_load(measured)
    refuse_partial(partial=measured.partial)


def _measure_project(project: Path, *, as_json: bool, explain: bool) -> None:
    with opened_project(project) as opened:
        measurements = opened.measure()
    if as_json:
        print_json(measurements)
        return
    print_measurements(measurements)
    if explain:
        print_outcomes(opened.outcomes)
