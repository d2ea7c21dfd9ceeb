"""What a model said about each sample, kept in the order of the data set.

Rules:

1. All that is asked of a model is a function from input tensors to output tensors.
2. An output that is not a finite number is an error that names the sample, never a figure.
3. Labels and slices travel with the outputs, so that an evaluation needs nothing else.
4. The same predictions give the same bytes: no compression, no time stamps, no pickle.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.errors import DatasetError, InferenceError, InputError

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_PARTS = ("outputs", "labels", "slices")
_SHAPES = "shapes"


class Batch(Protocol):
    """Model-ready samples; :class:`edgeworthy.datasets.PreparedBatch` is one."""

    @property
    def first(self) -> int:
        """Index of the first sample in the set."""

    @property
    def inputs(self) -> Mapping[str, NDArray[Any]]:
        """Tensors ``(n, ...)`` by input name."""

    @property
    def labels(self) -> NDArray[Any]:
        """Labels ``(n,)``."""

    @property
    def slices(self) -> Mapping[str, tuple[str, ...]]:
        """Per slice column, ``n`` values."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Raw outputs beside the truth.

    Attributes:
        outputs: ``(n, ...)``: as the engine gave them. Only a task's ``decode`` looks inside, so
            that outputs of another form (boxes, embeddings) need a task and nothing else.
        labels: ``(n,)``.
        slices: Per slice column, ``n`` values.
        shapes: Shape per sample of each output, where all of a model's lie side by side in
            ``outputs``; empty for one output.

    >>> said = Predictions(np.eye(2), np.array([0, 1]), {"site": ("a", "b")})
    >>> Predictions.from_npz_bytes(said.to_npz_bytes(), where="cache").slices["site"]
    ('a', 'b')
    """

    outputs: NDArray[Any]
    labels: NDArray[Any]
    slices: dict[str, tuple[str, ...]]
    shapes: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        lengths = {len(self.outputs), len(self.labels), *map(len, self.slices.values())}
        if len(lengths) != 1:
            raise DatasetError(
                "outputs, labels and slices differ in length",
                expected="one of each per sample",
                found=f"lengths {sorted(lengths)}",
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def outputs_digest(self) -> str:
        """sha256 over dtype, shape and values: bit for bit the same outputs have the same."""
        ordered = np.ascontiguousarray(self.outputs, dtype=self.outputs.dtype.newbyteorder("<"))
        hasher = hashlib.sha256(f"{ordered.dtype.str} {ordered.shape}\n".encode())
        hasher.update(ordered.data)
        return f"sha256:{hasher.hexdigest()}"

    def to_npz_bytes(self) -> bytes:
        """An npz file with ``outputs``, ``labels`` and ``slices`` (JSON); no pickle inside.

        ``shapes`` (JSON) are there where there are any.
        """
        slices = msgspec.json.encode(list(self.slices.items()))
        arrays = [self.outputs, self.labels, np.frombuffer(slices, dtype=np.uint8)]
        if self.shapes:
            arrays.append(np.frombuffer(msgspec.json.encode(self.shapes), dtype=np.uint8))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in zip((*_PARTS, _SHAPES), arrays, strict=False):
                entry = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_DATE)
                with archive.open(entry, "w", force_zip64=True) as part:
                    np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_npz_bytes(cls, data: bytes, *, where: str) -> Predictions:
        """Read what :meth:`to_npz_bytes` wrote.

        Args:
            data: The npz file.
            where: What the bytes came from, for the error message.

        Raises:
            InputError: The bytes are something else, damaged, or hold Python objects.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                outputs, labels, encoded = (archive[name] for name in _PARTS)
                shaped = archive[_SHAPES].tobytes() if _SHAPES in archive else b"[]"
            pairs = msgspec.json.decode(encoded.tobytes(), type=list[tuple[str, tuple[str, ...]]])
            shapes = msgspec.json.decode(shaped, type=tuple[tuple[int, ...], ...])
            return cls(outputs, labels, dict(pairs), shapes)
        except Exception as error:  # the zip, npy and JSON readers raise a dozen kinds
            raise InputError(
                f"not a file of predictions: {error}",
                where=where,
                next_step="Delete it; the next build predicts again",
            ) from error


def predict(
    run: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]],
    batches: Iterable[Batch],
    *,
    output: str,
) -> Predictions:
    """Run a model on all samples.

    Args:
        run: The model: input tensors by name -> output tensors by name.
        batches: All samples in order.
        output: Name of the output that is judged; empty for the first.

    Raises:
        DatasetError: There are no samples.
        InferenceError: The output does not exist, has another number of rows than the batch, or
            holds a value that is not a finite number.
    """
    outputs: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    slices: dict[str, list[str]] = {}
    for batch in batches:
        outputs.append(_judged_output(run(batch.inputs), output, batch))
        labels.append(np.asarray(batch.labels))
        for column, values in batch.slices.items():
            slices.setdefault(column, []).extend(values)
    if not outputs:
        raise DatasetError(
            "no samples to evaluate",
            expected="at least one",
            found="none",
            next_step="Check `rows` and the path of the data",
        )
    columns = {column: tuple(values) for column, values in slices.items()}
    return Predictions(np.concatenate(outputs), np.concatenate(labels), columns)


def _judged_output(tensors: Mapping[str, NDArray[Any]], output: str, batch: Batch) -> NDArray[Any]:
    name = output or next(iter(tensors), "")
    if name not in tensors:
        raise InferenceError(
            "the model has no such output",
            where="model.output",
            expected=f"one of {', '.join(f'`{known}`' for known in tensors) or 'no outputs'}",
            found=f"`{name}`",
            next_step="Set `output` in [model] to one of them",
        )
    # A copy: an engine may reuse its buffer for the next batch.
    values = np.array(tensors[name])
    count = len(batch.labels)
    if values.ndim == 0 or len(values) != count:
        raise InferenceError(
            "the first axis of the output is not the batch",
            where=f"output `{name}`, batch at sample {batch.first}",
            expected=f"{count} rows",
            found=f"shape {values.shape}",
        )
    _check_finite(values, name, batch.first)
    return values


def _check_finite(values: NDArray[Any], name: str, first: int) -> None:
    if values.dtype.kind not in "fc" or np.isfinite(values).all():
        return
    broken = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    sample = int(np.argmax(broken))
    found = values[sample][~np.isfinite(values[sample])].ravel()[0]
    raise InferenceError(
        "the model gives a value that is not a finite number",
        where=f"output `{name}`, sample {first + sample}",
        expected="finite numbers",
        found=str(found),
        next_step="Check the model's weights and the input's mean and std for this sample",
    )
