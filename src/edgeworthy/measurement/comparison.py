"""Two artefacts against each other, and the baseline against itself.

Rules:

1. Three processes take turns: the subject, the baseline, and the baseline once more. Their order is
   drawn anew for each round, so that whatever disturbs the machine disturbs them all alike.
2. The default budget is eight starts: enough that one odd start does not decide the verdict.
3. Answers are compared too, outside of the timed runs: a fast wrong answer is no result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from edgeworthy.devices import HostWatch
from edgeworthy.documents.comparison import Comparison
from edgeworthy.measurement.answers import agreement
from edgeworthy.measurement.interleaving import observe
from edgeworthy.measurement.judging import judge
from edgeworthy.measurement.plan import (
    RATIO_CONFIDENCE,
    Circumstances,
    MeasurementPlan,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.single_stream import unchanged
from edgeworthy.measurement.summary import summarize
from edgeworthy.measurement.wire import pack_tensors
from edgeworthy.runtimes import Tensors

#: Starts of each artefact when nothing else is asked for.
DEFAULT_START_COUNT = 8
#: Enough rounds per start for a median that a burst does not move.
COMPARISON_SETTINGS = MeasurementSettings(
    query_count=5 * DEFAULT_START_COUNT,
    minimum_s=1.0,
    launches=DEFAULT_START_COUNT,
    keeps_partial=True,
)


def compare(
    subject: MeasurementPlan,
    baseline: MeasurementPlan,
    settings: MeasurementSettings,
    circumstances: Circumstances,
    *,
    inputs: Sequence[Tensors] | None = None,
    progress: ProgressListener | None = None,
) -> Comparison:
    """Say which of two artefacts is faster.

    Args:
        subject: The one in question.
        baseline: What it is held against.
        settings: How thoroughly; :data:`COMPARISON_SETTINGS` is the usual.
        circumstances: Where and when.
        inputs: Model-ready tensors, one sample each; random ones when left out.
        progress: Told after every round.

    Raises:
        ModelFileError: An engine cannot read an artefact.
        InferenceError: An engine failed on one, or its process ended.
        MeasurementError: A process fell silent, or a file changed meanwhile.
    """
    taken_at, begun_s = circumstances.clock(), time.monotonic()
    samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
    plans = [subject, baseline, replace(baseline, variant=f"{baseline.variant} (again)")]
    with unchanged([subject.artifact, baseline.artifact]), HostWatch() as watch:
        outputs = agreement(subject, baseline, inputs, settings=settings)
        ours, theirs, again = observe(plans, settings, samples, progress=progress)
    duration_s = time.monotonic() - begun_s
    found = judge(ours, theirs, again, confidence=RATIO_CONFIDENCE, duration_s=duration_s)
    summary = partial(
        summarize,
        original=None,
        settings=settings,
        host=circumstances.host,
        taken_at=taken_at,
        disturbances=(*circumstances.disturbances, *watch.sentences),
    )
    start_count = len(ours.launches)
    return Comparison(
        subject=summary(ours),
        baseline=summary(theirs),
        ratio=found.ratio,
        verdict=found.verdict,
        sentence=found.sentence,
        self_check=found.self_check,
        visible_difference_ratio=found.visible_difference_ratio,
        needs=found.needs,
        drift=found.drift,
        disturbed_turn_ratio=found.disturbed_turn_ratio,
        outlying_starts=found.outlying_starts,
        outputs=outputs,
        start_count=start_count,
        duration_s=duration_s,
        seed=settings.seed,
        partial=start_count < settings.launch_count,
    )
