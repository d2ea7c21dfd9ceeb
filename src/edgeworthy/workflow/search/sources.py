"""What a search works on, in a form that any process can open again.

Rules:

1. A source is a record: it travels to the process of a trial, which opens it there.
2. A project is its file and a target. A bare model comes with samples in an npz file: an array per
   input, and one of labels if there are any.
3. Samples of a bare model take turns: every other one finds ranges and the rest judge, unless
   calibration has a file of its own. No sample does both.
4. Without labels the model's own float answers take their place, and every figure says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeworthy.documents.model import ModelSignature
from edgeworthy.documents.project import ModelSection, Scores, Task
from edgeworthy.documents.record import Record
from edgeworthy.documents.search import MetricBasis
from edgeworthy.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeworthy.evaluation.predictions import Batch
    from edgeworthy.graph import LoadedModel
    from edgeworthy.runtimes import Tensors

#: Samples of a bare model that find ranges, at most.
_MOST_CALIBRATION = 512
_LABEL_NAMES = ("labels", "label", "y", "targets")
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
    """

    model: str
    data: str
    calibration: str = ""
    labels: str = ""
    vectors: bool = False


Source = ProjectSource | BareSource


@dataclass(frozen=True)
class Judging:
    """How outputs are judged.

    Attributes:
        basis: What the metric compares with.
        task: What the outputs mean.
        scores: Whether a classifier's outputs are logits.
        label_count: Number of classes; 0 takes it from the outputs.
        output: Name of the output; empty for the first.
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
        section: What the outputs mean, as the project says it; a bare model's first output counts.
    """

    model: LoadedModel
    signature: ModelSignature
    calibration: Callable[[], Iterator[Tensors]]
    evaluation: Callable[[], Iterator[Batch]]
    judging: Judging
    section: ModelSection


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


@dataclass(frozen=True)
class _BareBatch:
    """Consecutive samples of a bare model."""

    first: int
    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    slices: Mapping[str, tuple[str, ...]]


def _open_bare(source: BareSource) -> Bench:
    from edgeworthy.graph import check_static, load_model, model_signature
    from edgeworthy.runtimes import fixed_batch_size

    model = load_model(Path(source.model))
    signature = model_signature(model.proto)
    check_static(signature)
    arrays, labels = bare_arrays(Path(source.data), signature, source.labels)
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
    size = fixed_batch_size(signature) or _BATCH_SIZE
    return Bench(
        model=model,
        signature=signature,
        calibration=lambda: _pieces(ranges, size, _MOST_CALIBRATION),
        evaluation=lambda: labelled_batches(judged, truth, size),
        judging=Judging(
            basis=_basis(source, signature, labelled=truth is not None), task="classification"
        ),
        section=ModelSection(path="", task="classification"),
    )


def _basis(source: BareSource, signature: ModelSignature, *, labelled: bool) -> MetricBasis:
    if labelled:
        return "labels"
    shape = signature.outputs[0].shape
    one_vector = len(shape) == 2 and shape[1] != 1  # noqa: PLR2004 - a batch of vectors
    return "agreement-classes" if one_vector and not source.vectors else "agreement-vectors"


def bare_arrays(
    path: Path, signature: ModelSignature, label_name: str
) -> tuple[dict[str, NDArray[Any]], NDArray[Any] | None]:
    """Arrays by input, and the labels where there are any."""
    import numpy as np

    from edgeworthy.workflow.bare_models import read_arrays

    found = dict(read_arrays(path))
    wanted = [tensor.name for tensor in signature.inputs]
    names = [label_name] if label_name else [n for n in _LABEL_NAMES if n not in wanted]
    label_key = next((name for name in names if name in found), None)
    if label_name and label_key is None:
        raise DatasetError(
            f"no array with the labels `{label_name}`",
            where=str(path),
            found=", ".join(f"`{name}`" for name in found),
            next_step="Name the array with --labels",
        )
    labels = None if label_key is None else found.pop(label_key)
    if len(wanted) == 1 and len(found) == 1:
        found = {wanted[0]: next(iter(found.values()))}
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DatasetError(
            "no array for an input of the model",
            where=str(path),
            expected=", ".join(f"`{name}`" for name in wanted),
            found=", ".join(f"`{name}`" for name in found) or "none",
            next_step="Save them with numpy.savez, one array per input, samples first",
        )
    arrays = {t.name: _cast(found[t.name], t.dtype, path, t.name) for t in signature.inputs}
    counts = {len(each) for each in (*arrays.values(), *([] if labels is None else [labels]))}
    if len(counts) != 1 or min(counts) < 4:  # noqa: PLR2004 - two find ranges and two judge
        raise DatasetError(
            "the arrays do not hold the same number of samples, at least four",
            where=str(path),
            found=", ".join(str(each) for each in sorted(counts)),
        )
    if labels is not None:
        labels = np.asarray(labels).reshape(len(labels), -1)[:, 0].astype(np.int64)
    return arrays, labels


def _cast(values: NDArray[Any], dtype: str, path: Path, name: str) -> NDArray[Any]:
    import numpy as np

    if not np.can_cast(values.dtype, np.dtype(dtype), casting="same_kind"):
        raise DatasetError(
            f"array `{name}` is of another kind than the input",
            where=str(path),
            expected=dtype,
            found=str(values.dtype),
            next_step="Prepare the samples as the model takes them",
        )
    return values.astype(dtype, copy=False)


def _pieces(
    arrays: Mapping[str, NDArray[Any]], size: int, most: int
) -> Iterator[dict[str, NDArray[Any]]]:
    count = min(len(next(iter(arrays.values()))), most)
    whole = count - count % size if count >= size else count
    for first in range(0, whole, size):
        yield {name: values[first : first + size] for name, values in arrays.items()}


def labelled_batches(
    arrays: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None, size: int
) -> Iterator[_BareBatch]:
    """Batches of samples; labels are zeros where there are none."""
    import numpy as np

    count = len(next(iter(arrays.values())))
    truth = np.zeros(count, dtype=np.int64) if labels is None else labels
    for first in range(0, count, size):
        rows = slice(first, first + size)
        yield _BareBatch(
            first=first,
            inputs={name: values[rows] for name, values in arrays.items()},
            labels=truth[rows],
            slices={},
        )
