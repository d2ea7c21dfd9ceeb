"""The golden set of a release, for one variant.

Rules:

1. Nothing in the file is run: no pickled objects.
2. What is missing or does not belong together is an error before the first inference.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.project import Scores
from edgeworthy.errors import InputError

_INPUT = "input:"
_LABEL = "label"


@dataclass(frozen=True, eq=False)
class GoldenSamples:
    """Samples and what a variant must say of them.

    Attributes:
        inputs: Prepared, ``(n, ...)`` by input.
        outputs: Expected, ``(n, ...)`` by output.
        labels: True answers ``(n,)``; ``None`` without.
    """

    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, NDArray[Any]]
    labels: NDArray[Any] | None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def sample(self, index: int) -> dict[str, NDArray[Any]]:
        """The inputs of one sample, ``(1, ...)`` each."""
        return {name: values[index : index + 1] for name, values in self.inputs.items()}


def read_golden_samples(path: Path, variant: str) -> GoldenSamples:
    """Read the golden set.

    Raises:
        InputError: It is damaged, or has nothing about this variant.
    """
    prefix = f"output:{variant}:"
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            inputs = {n.removeprefix(_INPUT): archive[n] for n in names if n.startswith(_INPUT)}
            outputs = {n.removeprefix(prefix): archive[n] for n in names if n.startswith(prefix)}
            labels = archive[_LABEL] if _LABEL in names else None
    except Exception as error:  # the zip and npy readers raise a dozen kinds
        raise InputError(f"the golden set cannot be read: {error}", where=str(path)) from error
    arrays = [*inputs.values(), *outputs.values(), *([] if labels is None else [labels])]
    lengths = {len(array) if array.ndim else 0 for array in arrays}
    if not inputs or not outputs or len(lengths) != 1 or lengths == {0}:
        raise InputError(
            f"the golden set has nothing to prove `{variant}` with",
            expected=f"arrays {_INPUT}NAME and {prefix}NAME of one length",
            found=", ".join(sorted(names)[:8]),
            where=str(path),
        )
    return GoldenSamples(inputs, outputs, labels)


def golden_metric(
    name: str, outputs: NDArray[Any], labels: NDArray[Any], *, scores: Scores
) -> float:
    """The metric on the golden labels.

    Args:
        name: ``accuracy`` or ``mae``.
        outputs: ``(n, ...)``: scores of classes, or one value.
        labels: ``(n,)``.
        scores: What a classifier's outputs are.

    >>> golden_metric("accuracy", np.array([[1, 9], [8, 2]]), np.array([1, 1]), scores="logits")
    0.5
    """
    table = outputs.reshape(len(outputs), -1).astype(np.float64)
    if name == "mae":
        return float(np.mean(np.abs(table[:, 0] - labels)))
    if table.shape[1] == 1:
        decided = table[:, 0] > (0.0 if scores == "logits" else 0.5)
    else:
        decided = table.argmax(axis=1)
    return float(np.mean(decided == labels))
