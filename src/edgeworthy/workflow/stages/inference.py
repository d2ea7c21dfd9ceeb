"""What an artefact says about every sample, kept in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.project import InputSection, ModelSection
from edgeworthy.documents.record import canonical_json
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.measurement import host_of
from edgeworthy.workflow.stages.subjects import Subject
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.datasets import PreparedBatch
    from edgeworthy.evaluation import Predictions
    from edgeworthy.runtimes.base import Session

BATCH_SIZE = 64


@dataclass(frozen=True)
class Reading:
    """How samples become inputs, and which output is judged.

    Attributes:
        signature: Inputs and outputs of the model.
        inputs: Preparation of raw samples, by input.
        output: The output that is judged; empty for the first.
        runtime: Engine.
        threads: Of the engine.
    """

    signature: ModelSignature
    inputs: Mapping[str, InputSection]
    output: str
    runtime: str
    threads: int


def predict_samples(
    workspace: Workspace,
    subject: Subject,
    reading: Reading,
    samples: SampleSet,
    *,
    key: str,
    every: int = 1,
) -> str:
    """Digest of what the subject says about the samples.

    Args:
        workspace: The project and the means to work on it.
        subject: The artefact.
        reading: How it is run.
        samples: Are run in order.
        key: Tells this run from others in the name of the step.
        every: Which of them are run: the first of each so many.
    """
    total = samples.summary.reference.sample_count
    title = f"Running {subject.name} on {-(-total // every)} samples"

    def batches() -> Iterator[PreparedBatch]:
        from edgeworthy.datasets import prepared_batches

        for batch in prepared_batches(
            samples.open(), signature=reading.signature, inputs=reading.inputs, size=BATCH_SIZE
        ):
            workspace.progress(title, batch.first / total)
            yield from _thinned(batch, every)

    def run() -> StepResult:
        from edgeworthy.evaluation import predict
        from edgeworthy.runtimes import find_runtime

        with find_runtime(reading.runtime).load(subject.path, threads=reading.threads) as session:
            answers, output = answering(session, subject, reading, workspace.project.model)
            made = predict(answers, batches(), output=output)
        return StepResult({"predictions": made.to_npz_bytes()})

    outputs = workspace.runner.run(
        Step(
            name=f"predict/{reading.runtime}-{reading.threads}/{key}",
            title=title,
            inputs={**_inputs(workspace, subject, reading, samples), "every": str(every)},
            run=run,
        )
    )
    return outputs["predictions"]


def _inputs(
    workspace: Workspace, subject: Subject, reading: Reading, samples: SampleSet
) -> dict[str, str]:
    """What the answers depend on."""
    return {
        "artefact": subject.artifact,
        "samples": samples.digest,
        "preparation": digest_bytes(canonical_json([reading.signature, dict(reading.inputs)])),
        "output": reading.output,
        "outputs": canonical_json(output_form(workspace.project.model)).decode(),
        "host": canonical_json(host_of(workspace)).decode(),
        "engine": engine_version(reading.runtime),
        "tools": tool_version("numpy"),
    }


def engine_version(runtime: str) -> str:
    """Name and version of an engine, whatever its package is called."""
    from edgeworthy.runtimes import find_runtime

    return find_runtime(runtime).version()


def answering(
    session: Session, subject: Subject, reading: Reading, section: ModelSection
) -> tuple[Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]], str]:
    """A session as evaluation calls it, and the name of the output that is judged.

    Args:
        session: A loaded model.
        subject: The artefact that it was loaded from.
        reading: How it is run.
        section: ``[model]``: what the outputs mean.
    """
    from edgeworthy.evaluation import judged_as
    from edgeworthy.runtimes import run_batched

    read = msgspec.structs.replace(section, output=reading.output)
    return judged_as(partial(run_batched, session, at_a_time=subject.at_a_time), read)


def _thinned(batch: PreparedBatch, every: int) -> Iterator[PreparedBatch]:
    """The samples of a batch whose position in the set is a multiple of ``every``."""
    from edgeworthy.datasets import PreparedBatch

    if every == 1:
        yield batch
        return
    start = -batch.first % every
    if start < len(batch.labels):
        yield PreparedBatch(
            first=batch.first + start,
            inputs={name: array[start::every] for name, array in batch.inputs.items()},
            labels=batch.labels[start::every],
            slices={column: texts[start::every] for column, texts in batch.slices.items()},
        )


def output_form(section: ModelSection) -> list[object]:
    """What joins or shrinks outputs; empty for tasks that judge one output as it is."""
    if section.task not in {"detection", "segmentation"}:
        return []
    return [section.task, section.outputs, section.boxes, len(section.labels)]


def load_predictions(workspace: Workspace, digest: str) -> Predictions:
    """Predictions from the cache."""
    from edgeworthy.evaluation import Predictions

    return Predictions.from_npz_bytes(
        workspace.cache.get(digest), where=str(workspace.cache.path_of(digest))
    )
