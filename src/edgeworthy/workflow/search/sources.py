"""What a search works on, in a form that any process can open again.

Rules:

1. A source is a record: it travels to the process of a trial, which opens it there.
2. A project is its file and a target. A bare model comes with samples in an npz file: an array per
   input, and one of labels if there are any.
3. Samples of a bare model take turns: every other one finds ranges and the rest judge, unless
   calibration has a file of its own. No sample does both.
4. Without labels the model's own float answers take their place, and every figure says so.
   All outputs count then, unless one is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.project import ModelSection, Scores, Task
from edgeworthy.documents.record import Record
from edgeworthy.documents.search import MetricBasis, PinnedAxis
from edgeworthy.errors import UsageError
from edgeworthy.workflow.search.bare_samples import (
    bare_arrays,
    batch_size,
    fitted,
    labelled_batches,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.datasets import Rows
    from edgeworthy.evaluation.predictions import Batch
    from edgeworthy.graph import LoadedModel
    from edgeworthy.runtimes import Tensors

#: Samples of a bare model that find ranges, at most.
_MOST_CALIBRATION = 512
_BATCH_SIZE = 32


class ProjectSource(Record, frozen=True, kw_only=True, tag="project"):
    """A project.

    Attributes:
        path: The project file.
    """

    path: str


class BareSource(Record, frozen=True, kw_only=True, tag="bare"):
    """A model file and samples.

    Attributes:
        model: An ONNX file.
        data: An npz file.
        calibration: Another one, with the samples that ranges come from; empty to share the first.
        labels: Name of the array with the labels; empty for the usual names, or none.
        vectors: Without labels: compare directions of the outputs, not their largest entries.
        output: Name of the output that is judged; empty for the first with labels, for all
            without.
    """

    model: str
    data: str
    calibration: str = ""
    labels: str = ""
    vectors: bool = False
    output: str = ""


Source = ProjectSource | BareSource


@dataclass(frozen=True)
class Judging:
    """How outputs are judged.

    Attributes:
        basis: What the metric compares with.
        task: What the outputs mean.
        scores: Whether a classifier's outputs are logits.
        label_count: Number of classes; 0 takes it from the outputs.
        output: Name of the output; empty for the first with labels, for all without.
        seed: Of intervals.
    """

    basis: MetricBasis
    task: Task
    scores: Scores = "logits"
    label_count: int = 0
    output: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Bench:
    """An opened source.

    Attributes:
        model: The original, its axes pinned.
        signature: Its inputs and outputs.
        calibration: Gives the samples that ranges come from.
        evaluation: Gives the samples that judge, batch by batch.
        judging: How they do.
        section: What the outputs mean, as the project says it.
        pinned: Axes that a bare model leaves open, with the sizes that they have in the samples.
    """

    model: LoadedModel
    signature: ModelSignature
    calibration: Callable[[], Iterator[Tensors]]
    evaluation: Callable[[], Iterator[Batch]]
    judging: Judging
    section: ModelSection
    pinned: tuple[PinnedAxis, ...] = ()


def open_source(source: Source) -> Bench:
    """Open a source in this process.

    Raises:
        ModelFileError: The model cannot be used.
        DatasetError: The samples cannot be used.
        ProjectFileError: The project cannot be read.
    """
    if isinstance(source, ProjectSource):
        return _open_project(Path(source.path))
    return _open_bare(source)


def _open_project(path: Path) -> Bench:
    from edgeworthy.graph import load_model, model_signature
    from edgeworthy.workflow.project import Project
    from edgeworthy.workflow.stages.data import prepared
    from edgeworthy.workflow.stages.inspection import pinned

    workspace = Project.load(path).workspace
    declared = workspace.project.model
    model = pinned(workspace, load_model(workspace.path(declared.path)))
    signature = model_signature(model.proto)

    def calibration() -> Iterator[Tensors]:
        for batch in prepared(workspace, "calibration", signature, _BATCH_SIZE):
            yield batch.inputs

    return Bench(
        model=model,
        signature=signature,
        calibration=calibration,
        evaluation=lambda: prepared(workspace, "evaluation", signature, _BATCH_SIZE),
        judging=Judging(
            basis="labels",
            task=declared.task,
            scores=declared.scores,
            label_count=len(declared.labels),
            output=declared.output,
            seed=workspace.project.seed,
        ),
        section=declared,
    )


def _open_bare(source: BareSource) -> Bench:
    from edgeworthy.graph import check_batch, load_model, model_signature
    from edgeworthy.runtimes import fixed_batch_size

    model = load_model(Path(source.model))
    given = model_signature(model.proto)
    check_batch(given)
    arrays, labels = bare_arrays(Path(source.data), given, source.labels)
    model, pinned = fitted(model, given, arrays)
    signature = model_signature(model.proto)
    count = len(next(iter(arrays.values())))
    if source.calibration:
        ranges, _ = bare_arrays(Path(source.calibration), signature, source.labels)
        rows = slice(0, count)
    else:
        # Turns, so that a file sorted by class gives both halves of every class.
        ranges = {name: values[0::2] for name, values in arrays.items()}
        rows = slice(1, count, 2)
    judged = {name: values[rows] for name, values in arrays.items()}
    truth = None if labels is None else labels[rows]
    size = fixed_batch_size(signature) or batch_size(arrays)
    return Bench(
        model=model,
        signature=signature,
        calibration=lambda: _pieces(ranges, size, _MOST_CALIBRATION),
        evaluation=lambda: labelled_batches(judged, truth, size),
        judging=Judging(
            basis=_basis(source, signature, labelled=truth is not None),
            task="classification",
            output=source.output,
        ),
        section=ModelSection(path="", task="classification", output=source.output),
        pinned=pinned,
    )


def _basis(source: BareSource, signature: ModelSignature, *, labelled: bool) -> MetricBasis:
    judged = _judged(source, signature)
    if labelled:
        return "labels"
    if len(judged) > 1:
        return "agreement-vectors"
    shape = judged[0].shape
    one_vector = len(shape) == 2 and shape[1] != 1  # noqa: PLR2004 - a batch of vectors
    return "agreement-classes" if one_vector and not source.vectors else "agreement-vectors"


def _judged(source: BareSource, signature: ModelSignature) -> Sequence[TensorSignature]:
    """The outputs that count: the named one, else all of real numbers, else the first."""
    outputs = signature.outputs
    if not source.output:
        return [each for each in outputs if each.dtype.startswith("float")] or outputs[:1]
    named = [each for each in outputs if each.name == source.output]
    if not named:
        raise UsageError(
            f"the model has no output `{source.output}`",
            expected=", ".join(f"`{each.name}`" for each in outputs),
            next_step="Name one of them with --output, or leave the option out",
        )
    return named


def _pieces(arrays: Mapping[str, Rows], size: int, most: int) -> Iterator[dict[str, NDArray[Any]]]:
    count = min(len(next(iter(arrays.values()))), most)
    whole = count - count % size if count >= size else count
    for first in range(0, whole, size):
        yield {name: values[first : first + size].read() for name, values in arrays.items()}
