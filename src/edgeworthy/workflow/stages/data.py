"""The samples that a build uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from edgeworthy.documents.dataset import DatasetSummary
from edgeworthy.documents.encoded import EncodedSample, PipelinePlan, encoded_size_bytes
from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.project import DataSection
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.errors import DatasetError
from edgeworthy.files import digest_bytes
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

if TYPE_CHECKING:
    from edgeworthy.datasets import Dataset, PreparedBatch

#: Encoded samples that take turns hold at most so much memory together.
_ENCODED_BYTES = 64 << 20


@dataclass(frozen=True)
class SampleSet:
    """One table ``[data.NAME]``, read and summarized.

    Attributes:
        workspace: Where it belongs.
        name: The table's name.
        section: The table.
        summary: What it holds.
    """

    workspace: Workspace
    name: str
    section: DataSection
    summary: DatasetSummary

    @property
    def digest(self) -> str:
        """Digest of the samples, labels and slices."""
        return self.summary.reference.digest

    def open(self) -> Dataset:
        """The samples themselves."""
        return _open(self.workspace, self.name, self.section)

    def batches(self, signature: ModelSignature, size: int) -> Iterator[PreparedBatch]:
        """Model-ready batches, in order."""
        from edgeworthy.datasets import prepared_batches

        return prepared_batches(
            self.open(), signature=signature, inputs=self.workspace.project.model.inputs, size=size
        )

    def pipeline(self, signature: ModelSignature, count: int) -> PipelinePlan:
        """The way of the first samples, from what a device receives to answers.

        Args:
            signature: Of the model.
            count: Samples, at most; fewer where they are large.
        """
        from edgeworthy.datasets import input_preparations

        dataset, model = self.open(), self.workspace.project.model
        return PipelinePlan(
            samples=tuple(_within(dataset.encoded(count), _ENCODED_BYTES)),
            inputs=input_preparations(dataset, signature, model.inputs),
            task=model.task,
            scores=model.scores,
            output=model.output,
            labels=model.labels,
        )


def _within(samples: Iterator[EncodedSample], limit_bytes: int) -> Iterator[EncodedSample]:
    """The first samples that fit the limit together, one at least."""
    total = 0
    for index, sample in enumerate(samples):
        total += encoded_size_bytes(sample)
        if index and total > limit_bytes:
            return
        yield sample


def read_samples(workspace: Workspace) -> dict[str, SampleSet]:
    """Read every data set of the project, and check that none that must not overlap does.

    Raises:
        DatasetError: One cannot be read, or calibration and evaluation share samples.
    """
    outputs = {name: _summarize(workspace, name) for name in sorted(workspace.project.data)}
    if "calibration" in outputs and "evaluation" in outputs:
        _check_overlap(workspace, outputs["calibration"], outputs["evaluation"])
    return {
        name: SampleSet(
            workspace=workspace,
            name=name,
            section=workspace.project.data[name],
            summary=workspace.document(made["summary"], DatasetSummary),
        )
        for name, made in outputs.items()
    }


def prepared(
    workspace: Workspace, name: str, signature: ModelSignature, size: int
) -> Iterator[PreparedBatch]:
    """Model-ready batches of one table, without its summary."""
    from edgeworthy.datasets import prepared_batches

    dataset = _open(workspace, name, workspace.project.data[name])
    inputs = workspace.project.model.inputs
    return prepared_batches(dataset, signature=signature, inputs=inputs, size=size)


def preparation_digest(workspace: Workspace, signature: ModelSignature) -> str:
    """Digest of everything that turns a raw sample into the model's input."""
    return digest_bytes(canonical_json([signature, workspace.project.model.inputs]))


def _open(workspace: Workspace, name: str, section: DataSection) -> Dataset:
    from edgeworthy.datasets import open_dataset

    model = workspace.project.model
    return open_dataset(
        section, folder=workspace.folder, name=name, task=model.task, labels=model.labels
    )


def _summarize(workspace: Workspace, name: str) -> dict[str, str]:
    section = workspace.project.data[name]
    model = workspace.project.model

    def run() -> StepResult:
        from edgeworthy.datasets import check_labels, summary_of, survey

        dataset = _open(workspace, name, section)
        found = survey(dataset, task=model.task, labels=model.labels)
        summary = summary_of(found, dataset, name=name, section=section)
        if name == "evaluation":
            check_labels(summary, model.labels)
        outputs = {
            "summary": encode_document(summary),
            "digests": canonical_json(found.sample_digests),
        }
        return StepResult(outputs)

    return workspace.runner.run(
        Step(
            name=f"data/{name}",
            title=f"Reading the {name} samples",
            inputs={
                "samples": _source_digest(workspace, name, section),
                f"[data.{name}]": canonical_json(section).decode(),
                "task": model.task,
                "labels": canonical_json(model.labels).decode(),
                "tools": tool_version("numpy", "pillow"),
            },
            run=run,
        )
    )


def _source_digest(workspace: Workspace, name: str, section: DataSection) -> str:
    if section.function:
        # What a function returns can only be known by calling it.
        from edgeworthy.datasets import sample_digests

        return digest_bytes(canonical_json(sample_digests(_open(workspace, name, section))))
    path = workspace.path(section.path)
    if not path.exists():
        raise DatasetError(
            "no samples here",
            where=str(path),
            next_step=f"Correct `path` under [data.{name}] in the project file",
        )
    try:
        return workspace.files_digest(path)
    except OSError as error:
        raise DatasetError(
            f"the samples cannot be read: {error.strerror}",
            where=str(error.filename or path),
            next_step="Check that you may read the files",
        ) from error


def _check_overlap(
    workspace: Workspace, calibration: dict[str, str], evaluation: dict[str, str]
) -> None:
    def digests(outputs: dict[str, str]) -> tuple[str, ...]:
        return msgspec.json.decode(workspace.cache.get(outputs["digests"]), type=tuple[str, ...])

    def run() -> StepResult:
        from edgeworthy.datasets import check_overlap

        check_overlap("calibration", digests(calibration), "evaluation", digests(evaluation))
        return StepResult({"verdict": b"no sample is in both"})

    workspace.runner.run(
        Step(
            name="data-overlap",
            title="Comparing the calibration and evaluation samples",
            inputs={
                "calibration samples": calibration["digests"],
                "evaluation samples": evaluation["digests"],
            },
            run=run,
        )
    )
