"""The search: waves of trials until the ladder ends or the budget is used.

Rules:

1. The ladder says what comes next from what was found; this module makes, runs and times it.
2. The budget is looked at before a wave and after each of its parts: what was begun is finished.
3. A trial that fails is reported with its reason and passed over.
4. Every figure of a trial is of the very file that would ship.
5. Where the samples are too few to show even that float loses nothing, the ladder goes by observed
   losses; what may take the place of float still needs proof.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import HarmCheck
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.search import LayerSensitivity, Trial
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.errors import EdgeworthyError
from edgeworthy.optimization.search import (
    Attempt,
    Found,
    Point,
    Situation,
    front,
    next_wave,
    wants_sensitivity,
)
from edgeworthy.release.harm import HarmTerms, check_harm, usual_margin
from edgeworthy.workflow.executors import Executor
from edgeworthy.workflow.search.judging import judge, judge_original, metric_of
from edgeworthy.workflow.search.plan import SearchPlan
from edgeworthy.workflow.search.sources import Judging
from edgeworthy.workflow.search.trials import Made, Trials
from edgeworthy.workflow.stages.measurement import AGAIN
from edgeworthy.workflow.steps import Progress, StepRunner, silent

if TYPE_CHECKING:
    from edgeworthy.evaluation import Predictions


_MEDIAN_PERCENT = 50.0


@dataclass
class Findings:
    """What a search found.

    Attributes:
        trials: The original first.
        files: File by name of a trial.
        self_check: The original against itself.
        sensitivities: Layers by the error that they cause.
        sensitivity_of: The trial that they were taken of.
        ended: Why the search ended.
        history: What the ladder looks at.
    """

    trials: list[Trial] = field(default_factory=list)
    files: dict[str, Made] = field(default_factory=dict)
    self_check: Estimate | None = None
    sensitivities: tuple[LayerSensitivity, ...] = ()
    sensitivity_of: str = ""
    ended: str = ""
    history: list[Found] = field(default_factory=list)

    def trial(self, name: str) -> Trial:
        """The trial of this name."""
        return next(each for each in self.trials if each.name == name)


class SearchRun:
    """One search.

    Args:
        plan: What is searched for.
        judging: How outputs are judged.
        runner: Runs steps against a cache.
        executor: Where the work runs.
        progress: Told what is going on.
    """

    def __init__(
        self,
        plan: SearchPlan,
        judging: Judging,
        runner: StepRunner,
        executor: Executor,
        progress: Progress = silent,
    ) -> None:
        self.plan = plan
        self.judging = judging
        self.trials = Trials(plan, runner, executor)
        self.progress = progress
        self.found = Findings()
        self._reference: Predictions | None = None

    def _may_cascade(self) -> bool:
        """Whether close calls can be told, and a larger file may be of use."""
        classes = self.judging.basis == "agreement-classes"
        classes |= self.judging.basis == "labels" and self.judging.task == "classification"
        return classes and self.plan.prefer != "size"

    def run(self) -> Findings:
        """Search until the ladder ends or the budget is used.

        Raises:
            EdgeworthyError: The original itself cannot be run.
        """
        self._begin()
        situation = Situation(
            instruction_set=self.plan.instruction_set,
            runtimes=self.plan.runtimes,
            own_recipes=self.plan.own_recipes,
            cascades=self._may_cascade(),
        )
        while True:
            wave = next_wave(situation, self.found.history)
            if not wave and not situation.sensitivities:
                situation = self._with_sensitivities(situation)
                wave = next_wave(situation, self.found.history)
            if not wave:
                self.found.ended = self.found.ended or "everything on the ladder was tried"
                break
            wave = self._affordable(wave)
            if not wave:
                break
            self._try(wave)
        self._mark_front()
        return self.found

    def _begin(self) -> None:
        """Run the original: what everything else is held against."""
        self.progress("Running the original", None)
        runtime = self.plan.runtimes[0]
        said = self.trials.answers({ORIGINAL: (self.trials.original, runtime)})[ORIGINAL]
        if isinstance(said, str):
            raise EdgeworthyError(
                f"the original cannot be run on the samples: {said}",
                where=str(self.plan.model),
                next_step="Check that the samples are prepared as the model takes them; of a bare "
                "model, --output names the output that is judged and --vectors compares any shape",
            )
        self._reference = said
        metric = judge_original(said, self.judging, confidence=self.plan.confidence)
        self.found.files[ORIGINAL] = self.trials.original
        self.found.trials.append(
            Trial(
                name=ORIGINAL,
                recipe=None,
                runtime=runtime,
                why="the model as it was given",
                artifact=self.plan.original,
                size_bytes=self.plan.original_size_bytes,
                metric=metric,
                seconds=self.trials.spent.seconds.get(ORIGINAL, 0.0),
            )
        )

    def _with_sensitivities(self, situation: Situation) -> Situation:
        recipe = wants_sensitivity(self.found.history)
        if recipe is None or self._is_over():
            return situation
        self.progress("Ranking layers by the error that they cause", None)
        ranked = self.trials.rank(recipe)
        if isinstance(ranked, str):
            self.found.ended = f"layers could not be ranked: {ranked}"
            return situation
        self.found.sensitivities, self.found.sensitivity_of = ranked, recipe.name
        return dataclasses.replace(situation, sensitivities=ranked)

    def _is_over(self) -> bool:
        budget = self.plan.limits.budget_s
        return budget is not None and self.trials.spent.total_s >= budget

    def _affordable(self, wave: Sequence[Attempt]) -> tuple[Attempt, ...]:
        limits = self.plan.limits
        if self._is_over():
            self.found.ended = f"the budget of {limits.budget_s:g} s was used"
            return ()
        if limits.trial_count is None:
            return tuple(wave)
        left = limits.trial_count - (len(self.found.trials) - 1)
        if left <= 0:
            self.found.ended = f"all of {limits.trial_count} trials were used"
        return tuple(wave)[: max(left, 0)]

    def _try(self, wave: Sequence[Attempt]) -> None:
        names = {_name(each, self.plan.runtimes[0]): each for each in wave}
        self.progress(f"Trying {', '.join(names)}", self._done_ratio())
        made = self.trials.make([e.recipe for e in wave if e.recipe is not None])
        reasons: dict[str, str] = {}
        files: dict[str, tuple[Made, str]] = {}
        for name, attempt in names.items():
            result = made[attempt.recipe.name] if attempt.recipe else self.trials.original
            if isinstance(result, str):
                reasons[name] = result
            else:
                files[name] = (result, attempt.runtime)
        answers = self.trials.answers(files)
        reasons |= {name: said for name, said in answers.items() if isinstance(said, str)}
        sound = {name: file for name, file in files.items() if name not in reasons}
        times = self._times(sound, reasons)
        for name, attempt in names.items():
            trial = self._trial(name, attempt, files.get(name), reasons.get(name, ""))
            if name in times:
                said = answers[name]
                assert not isinstance(said, str)  # noqa: S101 - only sound ones were timed
                trial = self._judged(trial, said, times[name])
                self.found.files[name] = sound[name][0]
            self.found.trials.append(trial)
            self.found.history.append(self._found(attempt, trial))

    def _found(self, attempt: Attempt, trial: Trial) -> Found:
        if trial.failure or trial.loss is None:
            return Found(attempt, failed=True)
        enough = trial.harm is None or trial.harm.not_inferior
        if not self._can_be_shown():
            enough = trial.loss.value <= self.margin
        return Found(
            attempt,
            failed=False,
            loss=trial.loss.value,
            latency=trial.ratio.value if trial.ratio else None,
            enough=enough,
            worthwhile=trial.harm is None or trial.harm.better,
        )

    def _can_be_shown(self) -> bool:
        """Whether there are samples enough to show that float itself loses nothing (rule 5)."""
        plain = next((e for e in self.found.trials if self._is_float(e) and e.loss), None)
        return plain is None or plain.loss is None or plain.loss.high <= self.margin

    def _times(
        self, sound: Mapping[str, tuple[Made, str]], reasons: dict[str, str]
    ) -> dict[str, Measurement]:
        if not sound:
            return {}
        self.progress(f"Measuring {', '.join(sound)}", self._done_ratio())
        times = self.trials.time(sound)
        if isinstance(times, str):
            # One that cannot be started must not take the others with it.
            if len(sound) == 1:
                reasons[next(iter(sound))] = times
                return {}
            single = [self._times({name: file}, reasons) for name, file in sound.items()]
            return {name: found for each in single for name, found in each.items()}
        self._note_original(times)
        return {name: found for name, found in times.items() if name in sound}

    def _note_original(self, times: Mapping[str, Measurement]) -> None:
        again = times[AGAIN].against_original
        if again is not None and self.found.self_check is None:
            self.found.self_check = again.ratio
            first = self.found.trials[0]
            self.found.trials[0] = _replace(first, latency_ms=_median(times[ORIGINAL]))

    def _trial(
        self, name: str, attempt: Attempt, file: tuple[Made, str] | None, failure: str
    ) -> Trial:
        made = file[0] if file else None
        return Trial(
            name=name,
            recipe=attempt.recipe,
            runtime=attempt.runtime,
            why=attempt.why,
            failure=failure,
            artifact=made.artifact if made else "",
            size_bytes=made.size_bytes if made else 0,
            seconds=round(self.trials.spent.seconds.get(name, 0.0), 3),
        )

    def _judged(self, trial: Trial, said: Predictions, measured: Measurement) -> Trial:
        assert self._reference is not None  # noqa: S101 - the original was run first
        try:
            metric, loss = judge(
                said, self._reference, self.judging, confidence=self.plan.confidence
            )
        except EdgeworthyError as error:
            return _replace(trial, failure=str(error))
        against = measured.against_original
        ratio = against.ratio if against else None
        judged = _replace(
            trial, metric=metric, loss=loss, latency_ms=_median(measured), ratio=ratio
        )
        if self._is_float(trial):
            return judged
        return _replace(judged, harm=self._harm(judged))

    def _is_float(self, trial: Trial) -> bool:
        """Cleaned float on the usual engine is proved equal to the original."""
        recipe = trial.recipe
        plain = recipe is None or recipe.precision == "float32"
        return plain and trial.runtime == self.plan.runtimes[0]

    def _harm(self, trial: Trial) -> HarmCheck:
        return check_harm(trial.loss, trial.ratio, trial.size_bytes, self.terms)

    @property
    def margin(self) -> float:
        """Largest loss that still counts as none."""
        if self.plan.margin is not None:
            return self.plan.margin
        metric = self.found.trials[0].metric
        return usual_margin(metric_of(self.judging).unit, metric.value if metric else 0.0)

    @property
    def terms(self) -> HarmTerms:
        """What versions are held against."""
        return HarmTerms(
            metric=metric_of(self.judging).metric,
            margin=self.margin,
            prefer=self.plan.prefer,
            float_size_bytes=self.plan.original_size_bytes,
            self_check=self.found.self_check,
        )

    def _done_ratio(self) -> float | None:
        limits = self.plan.limits
        if limits.budget_s is not None:
            return min(self.trials.spent.total_s / limits.budget_s, 1.0)
        return None

    def _mark_front(self) -> None:
        points = [_point(each) for each in self.found.trials]
        self.found.trials = [
            _replace(each, on_front=on)
            for each, on in zip(self.found.trials, front(points), strict=True)
        ]


def _name(attempt: Attempt, usual: str) -> str:
    name = attempt.recipe.name if attempt.recipe else ORIGINAL
    return name if attempt.runtime == usual else f"{name}-on-{attempt.runtime}"


def _point(trial: Trial) -> Point | None:
    if trial.failure:
        return None
    if trial.name == ORIGINAL:
        return Point(0.0, 1.0, trial.size_bytes)
    if trial.loss is None or trial.ratio is None:
        return None
    return Point(trial.loss.value, trial.ratio.value, trial.size_bytes)


def _median(measurement: Measurement) -> Estimate | None:
    return next(
        (
            each.latency_ms
            for each in measurement.percentiles
            if each.percent == _MEDIAN_PERCENT and each.latency_ms
        ),
        None,
    )


def _replace(trial: Trial, **changes: object) -> Trial:
    import msgspec

    changed: Trial = msgspec.structs.replace(trial, **changes)
    return changed
