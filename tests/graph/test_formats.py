import pickle

import pytest

from edgeworthy.graph.formats import recognize


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_every_protocol_is_recognized(protocol: int) -> None:
    data = pickle.dumps({"weights": [1.0, 2.0]}, protocol=protocol)
    found = recognize(data[:64], data[-1:])
    assert found is not None
    assert found.description.startswith("a pickle")
    assert "refused" in found.description


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04rest", "zip archive"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x1c\0\0\0TFL3", "LiteRT"),
        (b"\x1c\0\0\0ORTM", "ONNX Runtime"),
        (b"\x1c\0\0\0ET12", "ExecuTorch"),
        (b"GGUF\x03", "GGUF"),
        (b"\x93NUMPY\x01", "NumPy"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x7fELF", "program"),
        (b'\x40\0\0\0\0\0\0\0{"a"', "safetensors"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"<?xml version", "XML"),
        (b"<!DOCTYPE html>", "web page"),
        (b"<html>", "web page"),
    ],
)
def test_other_formats_are_called_by_their_names(head: bytes, words: str) -> None:
    found = recognize(head, b"\0")
    assert found is not None
    assert words in found.description
    assert found.next_step


def test_onnx_and_noise_are_not_taken_for_anything_else() -> None:
    assert recognize(b"\x08\x08\x12\x07pytorch", b"\x11") is None
    assert recognize(b"", b"") is None
    assert recognize(b"\x80", b"\x80") is None
