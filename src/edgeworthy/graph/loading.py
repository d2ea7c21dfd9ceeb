"""From a path that may hold anything to a model that can be worked with.

Rules:

1. Whatever the file is, the result is a model or one :class:`ModelFileError`; nothing in the file
   is ever run, and no other file is opened before :mod:`~edgeworthy.graph.external_data` allowed
   it.
2. The digest is that of the bytes that were decoded. For a single file it is the sha256 of the
   file. With external data it is the sha256 of the canonical JSON object
   ``{"external": {location: digest of that file, ...}, "model": digest of the model file}``,
   so that it changes with any byte of any of the files, and not with the name of the model file.
3. At no time are there more than two copies of the weights: the bytes and the decoded model while
   decoding, the model alone afterwards.
4. Model and external data together are at most 2 GiB, the limit of protobuf.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import (  # type: ignore[import-untyped]  # protobuf ships no types
    DecodeError,
)
from onnx import TensorProto

from edgeworthy.documents.record import canonical_json
from edgeworthy.errors import ModelFileError
from edgeworthy.files import digest_bytes, digest_file
from edgeworthy.graph.checking import check_structure
from edgeworthy.graph.external_data import ExternalReference, check_references, read_reference
from edgeworthy.graph.formats import HEAD_BYTES, recognize
from edgeworthy.graph.quoting import one_line
from edgeworthy.graph.signature import model_signature
from edgeworthy.graph.tensors import is_external, stored_tensors
from edgeworthy.graph.weights import check_finite, check_sizes

#: Most bytes of a model with its external data.
LIMIT_BYTES = (1 << 31) - 1
_FOREIGN = (
    DecodeError,
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
    ValueError,  # includes UnicodeError
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,  # includes RecursionError
    MemoryError,
)


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory.

    Attributes:
        proto: The model, external data loaded into it. Do not change it: copy first.
        path: Where it was read from.
        artifact: Digest, as rule 2 of the module says.
        size_bytes: Size of the file, external data included.
        external_files: Files that hold its weights, sorted.
    """

    proto: onnx.ModelProto
    path: Path
    artifact: str
    size_bytes: int
    external_files: tuple[Path, ...] = ()


def load_model(path: Path) -> LoadedModel:
    """Read a model and check it.

    Args:
        path: An ONNX file; external data below its folder are loaded too.

    Raises:
        ModelFileError: The file cannot be read, is unsafe to read or is not a usable model.
    """
    with foreign_errors(path):
        data = _read(path)
        own_digest, size_bytes = digest_bytes(data), len(data)
        proto = _decode(data, path)
        del data
        check_sizes(proto, where=path, limit_bytes=LIMIT_BYTES)
        tensors = list(stored_tensors(proto))
        references = check_references(tensors, model=path, limit_bytes=LIMIT_BYTES - size_bytes)
        _load_external(tensors, references, path)
        check_structure(proto, where=path)
        check_finite(proto, where=path)
        model_signature(proto)
        files = {reference.location: reference.path for reference in references}
        return LoadedModel(
            proto=proto,
            path=path,
            artifact=_digest(own_digest, files),
            size_bytes=size_bytes + sum(p.stat().st_size for p in set(files.values())),
            external_files=tuple(sorted(set(files.values()))),
        )


@contextlib.contextmanager
def foreign_errors(path: Path) -> Iterator[None]:
    """Turn what onnx, protobuf and numpy raise into :class:`ModelFileError`, and say where.

    Raises:
        ModelFileError: Always when something is raised inside.
    """
    try:
        yield
    except ModelFileError as error:
        if error.where:
            raise
        raise ModelFileError(
            error.problem,
            expected=error.expected,
            found=error.found,
            where=str(path),
            next_step=error.next_step,
        ) from error
    except OSError as error:
        raise ModelFileError(
            f"the model cannot be read: {error.strerror or one_line(error)}",
            where=str(path),
            next_step="Check the path and the permissions of the file",
        ) from error
    except _FOREIGN as error:
        raise ModelFileError(
            f"the model is damaged: {one_line(error) or type(error).__name__}",
            where=str(path),
            next_step="Export the model again and copy it completely",
        ) from error


def _read(path: Path) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        problem, found = "a folder, not a model", "a folder"
    elif not stat.S_ISREG(status.st_mode):
        problem, found = "not a regular file", "a device, pipe or socket"
    elif status.st_size == 0:
        problem, found = "the file is empty", "0 bytes"
    elif status.st_size > LIMIT_BYTES:
        problem, found = "the file is too large", f"{status.st_size} bytes"
    else:
        return path.read_bytes()
    raise ModelFileError(
        problem,
        where=str(path),
        expected=f"an ONNX file of at most {LIMIT_BYTES} bytes",
        found=found,
        next_step="Give the path of the exported ONNX file",
    )


def _decode(data: bytes, path: Path) -> onnx.ModelProto:
    foreign = recognize(data[:HEAD_BYTES], data[-1:])
    if foreign is not None:
        raise ModelFileError(
            "not an ONNX model",
            where=str(path),
            expected="an ONNX file",
            found=foreign.description,
            next_step=foreign.next_step,
        )
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise ModelFileError(
            "not an ONNX model, or a damaged one: it cannot be decoded",
            where=str(path),
            expected="a whole ONNX file",
            found=f"{len(data)} bytes that are none",
            next_step="Export the model again and copy it completely",
        ) from error
    return model


def _load_external(
    tensors: Sequence[tuple[str, TensorProto]],
    references: Sequence[ExternalReference],
    path: Path,
) -> None:
    outside = [tensor for _, tensor in tensors if is_external(tensor)]
    for tensor, reference in zip(outside, references, strict=True):
        tensor.raw_data = read_reference(reference, model=path)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _digest(model_digest: str, files: dict[str, Path]) -> str:
    if not files:
        return model_digest
    external = {location: digest_file(file) for location, file in files.items()}
    return digest_bytes(canonical_json({"model": model_digest, "external": external}))
