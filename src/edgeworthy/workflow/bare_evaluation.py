"""Evaluating a model file that belongs to no project, in the engine that reads it.

Rules:

1. Samples and labels come from an npz file; all of them judge, since nothing is calibrated.
2. The file is run as it is: an 8-bit ``.tflite`` file gets the 8-bit values that it takes.
3. Nothing is cached: whoever asks wants an answer of this file, now.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import Scores
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.errors import DatasetError
from edgeworthy.files import digest_file
from edgeworthy.workflow.bare_models import TARGET
from edgeworthy.workflow.search.bare_samples import bare_arrays, batch_size, labelled_batches
from edgeworthy.workflow.steps import Progress, silent

if TYPE_CHECKING:
    from edgeworthy.evaluation import Predictions
    from edgeworthy.evaluation.predictions import Batch
    from edgeworthy.runtimes import Session

_EVIDENCE_DAYS = 90
#: 8-bit probabilities add up to 1 within their steps.
_ROUNDING = 0.05


def evaluate_file(
    model: Path, data: Path, *, labels: str = "", runtime: str = "", progress: Progress = silent
) -> Evaluation:
    """Metrics of a classifier's file on labelled samples.

    Args:
        model: An ONNX or ``.tflite`` file.
        data: An npz file with an array per input, and the labels.
        labels: Name of the array with the labels; empty for the usual names.
        runtime: Engine; empty for the one that reads such files.
        progress: Told what is going on.

    Raises:
        ModelFileError: The file cannot be used.
        DatasetError: The samples cannot be used, or have no labels.
        InferenceError: The engine failed.
    """
    from edgeworthy.devices import host_fingerprint
    from edgeworthy.evaluation import EvaluationSettings, evaluate, predict
    from edgeworthy.graph import inspect_model, ranges_are_by_batch
    from edgeworthy.runtimes import find_runtime, run_batched, usual_runtime

    inspection = inspect_model(model)
    engine = find_runtime(runtime or usual_runtime(model))
    with engine.load(model) as session:
        batches = _batches(session, data, labels, progress)
        at_a_time = 1 if ranges_are_by_batch(model) else None
        said = predict(partial(run_batched, session, at_a_time=at_a_time), batches, output="")
    said = _in_reals(said, model)
    settings = EvaluationSettings(task="classification", scores=_scores_of(said), is_original=True)
    result = evaluate(said, said, settings)
    now = datetime.now(UTC)
    return Evaluation(
        artifact=inspection.artifact,
        original=inspection.artifact,
        variant=ORIGINAL,
        target=TARGET,
        runtime=engine.version(),
        task="classification",
        dataset=DatasetReference(name=data.name, digest=digest_file(data), sample_count=len(said)),
        metrics=result.metrics,
        flips=None,
        reliability=result.reliability,
        confusion=result.confusion,
        outputs_digest=result.outputs_digest,
        host=host_fingerprint(runtime_versions=[engine.version()]),
        seed=settings.seed,
        taken_at=now.isoformat(timespec="seconds"),
        expires_at=(now + timedelta(days=_EVIDENCE_DAYS)).isoformat(timespec="seconds"),
        findings=result.findings,
    )


def _batches(session: Session, data: Path, labels: str, progress: Progress) -> Iterator[Batch]:
    from edgeworthy.runtimes import fixed_batch_size

    arrays, truth = bare_arrays(data, session.signature, labels)
    if truth is None:
        raise DatasetError(
            "no array with the labels",
            where=str(data),
            expected="`labels`, `label`, `y` or `targets`",
            next_step="Name the array with --labels",
        )
    size = fixed_batch_size(session.signature) or batch_size(arrays)
    for batch in labelled_batches(arrays, truth, size):
        progress(f"Running {data.name}", batch.first / len(truth))
        yield batch


def _in_reals(said: Predictions, model: Path) -> Predictions:
    """What 8-bit outputs of a ``.tflite`` file stand for."""
    import dataclasses

    import numpy as np

    from edgeworthy.graph.tflite import read_tflite

    if model.suffix.lower() != ".tflite" or not np.issubdtype(said.outputs.dtype, np.integer):
        return said
    read = read_tflite(model.read_bytes(), where=str(model))
    output = read.tensors[read.outputs[0]]
    if not output.scale:
        return said
    reals = (said.outputs.astype(np.float32) - output.zero_point) * np.float32(output.scale)
    return dataclasses.replace(said, outputs=reals)


def _scores_of(said: Predictions) -> Scores:
    """Whether outputs are probabilities already: none below 0, and each sample's add up to 1."""
    import numpy as np

    rows = said.outputs.reshape(len(said), -1)
    whole = np.abs(rows.sum(axis=1) - 1.0) < _ROUNDING
    return "probabilities" if bool((rows >= 0).all() and whole.all()) else "logits"
