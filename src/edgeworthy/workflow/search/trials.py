"""Making, running and timing the versions of a search; everything that was done is kept.

Rules:

1. Each piece of work is a step of the cache, named by its inputs: a search that was killed reads
   what was finished and does the rest.
2. A failure is never kept: the next search tries again, since a full memory may be empty by then.
3. Timing never runs beside other work: it comes when all trials of a wave are finished, with the
   original and the original once more in the same turns.
4. Time that was spent is part of what is kept, so that a budget holds over interruptions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.harm import LayerRemark
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.record import canonical_json, decode_document, encode_document
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.documents.variant import ORIGINAL, Recipe, Variant, VariantRefusal
from edgeworthy.errors import EdgeworthyError
from edgeworthy.workflow.cache import step_key
from edgeworthy.workflow.executors import Executor, Failure, Task
from edgeworthy.workflow.explaining import Suspects, explain
from edgeworthy.workflow.search import work
from edgeworthy.workflow.search.plan import SearchPlan
from edgeworthy.workflow.search.sources import open_source
from edgeworthy.workflow.search.timing_samples import first_samples, spread_samples
from edgeworthy.workflow.stages.measurement import AGAIN
from edgeworthy.workflow.steps import Step, StepResult, StepRunner
from edgeworthy.workflow.workspace import tool_version

if TYPE_CHECKING:
    from edgeworthy.evaluation import Predictions

_TIMING_SAMPLES = 16
#: Where how long a file takes depends on the sample, and how much longer all are timed then.
_MANY_TIMING_SAMPLES = 64
_LONGER = 4
_SECONDS = "seconds"


@dataclass(frozen=True)
class Made:
    """A version's file.

    Attributes:
        path: Where it lies.
        artifact: Its digest.
        size_bytes: Its size.
        variant: How it was made; None for the original.
    """

    path: Path
    artifact: str
    size_bytes: int
    variant: Variant | None


@dataclass
class Bookkeeping:
    """What the steps of a search took.

    Attributes:
        seconds: Per name of a version.
        total_s: All of them, side by side ones counted once.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    total_s: float = 0.0

    def add(self, name: str, seconds: float, *, width: int = 1) -> None:
        """Count a piece of work."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.total_s += seconds / width


class Trials:
    """The means to make, run and time versions.

    Args:
        plan: What is searched for.
        runner: Runs steps against a cache.
        executor: Where the work runs.
    """

    def __init__(self, plan: SearchPlan, runner: StepRunner, executor: Executor) -> None:
        self.plan = plan
        self.runner = runner
        self.executor = executor
        self.spent = Bookkeeping()

    @property
    def original(self) -> Made:
        """The original's file."""
        plan = self.plan
        return Made(plan.model, plan.original, plan.original_size_bytes, None)

    def make(self, recipes: Sequence[Recipe]) -> dict[str, Made | str]:
        """Make versions: the file of each by name of the recipe, or why there is none."""
        steps = {each.name: self._make_step(each) for each in recipes}
        done = self._all_done(steps)
        made: dict[str, Made | str] = {}
        for name, result in done.items():
            if isinstance(result, str):
                made[name] = result
            elif "refusal" in result:
                data = self.runner.cache.get(result["refusal"])
                made[name] = msgspec.json.decode(data, type=VariantRefusal).reason
            else:
                path = self.runner.cache.path_of(result["variant"])
                data = self.runner.cache.get(result["variant"])
                variant = decode_document(data, Variant, where=str(path))
                file = self.runner.cache.path_of(result["artifact"])
                made[name] = Made(file, variant.artifact, variant.size_bytes, variant)
        return made

    def answers(self, files: Mapping[str, tuple[Made, str]]) -> dict[str, Predictions | str]:
        """Run files: what each says by name, or why it says nothing.

        Args:
            files: File and engine by name of the version.
        """
        from edgeworthy.evaluation import Predictions

        steps = {name: self._answer_step(made, runtime) for name, (made, runtime) in files.items()}
        found: dict[str, Predictions | str] = {}
        for name, result in self._all_done(steps).items():
            if isinstance(result, str):
                found[name] = result
                continue
            digest = result["predictions"]
            where = str(self.runner.cache.path_of(digest))
            data = self.runner.cache.get(digest)
            found[name] = Predictions.from_npz_bytes(data, where=where)
        return found

    def rank(self, recipe: Recipe) -> tuple[LayerSensitivity, ...] | str:
        """Layers by the error that they cause, or why that cannot be told."""
        arguments = self._make_arguments(recipe)
        step = _Step(
            name=f"search-rank/{recipe.name}",
            function=work.RANK,
            arguments=arguments,
            inputs=self._make_inputs(recipe),
        )
        result = self._all_done({recipe.name: step})[recipe.name]
        if isinstance(result, str):
            return result
        data = self.runner.cache.get(result["sensitivities"])
        return msgspec.json.decode(data, type=tuple[LayerSensitivity, ...])

    def time(self, files: Mapping[str, tuple[Made, str]]) -> dict[str, Measurement] | str:
        """Time files in turns with the original and the original again, or say why not."""
        plan = self.plan
        named = {ORIGINAL: (self.original, plan.runtimes[0]), **files}
        step = Step(
            name="search-measure",
            title=f"Measuring {len(files)} versions",
            inputs={
                **{f"artefact {name}": f"{m.artifact} {r}" for name, (m, r) in named.items()},
                "samples": plan.dataset,
                "preparation": plan.signature,
                "threads": str(plan.threads),
                "seconds": str(plan.limits.measure_s),
                "where work varies": f"{_MANY_TIMING_SAMPLES} samples, {_LONGER} times as long",
                "seed": str(plan.seed),
                "host": canonical_json(plan.host).decode(),
                "tools": tool_version("numpy"),
            },
            run=lambda: self._measure(named),
        )
        try:
            outputs = self.runner.run(step)
        except EdgeworthyError as error:
            return str(error)
        cache = self.runner.cache
        seconds = float(cache.get(outputs.pop(_SECONDS)))
        self.spent.total_s += seconds
        for name in files:
            self.spent.seconds[name] = self.spent.seconds.get(name, 0.0) + seconds / len(named)
        return {
            name: decode_document(cache.get(digest), Measurement, where=step.name)
            for name, digest in outputs.items()
        }

    def explain(
        self, suspects: Suspects, sensitivities: Sequence[LayerSensitivity]
    ) -> tuple[LayerRemark, ...]:
        """Why a file may not take the place of float, layer by layer."""
        bench = open_source(self.plan.source)

        def run() -> StepResult:
            (sample,) = first_samples(bench, 1)
            batches = islice((each.inputs for each in bench.evaluation()), 1)
            found = explain(suspects, sample, batches, sensitivities)
            return StepResult({"remarks": canonical_json(found)})

        step = Step(
            name="search-explain",
            title="Asking why",
            inputs={
                "files": f"{suspects.float_file.name} {suspects.integer_file.name}",
                "preparation": self.plan.signature,
                "sensitivities": canonical_json(tuple(sensitivities)).decode(),
                "samples": self.plan.dataset,
                "host": canonical_json(self.plan.host).decode(),
                "tools": tool_version("numpy"),
            },
            run=run,
        )
        data = self.runner.cache.get(self.runner.run(step)["remarks"])
        return msgspec.json.decode(data, type=tuple[LayerRemark, ...])

    def _make_step(self, recipe: Recipe) -> _Step:
        return _Step(
            name=f"optimize/{recipe.name}",  # as a build's, so that neither does the other's work
            function=work.MAKE,
            arguments=self._make_arguments(recipe),
            inputs=self._make_inputs(recipe),
        )

    def _make_arguments(self, recipe: Recipe) -> bytes:
        plan = self.plan
        return msgspec.json.encode(
            work.MakeArguments(
                source=plan.source, recipe=recipe, calibration=plan.calibration, seed=plan.seed
            )
        )

    def _make_inputs(self, recipe: Recipe) -> dict[str, str]:
        return {
            "model": self.plan.original,
            "recipe": canonical_json(recipe).decode(),
            "calibration samples": self.plan.calibration,
            "preparation": self.plan.signature,
            "seed": str(self.plan.seed),
            "tools": tool_version("onnx", "onnxruntime", "numpy"),
        }

    def _answer_step(self, made: Made, runtime: str) -> _Step:
        from edgeworthy.runtimes import find_runtime

        plan = self.plan
        return _Step(
            name=f"search-run/{runtime}/{made.artifact.removeprefix('sha256:')[:12]}",
            function=work.ANSWER,
            arguments=msgspec.json.encode(
                work.AnswerArguments(
                    source=plan.source,
                    artifact=str(made.path),
                    runtime=runtime,
                    threads=plan.threads,
                )
            ),
            inputs={
                "artefact": made.artifact,
                "samples": plan.dataset,
                "preparation": plan.signature,
                "engine": find_runtime(runtime).version(),
                "threads": str(plan.threads),
                "host": canonical_json(plan.host).decode(),
                "tools": tool_version("numpy"),
            },
        )

    def _all_done(self, steps: Mapping[str, _Step]) -> dict[str, dict[str, str] | str]:
        """Digests of each step's outputs, or the reason why there are none."""
        results: dict[str, dict[str, str] | str] = {}
        waiting: dict[str, list[tuple[str, _Step]]] = {}
        for name, step in steps.items():
            if self.runner.is_done(step.as_step({})):
                results[name] = self._keep(name, step, {})
            else:
                waiting.setdefault(step.key, []).append((name, step))
        tasks = [
            Task(key, step.function, step.arguments, self.plan.limits.trial_limit_s)
            for key, [(_, step), *_] in waiting.items()
        ]
        width = max(1, min(self.executor.width, len(tasks)))
        for task, result in self.executor.run(tasks):
            for name, step in waiting[task.key]:
                if isinstance(result, Failure):
                    self.spent.add(name, result.seconds, width=width)
                    results[name] = result.reason
                    continue
                seconds = f"{result.seconds / width:.3f}".encode()
                results[name] = self._keep(name, step, {**result.data, _SECONDS: seconds})
        return {name: results[name] for name in steps}

    def _keep(self, name: str, step: _Step, data: Mapping[str, bytes]) -> dict[str, str]:
        outputs = dict(self.runner.run(step.as_step(data)))
        seconds = outputs.pop(_SECONDS, None)  # a build keeps no time
        if seconds is not None:
            self.spent.add(name, float(self.runner.cache.get(seconds)))
        return outputs

    def _measure(self, named: Mapping[str, tuple[Made, str]]) -> StepResult:
        import time

        from edgeworthy.devices import disturbances
        from edgeworthy.graph import work_varies
        from edgeworthy.measurement import (
            Circumstances,
            MeasurementPlan,
            MeasurementSettings,
            measure,
        )

        plan = self.plan
        begun_s = time.monotonic()
        subjects = {**named, AGAIN: named[ORIGINAL]}
        bench = open_source(plan.source)
        varies = any(work_varies(made.path) for made, _ in named.values())
        budget_s = plan.limits.measure_s * (_LONGER if varies else 1)
        found = measure(
            [
                MeasurementPlan(
                    variant=name,
                    artifact=made.path,
                    digest=made.artifact,
                    target=plan.target,
                    runtime=runtime,
                    threads=plan.threads,
                    is_original=name == ORIGINAL,
                    size_bytes=made.size_bytes,
                )
                for name, (made, runtime) in subjects.items()
            ],
            MeasurementSettings(
                query_count=30,
                budget_s=budget_s,
                minimum_s=(0.75 if varies else 0.25) * budget_s,
                seed=plan.seed,
                percents=(50.0,),
            ),
            Circumstances(plan.host, self.runner.clock, disturbances()),
            inputs=spread_samples(bench, _MANY_TIMING_SAMPLES, seed=plan.seed)
            if varies
            else first_samples(bench, _TIMING_SAMPLES),
        )
        outputs = {each.variant: encode_document(each) for each in found}
        outputs[_SECONDS] = f"{time.monotonic() - begun_s:.3f}".encode()
        return StepResult(outputs, expires_at=min(each.expires_at for each in found))


@dataclass(frozen=True)
class _Step:
    """A step whose work runs somewhere else."""

    name: str
    function: str
    arguments: bytes
    inputs: Mapping[str, str]

    @property
    def key(self) -> str:
        """Tells it from every other step."""
        return step_key(self.name, self.inputs)

    def as_step(self, data: Mapping[str, bytes]) -> Step:
        """The step, with what its work made."""
        return Step(
            name=self.name, title=self.name, inputs=self.inputs, run=lambda: StepResult(data)
        )
