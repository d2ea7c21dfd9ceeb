"""Evaluating model files that belong to no project, each in the engine that reads it.

Rules:

1. Samples and labels come from an npz file; all of them judge, since nothing is calibrated.
2. The file is run as it is: an 8-bit ``.tflite`` file gets the 8-bit values that it takes.
3. Nothing is cached: whoever asks wants an answer of this file, now.
4. Two files are compared on the same samples; they may be of different formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.model_comparison import ModelComparison
from edgeworthy.documents.project import Scores
from edgeworthy.errors import DatasetError, UsageError
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
    said = _said(model, data, labels, runtime, progress)
    return _judged(said, said, data, name=model.name)


def compare_files(
    old: Path,
    new: Path,
    data: Path,
    *,
    labels: str = "",
    runtime: str = "",
    progress: Progress = silent,
) -> ModelComparison:
    """What changes for labelled samples when one classifier's file takes the place of another.

    Args:
        old: An ONNX or ``.tflite`` file.
        new: The same.
        data: An npz file with an array per input, and the labels.
        labels: Name of the array with the labels; empty for the usual names.
        runtime: Engine of both; empty for those that read such files.
        progress: Told what is going on.

    Raises:
        ModelFileError: A file cannot be used.
        DatasetError: The samples cannot be used, or have no labels.
        InferenceError: An engine failed.
        UsageError: The two do not answer the same question.
    """
    before, after = (_said(each, data, labels, runtime, progress) for each in (old, new))
    _check_comparable(before, after)
    names = [old.name, new.name]
    if old.name == new.name:
        names = [f"{path.absolute().parent.name}/{path.name}" for path in (old, new)]
    return ModelComparison(
        old=_judged(before, before, data, name=names[0]),
        new=_judged(after, before, data, name=names[1]),
    )


@dataclass(frozen=True)
class _Said:
    """What a file answered, and how its outputs are read."""

    model: Path
    artifact: str
    engine: str
    predictions: Predictions
    scores: Scores

    @property
    def class_count(self) -> int:
        return int(self.predictions.outputs.reshape(len(self.predictions), -1).shape[1])


def _said(model: Path, data: Path, labels: str, runtime: str, progress: Progress) -> _Said:
    from edgeworthy.evaluation import predict
    from edgeworthy.graph import inspect_model, samples_at_a_time
    from edgeworthy.runtimes import find_runtime, run_batched, usual_runtime

    inspection = inspect_model(model)
    engine = find_runtime(runtime or usual_runtime(model))
    with engine.load(model) as session:
        batches = _batches(session, data, labels, progress)
        run = partial(run_batched, session, at_a_time=samples_at_a_time(model))
        said = predict(run, batches, output="")
    said = _in_reals(said, model)
    return _Said(model, inspection.artifact, engine.version(), said, _scores_of(said))


def _judged(said: _Said, original: _Said, data: Path, *, name: str) -> Evaluation:
    from edgeworthy.devices import host_fingerprint
    from edgeworthy.evaluation import EvaluationSettings, evaluate

    settings = EvaluationSettings(
        task="classification", scores=said.scores, is_original=said is original
    )
    result = evaluate(said.predictions, original.predictions, settings)
    now = datetime.now(UTC)
    count = len(said.predictions)
    return Evaluation(
        artifact=said.artifact,
        original=original.artifact,
        variant=name,
        target=TARGET,
        runtime=said.engine,
        task="classification",
        dataset=DatasetReference(name=data.name, digest=digest_file(data), sample_count=count),
        metrics=result.metrics,
        flips=result.flips,
        reliability=result.reliability,
        confusion=result.confusion,
        outputs_digest=result.outputs_digest,
        host=host_fingerprint(runtime_versions=[said.engine]),
        seed=settings.seed,
        taken_at=now.isoformat(timespec="seconds"),
        expires_at=(now + timedelta(days=_EVIDENCE_DAYS)).isoformat(timespec="seconds"),
        findings=result.findings,
    )


def _check_comparable(old: _Said, new: _Said) -> None:
    for before, after, expected in (
        (old.class_count, new.class_count, f"{old.class_count} classes, as {old.model.name}"),
        (old.scores, new.scores, f"{old.scores}, as {old.model.name} gives them"),
    ):
        if before != after:
            raise UsageError(
                "the two models do not answer the same question",
                where=new.model.name,
                expected=expected,
                found=str(after),
                next_step="Compare files with the same classes that end alike",
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
