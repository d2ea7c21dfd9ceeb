"""Measure artefacts against each other, in MLPerf's SingleStream scenario.

Rules:

1. Each artefact runs in processes of its own; all take turns on the same rounds.
2. A file that changes while it is measured gives no figures.
3. At most one plan per target is the original; the others of that target are compared with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeworthy.devices import HostWatch
from edgeworthy.documents.measurement import Measurement
from edgeworthy.errors import MeasurementError, ModelFileError, UsageError
from edgeworthy.files import digest_file
from edgeworthy.measurement.interleaving import Observation, observe
from edgeworthy.measurement.plan import (
    Circumstances,
    MeasurementPlan,
    MeasurementSettings,
    ProgressListener,
)
from edgeworthy.measurement.summary import summarize
from edgeworthy.measurement.wire import pack_tensors
from edgeworthy.runtimes import Tensors


def measure(
    plans: Sequence[MeasurementPlan],
    settings: MeasurementSettings,
    circumstances: Circumstances,
    *,
    inputs: Sequence[Tensors] | None = None,
    progress: ProgressListener | None = None,
) -> tuple[Measurement, ...]:
    """Latency, load time, memory and size of artefacts, measured in turns.

    Args:
        plans: What to measure.
        settings: How thoroughly.
        circumstances: Where and when.
        inputs: Model-ready tensors, one sample (batch of 1) each; random ones when left out.
        progress: Told after every round.

    Returns:
        One document per plan, in their order.

    Raises:
        ModelFileError: An engine cannot read an artefact.
        InferenceError: An engine failed on one, or its process ended.
        MeasurementError: A process fell silent, or a file changed meanwhile.
        UsageError: Two plans of one target claim to be the original.
    """
    if not plans:
        return ()
    originals = _original_positions(plans)
    taken_at = circumstances.clock()
    samples = tuple(pack_tensors(tensors) for tensors in inputs or ())
    with unchanged([plan.artifact for plan in plans]), HostWatch() as watch:
        observations = observe(plans, settings, samples, progress=progress)
    return tuple(
        summarize(
            observation,
            original=_original_of(observation, originals, observations),
            settings=settings,
            host=circumstances.host,
            taken_at=taken_at,
            disturbances=(*circumstances.disturbances, *watch.sentences),
        )
        for observation in observations
    )


def _original_positions(plans: Sequence[MeasurementPlan]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, plan in enumerate(plans):
        if not plan.is_original:
            continue
        if plan.target in positions:
            raise UsageError("two originals on one target", where=f"target `{plan.target}`")
        positions[plan.target] = position
    return positions


def _original_of(
    observation: Observation, originals: dict[str, int], observations: Sequence[Observation]
) -> Observation | None:
    position = originals.get(observation.plan.target)
    if observation.plan.is_original or position is None:
        return None
    return observations[position]


@contextlib.contextmanager
def unchanged(paths: Sequence[Path]) -> Iterator[None]:
    """Files whose bytes stay the same inside the block.

    Raises:
        ModelFileError: One cannot be read; nothing was begun.
        MeasurementError: One is another file at the end.
    """
    before = {path: _digest(path) for path in paths}
    yield
    for path, digest in before.items():
        if _digest(path) != digest:
            raise MeasurementError(
                "changed while it was measured",
                where=str(path),
                next_step="Measure again when nothing writes to it",
            )


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise ModelFileError(
            f"cannot be read: {error.strerror or error}",
            where=str(path),
            next_step="Check the path and its permissions",
        ) from error
