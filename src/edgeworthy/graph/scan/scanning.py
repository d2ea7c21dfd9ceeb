"""Is a model file safe to read? Every question is asked, whatever the others found.

Rules:

1. Nothing in the file is run, unpacked or believed; a scan ends with a record, whatever it is.
2. What could not be looked at is ``unscanned`` and counts as a finding.
3. Formats that carry code are findings by themselves: pickle and what is built on it, TorchScript,
   Keras, SavedModel.
4. A custom operator is a finding: the engine would need code that does not come with the file.
"""

from __future__ import annotations

import stat
from pathlib import Path

import onnx

from edgeworthy.documents.model_scan import ModelScan, ScanCheck
from edgeworthy.errors import ModelFileError
from edgeworthy.files import digest_bytes, digest_file
from edgeworthy.graph.formats import HEAD_BYTES, recognize
from edgeworthy.graph.loading import LIMIT_BYTES, foreign_errors, load_model
from edgeworthy.graph.quoting import one_line, quoted_list
from edgeworthy.graph.scan.archives import look_into
from edgeworthy.graph.scan.flatbuffer import OutOfRangeError
from edgeworthy.graph.scan.protobuf_wire import UnfoldingError, measure_onnx
from edgeworthy.graph.scan.tflite_file import scan_tflite
from edgeworthy.graph.tensors import nodes_of
from edgeworthy.version import __version__

#: Domains whose operators every engine that we use has built in.
_KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
_NOT_MADE = "It was not made: the file could not be read that far."
_AFTER_FORMAT = ("structure", "sizes", "external-data", "operators")
_ZIP = b"PK\x03\x04"
_TFLITE_MARK = b"TFL3"


def scan_model(path: Path) -> ModelScan:
    """Scan a model file.

    Args:
        path: Any file or folder.

    Raises:
        ModelFileError: There is nothing at the path, or it cannot be read at all.
    """
    with foreign_errors(path):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _not_a_file(path, is_folder=stat.S_ISDIR(status.st_mode))
        if status.st_size > LIMIT_BYTES:
            text = f"The file has {status.st_size} bytes, at most {LIMIT_BYTES} are read."
            return _record(digest_file(path), status.st_size, "other", _failed("sizes", text))
        data = path.read_bytes()
    artifact = digest_bytes(data)
    if data[4:8] == _TFLITE_MARK:
        return _record(artifact, len(data), "tflite", *_tflite_checks(data))
    foreign = recognize(data[:HEAD_BYTES], data[-1:])
    if foreign is not None or not data:
        found = (
            [f"Not a model that we read: {foreign.description}."] if foreign else ["It is empty."]
        )
        if data[:4] == _ZIP:
            found += look_into(path)
        return _record(artifact, len(data), "other", _failed("format", *found))
    return _onnx_scan(path, data, artifact)


def _onnx_scan(path: Path, data: bytes, artifact: str) -> ModelScan:
    checks = [_clean("format")]
    try:
        measure_onnx(data)
    except UnfoldingError as error:
        text = f"Not safe to unfold, or not a whole ONNX file: {error}."
        checks += [_failed("structure", text), *map(_unscanned, _AFTER_FORMAT[1:])]
        return _record(artifact, len(data), "onnx", *checks)
    try:
        loaded = load_model(path)
    except ModelFileError as error:
        name = "external-data" if "external" in str(error).lower() else "structure"
        failed = _failed(name, one_line(error))
        rest = [failed if each == name else _unscanned(each) for each in _AFTER_FORMAT]
        return _record(artifact, len(data), "onnx", *checks, *rest)
    checks += [_clean("structure"), _clean("sizes"), _clean("external-data")]
    custom = _custom_operators(loaded.proto)
    checks.append(_failed("operators", custom) if custom else _clean("operators"))
    return _record(loaded.artifact, len(data), "onnx", *checks)


def _custom_operators(model: onnx.ModelProto) -> str:
    own = {(function.domain, function.name) for function in model.functions}
    custom = sorted(
        {
            f"{node.domain}.{node.op_type}"
            for node in nodes_of(model)
            if node.domain not in _KNOWN_DOMAINS and (node.domain, node.op_type) not in own
        }
    )
    return (
        f"Custom operators, whose code is not in the file: {quoted_list(custom)}." if custom else ""
    )


def _tflite_checks(data: bytes) -> list[ScanCheck]:
    checks = [_clean("format")]
    try:
        found = scan_tflite(data)
    except OutOfRangeError as error:
        text = f"An offset or a length leads outside of the file: {error}."
        return [*checks, _failed("structure", text), *map(_unscanned, _AFTER_FORMAT[1:])]
    parts = (found.structure, found.sizes, found.external_data, found.operators)
    return [
        *checks,
        *(
            _failed(name, *texts) if texts else _clean(name)
            for name, texts in zip(_AFTER_FORMAT, parts, strict=True)
        ),
    ]


def _not_a_file(path: Path, *, is_folder: bool) -> ModelScan:
    if is_folder and (path / "saved_model.pb").exists():
        text = "A TensorFlow SavedModel: it can hold code that runs when it is loaded."
    elif is_folder:
        text = "A folder, not a model file."
    else:
        text = "Not a regular file."
    return _record(digest_bytes(b""), 0, "other", _failed("format", text))


def _record(artifact: str, size_bytes: int, model_format: str, *checks: ScanCheck) -> ModelScan:
    made = {each.name for each in checks}
    rest = [_unscanned(name) for name in ("format", *_AFTER_FORMAT) if name not in made]
    every = (*checks, *rest)
    return ModelScan(
        artifact=artifact,
        size_bytes=size_bytes,
        model_format=model_format,  # type: ignore[arg-type]  # one of the three above
        checks=every,
        finding_count=sum(len(each.findings) for each in every),
        tool_version=f"edgeworthy {__version__}",
    )


def _clean(name: str) -> ScanCheck:
    return ScanCheck(name=name, outcome="clean")


def _failed(name: str, *findings: str) -> ScanCheck:
    return ScanCheck(name=name, outcome="finding", findings=findings)


def _unscanned(name: str) -> ScanCheck:
    return ScanCheck(name=name, outcome="unscanned", findings=(_NOT_MADE,))
