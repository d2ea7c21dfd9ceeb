"""Batches of any size on models whose batch axis is fixed.

Rules:

1. A model with a free batch axis gets the batch as it is.
2. A model with a fixed one gets pieces of that size; the last piece is filled up with copies of
   the last sample, and what comes out for the copies is dropped.
3. The outputs are in the order of the samples, as if one batch had run.
4. Whoever knows that samples change each other's answers sets how many run at a time.
5. Samples lie along the first axis of every output. Recurrent models often give them along the
   second: an axis that has the name of the inputs' batch axis is the batch, and comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import InferenceError
from edgeworthy.runtimes.base import Session, Tensors


def fixed_batch_size(signature: ModelSignature) -> int | None:
    """The size of the batch axis when the model fixes it; ``None`` when it is free.

    Raises:
        InferenceError: Inputs fix different sizes, so that none of them is the batch.
    """
    sizes = {t.shape[0] for t in signature.inputs if t.shape and isinstance(t.shape[0], int)}
    if len(sizes) > 1:
        raise InferenceError(
            "the inputs have different batch sizes",
            expected="the same first axis in every input",
            found=", ".join(str(size) for size in sorted(sizes)),
            next_step="Export the model with the batch as the first axis of every input",
        )
    return sizes.pop() if sizes else None


def run_batched(
    session: Session, inputs: Tensors, *, at_a_time: int | None = None
) -> dict[str, NDArray[Any]]:
    """Run any number of samples.

    Args:
        session: A loaded model.
        inputs: Every input, shape ``(n, ...)`` with ``n`` at least 1.
        at_a_time: Samples per run of a model with a free batch axis; all when left out.

    Returns:
        Every output, shape ``(n, ...)``.

    Raises:
        InferenceError: The engine refused the inputs, they have different numbers of samples, or
            an output has no batch axis.
    """
    count = _sample_count(inputs)
    size = fixed_batch_size(session.signature) or at_a_time
    axes = _batch_axes(session.signature)
    if size is None or size == count:
        return _samples_first(session.run(inputs), axes)
    pieces = [_samples_first(session.run(piece), axes) for piece in _pieces(inputs, count, size)]
    for name, values in pieces[0].items():
        if values.shape[:1] != (size,):
            raise InferenceError(
                f"the output `{name}` has no batch axis",
                expected=f"a first axis of {size}",
                found=f"shape {values.shape}",
                next_step="Export the model with a free batch axis",
            )
    return {name: np.concatenate([piece[name] for piece in pieces])[:count] for name in pieces[0]}


def _batch_axes(signature: ModelSignature) -> dict[str, int]:
    """Where the batch lies in outputs that have it elsewhere than first."""
    names = {t.shape[0] for t in signature.inputs if t.shape and isinstance(t.shape[0], str)}
    found = {}
    for output in signature.outputs:
        axes = [index for index, size in enumerate(output.shape or ()) if size in names]
        if len(axes) == 1 and axes[0] > 0:
            found[output.name] = axes[0]
    return found


def _samples_first(
    outputs: dict[str, NDArray[Any]], axes: dict[str, int]
) -> dict[str, NDArray[Any]]:
    """The outputs with the batch in front."""
    return {
        name: np.moveaxis(values, axes[name], 0) if name in axes else values
        for name, values in outputs.items()
    }


def _sample_count(inputs: Tensors) -> int:
    counts = {values.shape[0] if values.ndim else 0 for values in inputs.values()}
    if len(counts) != 1 or counts == {0}:
        raise InferenceError(
            "the inputs do not have the same number of samples",
            expected="at least one sample, and as many in every input",
            found=", ".join(str(count) for count in sorted(counts)) or "no inputs",
            next_step="Give every input the same first axis",
        )
    return counts.pop()


def _pieces(inputs: Tensors, count: int, size: int) -> Iterator[dict[str, NDArray[Any]]]:
    for first in range(0, count, size):
        # Indices past the end repeat the last sample.
        rows = np.minimum(np.arange(first, first + size), count - 1)
        yield {name: values[rows] for name, values in inputs.items()}
