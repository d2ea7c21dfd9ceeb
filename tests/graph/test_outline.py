"""What the graph of a file tells before anybody runs it."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from edgeworthy.graph import work_varies

PLAIN = """<ir_version: 8, opset_import: ["" : 17]>
plain (float[n, 4] x) => (float[n, 4] y) { y = Relu(x) }"""
BRANCHED = """<ir_version: 8, opset_import: ["" : 17]>
branched (float[n, 4] x, bool c) => (float[n, 4] y) {
    y = If (c) <
        then_branch = yes () => (float[n, 4] a) { a = Relu(x) },
        else_branch = no () => (float[n, 4] b) { b = Neg(x) }
    >
}"""


@pytest.mark.parametrize(("text", "varies"), [(PLAIN, False), (BRANCHED, True)])
def test_work_varies_where_the_data_choose_a_branch(
    tmp_path: Path, text: str, *, varies: bool
) -> None:
    path = tmp_path / "of-any-name"
    path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
    assert work_varies(path) is varies


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xff\xff\xff not a model", b"\x1c\0\0\0TFL3" + b"\0" * 64]
)
def test_what_is_no_onnx_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    assert not work_varies(path)


@pytest.mark.parametrize("name", ["m.json", "m.textproto", "m.onnxtxt", "m.txt"])
def test_the_name_of_a_file_says_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(onnx.parser.parse_model(BRANCHED).SerializeToString())
    assert work_varies(path)


def test_a_file_that_is_gone_says_nothing(tmp_path: Path) -> None:
    assert not work_varies(tmp_path / "gone")
