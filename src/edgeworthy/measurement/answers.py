"""Do two artefacts give the same answers?

Rules:

1. Both answer the same samples, in processes of their own that run nothing else.
2. Only outputs of the same name and shape are compared; without any, there is no answer.
3. What is reported is how far they are apart; whether that is too far depends on the task, and
   `edgeworthy evaluate` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.comparison import OutputAgreement
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.plan import MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.starting import GENERATED_COUNT
from edgeworthy.measurement.wire import (
    Answer,
    Answers,
    Load,
    Loaded,
    Prepare,
    Prepared,
    TensorBytes,
    pack_tensors,
    unpack_tensors,
)
from edgeworthy.runtimes import Tensors

#: Outputs of one sample, by name.
Outputs = Mapping[str, NDArray[Any]]

_SCORES_AXES = 2


def agreement(
    subject: MeasurementPlan,
    baseline: MeasurementPlan,
    inputs: Sequence[Tensors] | None,
    *,
    settings: MeasurementSettings,
) -> OutputAgreement | None:
    """How far the answers of two artefacts are apart.

    Args:
        subject: The one in question.
        baseline: What it is held against.
        inputs: One sample each; random ones when left out.
        settings: Seed and patience.
    """
    samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
    ours, theirs = (answers(plan, samples, settings) for plan in (subject, baseline))
    return agreement_of(ours, theirs)


def answers(
    plan: MeasurementPlan,
    samples: tuple[tuple[TensorBytes, ...], ...],
    settings: MeasurementSettings,
) -> list[Outputs]:
    """What an artefact answers to each sample."""
    with ChildProcess(plan, reply_timeout_s=settings.reply_timeout_s) as child:
        request = Prepare(
            runtime=plan.runtime,
            samples=samples,
            seed=settings.seed,
            generated_count=GENERATED_COUNT,
        )
        child.ask(request, Prepared)
        child.ask(Load(artifact=str(plan.artifact), threads=plan.threads), Loaded)
        return [unpack_tensors(each) for each in child.ask(Answer(), Answers).outputs]


def agreement_of(ours: Sequence[Outputs], theirs: Sequence[Outputs]) -> OutputAgreement | None:
    """Compare answers to the same samples.

    >>> scores = [{"y": np.array([[0.1, 0.9]])}]
    >>> agreement_of(scores, [{"y": np.array([[0.2, 0.8]])}]).same_choice_ratio
    1.0
    """
    names = [
        name
        for name, tensor in theirs[0].items()
        if name in ours[0] and ours[0][name].shape == tensor.shape and _numeric(tensor)
    ]
    if not names:
        return None
    pairs = [
        (own[name].astype(np.float64), other[name].astype(np.float64))
        for own, other in zip(ours, theirs, strict=True)
        for name in names
    ]
    return OutputAgreement(
        sample_count=len(theirs),
        largest_difference=max(_largest(own - other) for own, other in pairs),
        largest_output=max(_largest(other) for _, other in pairs),
        same_choice_ratio=_same_choice(ours, theirs, names[0]),
    )


def _numeric(tensor: NDArray[Any]) -> bool:
    return bool(np.issubdtype(tensor.dtype, np.number) or tensor.dtype == np.bool_)


def _largest(values: NDArray[np.float64]) -> float:
    """Largest absolute value; what is not a number counts as the largest number there is."""
    if not values.size:
        return 0.0
    return float(np.nan_to_num(np.abs(values), nan=np.inf).max().clip(max=np.finfo(float).max))


def _same_choice(ours: Sequence[Outputs], theirs: Sequence[Outputs], name: str) -> float | None:
    first = theirs[0][name]
    if first.ndim != _SCORES_AXES or first.shape[1] < 2:  # noqa: PLR2004 - a choice
        return None
    same = [
        np.argmax(own[name][0]) == np.argmax(other[name][0])
        for own, other in zip(ours, theirs, strict=True)
    ]
    return float(np.mean(same))
