"""What every engine asks of its inputs, checked once for all engines.

Rules:

1. Every input of the signature is given, and no other.
2. Types are exactly those of the signature: nothing is cast in silence.
3. A size that the signature fixes is kept; an axis that it names may have any size but 0.
"""

from __future__ import annotations

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.errors import InferenceError
from edgeworthy.runtimes.base import Tensors


def check_inputs(signature: ModelSignature, inputs: Tensors, *, where: str) -> None:
    """Hold the inputs against the signature.

    Args:
        signature: What the model takes.
        inputs: Tensors by name.
        where: The model, for messages.

    Raises:
        InferenceError: A name, type or shape is wrong.
    """
    if len(inputs) != len(signature.inputs) or any(t.name not in inputs for t in signature.inputs):
        raise InferenceError(
            "wrong inputs",
            where=where,
            expected=_listed([tensor.name for tensor in signature.inputs]),
            found=_listed(list(inputs)),
            next_step="Give each input of the model by its name",
        )
    for tensor in signature.inputs:
        given = inputs[tensor.name]
        # A list, say, has no type of its own: nothing is converted in silence.
        dtype = getattr(given, "dtype", type(given).__name__)
        if dtype != tensor.dtype:
            raise InferenceError(
                f"wrong type of input `{tensor.name}`",
                where=where,
                expected=tensor.dtype,
                found=str(dtype),
                next_step="Convert the samples to the type of the model's input",
            )
        if not _fits(tensor, given.shape):
            raise InferenceError(
                f"wrong shape of input `{tensor.name}`",
                where=where,
                expected=f"({', '.join(map(str, tensor.shape))})",
                found=str(given.shape),
                next_step="Prepare the samples in the layout of the model's input",
            )


def one_line(error: object) -> str:
    r"""The text of an engine's error on one line, without the full stop.

    >>> one_line("first\nsecond.")
    'first second'
    """
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return " ".join(text.split())[:400].rstrip(".")


def _fits(tensor: TensorSignature, shape: tuple[int, ...]) -> bool:
    return len(shape) == len(tensor.shape) and all(
        found == size if isinstance(size, int) else found > 0
        for size, found in zip(tensor.shape, shape, strict=True)
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
