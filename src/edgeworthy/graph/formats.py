"""What a file that is not ONNX is instead, told from its first bytes.

Rules:

1. Nothing is parsed, unpacked or run: the first bytes decide.
2. Formats that carry code (pickle and all that is built on it) are named as such and refused.
3. An ONNX file starts with a protobuf field header, which none of these marks is.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of the file's head that :func:`recognize` needs.
HEAD_BYTES = 64

_EXPORT_TORCH = "Export it with `torch.onnx.export` where the model was trained, and use that file"
_EXPORT_KERAS = "Export it with `model.export(..., format='onnx')` of Keras 3 or with tf2onnx"
_EXPORT_LITE = "Convert it with `python -m tf2onnx.convert --tflite`, and use the ONNX file"
_EXPORT = "Export the model as ONNX, and use that file"
_FETCH = "Fetch the file itself (with `git lfs pull`, for example)"
_CODE = "which can run code when it is read and is therefore refused"
_PICKLE_PROTOCOLS = range(2, 6)


@dataclass(frozen=True)
class ForeignFormat:
    """Another format than ONNX.

    Attributes:
        description: What the file is, to follow the word "found".
        next_step: How to come from it to ONNX.
    """

    description: str
    next_step: str


#: Offset of the mark, the mark, what it means.
_MARKS: tuple[tuple[int, bytes, ForeignFormat], ...] = (
    (
        0,
        b"PK\x03\x04",
        ForeignFormat(f"a zip archive (PyTorch, Keras or NumPy), {_CODE}", _EXPORT_TORCH),
    ),
    (0, b"\x89HDF\r\n\x1a\n", ForeignFormat(f"an HDF5 file (Keras), {_CODE}", _EXPORT_KERAS)),
    (4, b"TFL3", ForeignFormat("a LiteRT (TensorFlow Lite) file", _EXPORT_LITE)),
    (4, b"ORTM", ForeignFormat("a model in ONNX Runtime's own format", _EXPORT)),
    (4, b"ET12", ForeignFormat("an ExecuTorch program", _EXPORT)),
    (0, b"GGUF", ForeignFormat("a GGUF file", _EXPORT)),
    (0, b"\x93NUMPY", ForeignFormat("a NumPy array", _EXPORT)),
    (0, b"\x1f\x8b", ForeignFormat("a gzip archive", "Unpack it first")),
    (0, b"BZh", ForeignFormat("a bzip2 archive", "Unpack it first")),
    (0, b"\xfd7zXZ\x00", ForeignFormat("an xz archive", "Unpack it first")),
    *(
        (0, mark, ForeignFormat(f"a zlib stream (joblib packs pickles so), {_CODE}", _EXPORT))
        for mark in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
    ),
    (
        0,
        b"\x04\x22\x4d\x18",
        ForeignFormat(f"an lz4 stream (joblib packs pickles so), {_CODE}", _EXPORT),
    ),
    (0, b"\x7fELF", ForeignFormat(f"a program (ELF), {_CODE}", _EXPORT)),
    (8, b'{"', ForeignFormat("a safetensors file, which holds weights but no graph", _EXPORT)),
    (0, b"version https://git-lfs", ForeignFormat("a Git LFS pointer, not the file", _FETCH)),
    (0, b"<?xml", ForeignFormat("an XML file (OpenVINO?)", _EXPORT)),
    (0, b"<!DOCTYPE", ForeignFormat("a web page: the download failed", "Download it again")),
    (0, b"<html", ForeignFormat("a web page: the download failed", "Download it again")),
)


def recognize(head: bytes, tail: bytes) -> ForeignFormat | None:
    r"""Say what a file is from its first and last bytes; nothing when it may be ONNX.

    Args:
        head: The first :data:`HEAD_BYTES` bytes, or fewer when the file is shorter.
        tail: The last byte.

    >>> recognize(b"\x80\x04\x95", b".").description[:8]
    'a pickle'
    """
    if _is_pickle(head, tail):
        return ForeignFormat(f"a pickle, {_CODE}", _EXPORT_TORCH)
    for offset, mark, meaning in _MARKS:
        if head[offset : offset + len(mark)] == mark:
            return meaning
    return None


def _is_pickle(head: bytes, tail: bytes) -> bool:
    """Protocols 2 to 5 state themselves; 0 and 1 start with a mark or a global, end with a stop."""
    if len(head) > 1 and head[0] == 0x80 and head[1] in _PICKLE_PROTOCOLS:  # noqa: PLR2004 - opcode PROTO
        return True
    return head[:1] in (b"(", b"c", b"]", b"}") and tail == b"."
