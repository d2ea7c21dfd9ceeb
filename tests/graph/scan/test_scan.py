"""Any file at all: a record comes out, and what carries code or cannot be read is a finding."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.errors import ModelFileError
from edgeworthy.graph.scan import protobuf_wire, scan_model
from edgeworthy.graph.scan.protobuf_wire import UnfoldingError, measure_onnx


def small_model(domain: str = "", op_type: str = "Relu") -> onnx.ModelProto:
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"]),
            helper.make_node(op_type, ["h"], ["y"], domain=domain),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.ones((4, 2), np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def failed(found: ModelScan) -> dict[str, str]:
    return {e.name: " ".join(e.findings) for e in found.checks if e.outcome == "finding"}


def test_a_good_file_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(small_model(), path)
    found = scan_model(path)
    assert (found.model_format, found.finding_count) == ("onnx", 0)
    assert {each.outcome for each in found.checks} == {"clean"}


def test_custom_operators_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(small_model("com.example", "Payload"), path)
    assert "`com.example.Payload`" in failed(scan_model(path))["operators"]


def test_functions_of_the_models_own_are_no_custom_operators(tmp_path: Path) -> None:
    model = small_model("own", "Twice")
    add = helper.make_node("Add", ["a", "a"], ["b"])
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Twice", ["a"], ["b"], [add], opset))
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    assert scan_model(path).finding_count == 0


def test_external_data_outside_of_the_folder_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(32))
    model = small_model()
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../secret.bin"
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    found = scan_model(path)
    assert set(failed(found)) == {"external-data"}
    assert found.finding_count >= 2  # what could not be looked at counts


def lambda_archive(name: str, content: bytes = b"x") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.writestr("config.json", "{}")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pickle.dumps([1]), "a pickle"),
        (pickle.dumps([1], protocol=0), "a pickle"),
        (lambda_archive("archive/data.pkl"), "It holds pickles"),
        (lambda_archive("model/code/__torch__.py"), "A TorchScript archive"),
        (lambda_archive("model.weights.h5"), "A Keras archive"),
        (lambda_archive("zeros", bytes(20 << 20)), "a zip bomb"),
        (b"PK\x03\x04" + bytes(40), "cannot be read"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
        (b"x\x9c" + bytes(40), "a zlib stream"),
        (b"\x04\x22\x4d\x18" + bytes(40), "an lz4"),
        (b"\x7fELF" + bytes(40), "a program"),
        (b"", "It is empty"),
    ],
)
def test_formats_that_carry_code_are_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    found = scan_model(path)
    assert found.model_format == "other"
    assert sentence in failed(found)["format"]
    assert found.finding_count >= 1


def test_a_saved_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    assert "SavedModel" in failed(scan_model(tmp_path))["format"]


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        scan_model(tmp_path / "nothing.onnx")


def field(number: int, content: bytes) -> bytes:
    size, head = len(content), bytearray([number << 3 | 2])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes(head) + bytes([size]) + content


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: field(7, field(1, b"") * 20_001), "more than 20000 messages"),
        (lambda: nested(40), "nested deeper"),
        (lambda: field(7, b"\x0a\xff\xff\xff\x7f"), "cut off"),
        (lambda: b"\xff" * 12, "without an end"),
        (lambda: b"\x0b", "an unknown kind of field"),
    ],
)
def test_bombs_are_found_before_they_unfold(
    make: Callable[[], bytes], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The true bound takes many seconds to reach.
    monkeypatch.setattr(protobuf_wire, "_MOST_MESSAGES", 20_000)
    path = tmp_path / "bomb.onnx"
    path.write_bytes(make())
    found = scan_model(path)
    assert sentence in failed(found)["structure"]
    assert [e.outcome for e in found.checks].count("unscanned") == 3


def nested(depth: int) -> bytes:
    """Graphs in attributes of nodes of graphs."""
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def test_the_walk_counts_what_there_is() -> None:
    model = small_model()
    measured = measure_onnx(model.SerializeToString())
    # model, opset, graph, two nodes, a tensor, and two values with a type each
    assert (measured.message_count, measured.unfolded_bytes) == (10, 0)
    model.graph.initializer.append(helper.make_tensor("packed", TensorProto.INT64, [3], [1, 2, 3]))
    measured = measure_onnx(model.SerializeToString())
    assert (measured.message_count, measured.unfolded_bytes) == (11, 24)


@settings(max_examples=200)
@given(st.data())
def test_no_mutation_of_an_onnx_file_does_anything_but_end(data: st.DataObject) -> None:
    content = bytearray(small_model().SerializeToString())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert measure_onnx(bytes(content)).message_count >= 1
    except UnfoldingError:
        return
