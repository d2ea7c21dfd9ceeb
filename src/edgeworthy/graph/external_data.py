"""Weights that stand in other files than the model's own.

Rules:

1. Every reference is checked before a single external byte is read.
2. A location is a relative path without ``..`` that, after following symbolic links, is a regular
   file below the folder of the model. Nothing else is ever opened.
3. A file is at least as long as the references into it declare, and a reference is exactly as
   long as its tensor.
4. All references together stay below the limit, also when many of them name the same bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from onnx import TensorProto

from edgeworthy.errors import ModelFileError
from edgeworthy.graph.quoting import quoted
from edgeworthy.graph.tensors import element_count, is_external, packed_bytes

_ONE_FOLDER = "Put the model and its data files into one folder, or export it as a single file"
_COMPLETE = "Copy the data file again, complete, next to the model"


@dataclass(frozen=True)
class ExternalReference:
    """Where the bytes of one tensor stand.

    Attributes:
        tensor: Name of the tensor.
        location: As the model writes it.
        path: The file, symbolic links followed.
        offset: First byte.
        size_bytes: Number of bytes.
    """

    tensor: str
    location: str
    path: Path
    offset: int
    size_bytes: int


def check_references(
    tensors: Iterable[tuple[str, TensorProto]], *, model: Path, limit_bytes: int
) -> list[ExternalReference]:
    """Check all external references of a model; reads sizes of files, never their content.

    Args:
        tensors: All stored tensors; those with inner data are passed over.
        model: The model file; its folder bounds the locations.
        limit_bytes: Most bytes that all references may take together.

    Returns:
        One reference for each external tensor, in order.

    Raises:
        ModelFileError: A location is unsafe, missing or too short, or a size is absurd.
    """
    references = [
        _check_reference(name, tensor, model) for name, tensor in tensors if is_external(tensor)
    ]
    total = sum(reference.size_bytes for reference in references)
    if total > limit_bytes:
        raise ModelFileError(
            "the external data is too large",
            where=str(model),
            expected=f"at most {limit_bytes} bytes",
            found=f"{total} bytes",
            next_step="Use a smaller model: this one does not suit edge devices",
        )
    return references


def read_reference(reference: ExternalReference, *, model: Path) -> bytes:
    """The bytes of one tensor.

    Raises:
        ModelFileError: The file changed or cannot be read.
    """
    try:
        descriptor = os.open(reference.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            stream.seek(reference.offset)
            data = stream.read(reference.size_bytes)
    except OSError as error:
        raise ModelFileError(
            f"external data of {quoted(reference.tensor)} cannot be read: {error.strerror}",
            where=str(model),
            next_step="Check the permissions of the data file",
        ) from error
    if len(data) != reference.size_bytes:
        raise ModelFileError(
            f"external data of {quoted(reference.tensor)} changed while it was read",
            where=str(model),
            next_step=_COMPLETE,
        )
    return data


def _check_reference(name: str, tensor: TensorProto, model: Path) -> ExternalReference:
    # Of repeated keys the last one counts, as it does for onnx and onnxruntime.
    entries = {str(entry.key): str(entry.value) for entry in tensor.external_data}
    location = entries.get("location", "")
    path = _safe_path(name, location, model)
    size_bytes = packed_bytes(element_count(tensor), tensor.data_type)
    offset = _whole_number(name, entries.get("offset", "0"), model)
    declared = _whole_number(name, entries.get("length", str(size_bytes)), model)
    if declared != size_bytes:
        raise ModelFileError(
            f"external data of {quoted(name)} does not fit its shape {list(tensor.dims)}",
            where=str(model),
            expected=f"{max(size_bytes, 0)} bytes",
            found=f"a declared length of {declared} bytes",
            next_step="Export the model again",
        )
    _check_length(name, path, offset + size_bytes, model)
    return ExternalReference(name, location, path, offset, size_bytes)


def _safe_path(name: str, location: str, model: Path) -> Path:
    outside = (
        not location
        or "\0" in location
        or PurePosixPath(location).is_absolute()
        or PureWindowsPath(location).drive != ""
        or "\\" in location
        or ".." in PurePosixPath(location).parts
    )
    folder = model.parent
    try:
        path = folder if outside else (folder / location).resolve()
        outside = outside or not path.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of symbolic links, a name too long
        outside = True
    if outside:
        raise ModelFileError(
            f"external data of {quoted(name)} points outside the model's folder",
            where=str(model),
            expected="a relative path without `..` or links that leave the folder",
            found=quoted(location),
            next_step=_ONE_FOLDER,
        )
    return path


def _whole_number(name: str, text: str, model: Path) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(1 << 64)):
        return int(text)
    raise ModelFileError(
        f"external data of {quoted(name)} has a malformed offset or length",
        where=str(model),
        expected="a whole number that is not negative",
        found=quoted(text),
        next_step="Export the model again",
    )


def _check_length(name: str, path: Path, end: int, model: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise ModelFileError(
            f"external data of {quoted(name)} is missing",
            where=str(model),
            expected=f"the file {quoted(path.name)} next to the model",
            next_step=_COMPLETE,
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(
            f"external data of {quoted(name)} is not a regular file",
            where=str(model),
            found=quoted(path.name),
            next_step=_ONE_FOLDER,
        )
    if status.st_size < end:
        raise ModelFileError(
            f"external data of {quoted(name)} is shorter than declared",
            where=str(model),
            expected=f"at least {end} bytes in {quoted(path.name)}",
            found=f"{status.st_size} bytes",
            next_step=_COMPLETE,
        )
