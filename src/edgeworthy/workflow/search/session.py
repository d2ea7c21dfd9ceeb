"""A search of a project or of a bare model, from its inputs to what it leaves on the disk.

::

    OUT/
    ├── NAME.onnx      the version that was chosen
    ├── NAME.toml      its recipe: the same inputs give the same bytes
    ├── search.json    every trial, the front, the choice and the reason
    └── search.html    the same as a page

Rules:

1. What stands there is written whole, and only when the search has ended.
2. The state of a search that runs is its cache: whoever starts it again goes on where it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.harm import LayerRemark
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.documents.search import PinnedAxis, Search, Trial
from edgeworthy.documents.variant import ORIGINAL, Recipe
from edgeworthy.errors import DatasetError, UsageError
from edgeworthy.files import digest_bytes, digest_file, write_whole
from edgeworthy.version import __version__
from edgeworthy.workflow.cache import CACHE_FOLDER_NAME, Cache
from edgeworthy.workflow.executors import Executor, LocalProcesses
from edgeworthy.workflow.explaining import Suspects, in_question
from edgeworthy.workflow.margins import margin_of
from edgeworthy.workflow.recipe_files import write_recipe_file
from edgeworthy.workflow.search.choice import choose, closest, has_layers
from edgeworthy.workflow.search.judging import metric_of
from edgeworthy.workflow.search.plan import DEFAULT_CONFIDENCE, SearchLimits, SearchPlan
from edgeworthy.workflow.search.search import Findings, SearchRun
from edgeworthy.workflow.search.sources import (
    BareSource,
    Bench,
    ProjectSource,
    Source,
    open_source,
)
from edgeworthy.workflow.steps import Progress, StepRunner, silent

if TYPE_CHECKING:
    from edgeworthy.workflow.project import Project

OUTPUT_FOLDER = "optimized"
_HOST_TARGET = "host"


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How to search.

    Attributes:
        limits: How far to go.
        margin: Largest loss that counts as none; None for what the project says, or the usual.
        confidence: Of the interval of the loss; None for what the project says.
        workers: Processes side by side.
        out: Folder for what is found; None for the usual.
        recipes: Recipes of your own, tried as well.
        target: Target of the project; empty for its first.
        runtimes: Engines; empty for those of the target.
        prefer: What to look for, of a bare model.
        threads: Of the engine, for a bare model.
        seed: Of everything random, for a bare model.
    """

    limits: SearchLimits = field(default_factory=SearchLimits)
    margin: float | None = None
    confidence: float | None = None
    workers: int = 1
    out: Path | None = None
    recipes: tuple[Recipe, ...] = ()
    target: str = ""
    runtimes: tuple[str, ...] = ()
    prefer: str = "latency"
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class SearchResult:
    """What a search left.

    Attributes:
        search: The document.
        folder: Where it lies.
        artifact: The chosen version.
        recipe: Its recipe; None for the model as it was given.
        page: The page.
        reused: Steps that an earlier search had finished.
    """

    search: Search
    folder: Path
    artifact: Path
    recipe: Path | None
    page: Path
    reused: int


def search_project(project: Project, options: SearchOptions) -> SearchResult:
    """Search for the best version for a target of a project.

    Raises:
        UsageError: There is no such target, or it is not this machine's class of CPU.
        EdgeworthyError: The model or the samples cannot be used.
    """
    from edgeworthy.workflow.stages.report import output_folder

    workspace = project.workspace
    with workspace.cache.locked():
        plan = _project_plan(project, options)
        bench = open_source(plan.source)
        out = options.out or output_folder(workspace) / OUTPUT_FOLDER
        with _executor(options) as executor:
            run = SearchRun(plan, bench.judging, workspace.runner, executor, project.progress)
            result = _finished(run, out, workspace.runner, project.clock())
        workspace.cache.save_fingerprints()
    return result


def search_file(
    source: BareSource, options: SearchOptions, *, progress: Progress = silent
) -> SearchResult:
    """Search for the best version of a bare model, for this machine.

    Args:
        source: The model and its samples.
        options: How to search.
        progress: Told what is going on.

    Raises:
        EdgeworthyError: The model or the samples cannot be used.
    """
    model = Path(source.model)
    out = options.out or Path(f"{model.stem}-{OUTPUT_FOLDER}")
    bench = open_source(source)
    cache = Cache(out / CACHE_FOLDER_NAME)
    with cache.locked():
        runner = StepRunner(cache, clock=_now, progress=progress)
        plan = _bare_plan(source, bench, options)
        with _executor(options) as executor:
            run = SearchRun(plan, bench.judging, runner, executor, progress)
            result = _finished(run, out, runner, _now(), bench.pinned)
        cache.save_fingerprints()
    return result


@dataclass(frozen=True)
class SearchInputs:
    """What versions are made from.

    Attributes:
        source: The model and its samples.
        calibration: Digest of the samples that ranges come from.
        seed: Of everything random.
        folder: What belongs to the source is written here.
    """

    source: Source
    calibration: str
    seed: int
    folder: Path


def inputs_of(source: BareSource | Path, options: SearchOptions) -> SearchInputs:
    """What versions of a project or of a bare model are made from.

    Args:
        source: A bare model with samples, or a project.
        options: Seed of a bare model.
    """
    from edgeworthy.workflow.project import Project
    from edgeworthy.workflow.stages.data import read_samples
    from edgeworthy.workflow.stages.report import output_folder

    if isinstance(source, BareSource):
        folder = Path(f"{Path(source.model).stem}-{OUTPUT_FOLDER}")
        return SearchInputs(source, _bare_digests(source)[0], options.seed, folder)
    project = Project.load(source)
    workspace = project.workspace
    with workspace.cache.locked():
        samples = read_samples(workspace)
    calibration = samples["calibration"].digest if "calibration" in samples else ""
    path = str(project.path.resolve())
    seed = workspace.project.seed
    folder = output_folder(workspace) / OUTPUT_FOLDER
    return SearchInputs(ProjectSource(path=path), calibration, seed, folder)


def _bare_digests(source: BareSource) -> tuple[str, str]:
    """Digests of the samples that ranges come from, and of those that judge."""
    data = digest_file(Path(source.data))
    apart = digest_file(Path(source.calibration)) if source.calibration else "every other sample"
    return (
        digest_bytes(f"{data} ranges {apart}".encode()),
        digest_bytes(f"{data} judges {apart}".encode()),
    )


@contextlib.contextmanager
def _executor(options: SearchOptions) -> Iterator[Executor]:
    with LocalProcesses(options.workers) as executor:
        yield executor


def _project_plan(project: Project, options: SearchOptions) -> SearchPlan:
    from edgeworthy.devices import find_profile, host_fingerprint
    from edgeworthy.evaluation import metrics_of
    from edgeworthy.runtimes import find_runtime
    from edgeworthy.workflow.stages.data import preparation_digest, read_samples
    from edgeworthy.workflow.stages.inspection import inspect_original

    workspace = project.workspace
    target = options.target or next(iter(workspace.targets))
    section = workspace.targets.get(target)
    if section is None:
        raise UsageError(
            f"the project has no target `{target}`",
            expected=", ".join(f"`{each}`" for each in workspace.targets),
        )
    runtimes = options.runtimes or section.runtimes
    host = host_fingerprint(runtime_versions=[find_runtime(name).version() for name in runtimes])
    profile = find_profile(section.device, folder=workspace.folder)
    if profile.instruction_set != host.instruction_set:
        raise UsageError(
            f"the target `{target}` cannot be searched for on this machine",
            expected=f"a CPU of the class {profile.instruction_set}",
            found=host.instruction_set,
            next_step="Run the search on the device: latency is measured in the loop",
        )
    original = inspect_original(workspace)
    samples = read_samples(workspace)
    if "calibration" not in samples:
        raise DatasetError(
            "a search needs samples to find ranges with",
            where=str(project.path),
            expected="a table [data.calibration]",
            next_step="Add it; docs/guides/datasets.md shows each format",
        )
    settings = workspace.project.optimize
    metric = metrics_of(workspace.project.model.task)[0].name
    margin = options.margin if options.margin is not None else margin_of(workspace, target, metric)
    return SearchPlan(
        source=ProjectSource(path=str(project.path.resolve())),
        model=original.path,
        original=original.inspection.artifact,
        original_size_bytes=original.inspection.size_bytes,
        signature=preparation_digest(workspace, original.signature),
        calibration=samples["calibration"].digest,
        dataset=samples["evaluation"].digest,
        target=target,
        instruction_set=profile.instruction_set,
        runtimes=runtimes,
        threads=section.threads,
        prefer=section.prefer,
        margin=margin,
        confidence=options.confidence or settings.confidence,
        seed=workspace.project.seed,
        host=host,
        limits=options.limits,
        own_recipes=options.recipes,
    )


def _bare_plan(source: BareSource, bench: Bench, options: SearchOptions) -> SearchPlan:
    from edgeworthy.devices import host_fingerprint
    from edgeworthy.graph import inspect_loaded
    from edgeworthy.runtimes import find_runtime

    runtimes = options.runtimes or ("onnxruntime",)
    host = host_fingerprint(runtime_versions=[find_runtime(name).version() for name in runtimes])
    inspection = inspect_loaded(bench.model)
    calibration, dataset = _bare_digests(source)
    reading = canonical_json([bench.signature, source.labels, bench.judging.basis, source.output])
    return SearchPlan(
        source=source,
        model=Path(source.model),
        original=inspection.artifact,
        original_size_bytes=inspection.size_bytes,
        signature=digest_bytes(reading),
        calibration=calibration,
        dataset=dataset,
        target=_HOST_TARGET,
        instruction_set=host.instruction_set,
        runtimes=runtimes,
        threads=options.threads,
        prefer=options.prefer,
        margin=options.margin,
        confidence=options.confidence or DEFAULT_CONFIDENCE,
        seed=options.seed,
        host=host,
        limits=options.limits,
        own_recipes=options.recipes,
    )


def _finished(
    run: SearchRun,
    out: Path,
    runner: StepRunner,
    now: datetime,
    pinned: tuple[PinnedAxis, ...] = (),
) -> SearchResult:
    found = run.run()
    chosen, reason = choose(found.trials, run.plan.prefer)
    remarks = _remarks(run, found, chosen)
    search = _document(run, found, (chosen.name, reason), now)
    search = msgspec.structs.replace(search, remarks=remarks, pinned=pinned)
    made = found.files[chosen.name]
    artifact = made.path
    recipe = None
    if made.variant is not None:
        artifact = out / f"{chosen.name}.onnx"
        recipe = out / f"{chosen.name}.toml"
        write_whole(artifact, made.path.read_bytes())
        write_recipe_file(recipe, made.variant, seed=run.plan.seed)
    write_whole(out / "search.json", encode_document(search))
    page = out / "search.html"
    from edgeworthy.reports import render_search

    write_whole(page, render_search(search, tool_version=__version__).encode())
    return SearchResult(
        search=search,
        folder=out,
        artifact=artifact,
        recipe=recipe,
        page=page,
        reused=sum(not each.ran for each in runner.outcomes),
    )


def _remarks(run: SearchRun, found: Findings, chosen: Trial) -> tuple[LayerRemark, ...]:
    """What stands in the way of the version that came closest, where float stays."""
    usual = run.plan.runtimes[0]
    rival = closest(each for each in found.trials if each.runtime == usual and has_layers(each))
    if chosen.harm is not None or rival is None or rival.harm is None:
        return ()
    remarks = run.trials.explain(
        Suspects(
            float_file=found.files[chosen.name].path,
            integer_file=found.files[rival.name].path,
            runtime=usual,
            threads=run.plan.threads,
            instruction_set=run.plan.instruction_set,
        ),
        found.sensitivities,
    )
    return in_question(remarks, slow=not rival.harm.better, lossy=not rival.harm.not_inferior)


def _document(run: SearchRun, found: Findings, choice: tuple[str, str], now: datetime) -> Search:
    plan, metric = run.plan, metric_of(run.judging)
    chosen, reason = choice
    original = found.trial(ORIGINAL)
    return Search(
        model=plan.model.name,
        original=plan.original,
        target=plan.target,
        instruction_set=plan.instruction_set,
        threads=plan.threads,
        prefer=plan.prefer,
        metric=metric.metric,
        higher_is_better=metric.higher_is_better,
        basis=run.judging.basis,
        margin=run.margin,
        confidence=plan.confidence,
        dataset=plan.dataset,
        sample_count=original.metric.n if original.metric else 0,
        calibration=plan.calibration,
        trials=tuple(found.trials),
        self_check=found.self_check,
        sensitivities=found.sensitivities,
        sensitivity_of=found.sensitivity_of,
        chosen=chosen,
        reason=reason,
        remarks=(),
        ended=found.ended,
        budget_s=plan.limits.budget_s,
        spent_s=round(run.trials.spent.total_s, 3),
        seed=plan.seed,
        host=plan.host,
        taken_at=now.isoformat(timespec="seconds"),
    )


def _now() -> datetime:
    return datetime.now(UTC)
