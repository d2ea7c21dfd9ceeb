"""All outputs of a model as one, so that none of them can go wrong unseen.

Rules:

1. Outputs of real numbers count: each sample's lie side by side in one row. Where there are none,
   the first output counts.
2. Each output is compared by itself: one of large numbers must not hide one of small ones, so
   the shape of each is kept.
3. Of one sample alone an output is what it is, whatever it counts along its first axis.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgeworthy.errors import InferenceError
from edgeworthy.runtimes import Tensors


class SideBySide:
    """A model whose only output has all outputs of another one in a row.

    Args:
        run: The other one: input tensors by name -> output tensors by name.

    >>> beside = SideBySide(lambda _: {"y": np.ones((3, 2, 2)), "z": np.zeros((3, 1))})
    >>> beside({"x": np.ones((3, 4))})["all outputs"].shape, beside.shapes
    ((3, 5), ((2, 2), (1,)))
    >>> alone = SideBySide(lambda _: {"steps": np.ones((20, 1, 7))})
    >>> alone({"x": np.ones((1, 4))})["all outputs"].shape, alone.shapes
    ((1, 140), ((20, 1, 7),))
    """

    name = "all outputs"

    def __init__(self, run: Callable[[Tensors], Tensors]) -> None:
        self._run = run
        self.shapes: tuple[tuple[int, ...], ...] = ()

    def __call__(self, inputs: Tensors) -> Tensors:
        """Run the model.

        Raises:
            InferenceError: An output does not have a row per sample, or has rows of another length
                than before.
        """
        found = self._run(inputs)
        judged = {
            name: values
            for name, values in found.items()
            if np.issubdtype(values.dtype, np.floating)
        } or dict(list(found.items())[:1])
        count = max((len(values) for values in inputs.values() if values.ndim), default=1)
        if count == 1:
            judged = {
                name: values if values.shape[:1] == (1,) else values[np.newaxis]
                for name, values in judged.items()
            }
        for name, values in judged.items():
            if values.ndim == 0 or len(values) != count:
                raise InferenceError(
                    f"the output `{name}` does not have a row per sample",
                    expected=f"a first axis of {count}",
                    found=f"shape {values.shape}",
                    next_step="Name the output that is judged with --output",
                )
        shapes = tuple(values.shape[1:] for values in judged.values())
        if self.shapes and shapes != self.shapes:
            raise InferenceError(
                "the outputs have another size than for the samples before",
                expected=str(self.shapes),
                found=str(shapes),
                next_step="Name an output of a fixed size with --output",
            )
        self.shapes = shapes
        rows = [values.reshape(count, -1) for values in judged.values()]
        return {self.name: np.concatenate(rows, axis=1)}
