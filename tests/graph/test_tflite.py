"""TensorFlow Lite files, read without the engine."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.documents.model import OperatorCount
from edgeworthy.errors import ModelFileError
from edgeworthy.graph import inspect_model
from edgeworthy.graph.tflite import read_tflite
from edgeworthy.graph.tflite_inspection import inspect_tflite
from tflite_models import FLOAT32, linear_tflite, model, numbers, table, tables, text

LINEAR = linear_tflite()


def test_what_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "linear.tflite"
    path.write_bytes(LINEAR)
    found = inspect_model(path)
    assert (found.model_format, found.opset_version, found.producer) == ("tflite", 3, "by hand")
    assert [(each.name, each.shape) for each in found.signature.inputs] == [
        ("x", ("axis_0", 2)),
        ("b", ("axis_0", 3)),
    ]
    assert [each.name for each in found.signature.outputs] == ["y", "doubled"]
    assert found.operators == (
        OperatorCount(domain="", op_type="FULLY_CONNECTED", node_count=1, mac_count=6),
        OperatorCount(domain="", op_type="ADD", node_count=2, mac_count=0),
    )
    assert (found.mac_count, found.parameter_count, found.weight_bytes) == (6, 6, 24)
    # x, b and the product at first; then x, b, the product and y.
    assert found.activation_peak_bytes == 4 * (2 + 3 + 3 + 3)
    assert found.size_bytes == len(LINEAR)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a TensorFlow Lite file"),
        (b"\x08\x08" * 50, "not a TensorFlow Lite file"),
        (b"\xff\xff\xff\xffTFL3", "an offset leads outside"),
        (LINEAR[:-30], "a broken TensorFlow Lite file"),
        (LINEAR.replace(b"doubled", b"d\xff\xfebled"), "a text is not UTF-8"),
        (LINEAR.replace(b"\x03\0\0\0", b"\x09\0\0\0", 1), "TensorFlow Lite"),
        (model(table({}), [], []), ""),
        (model(table({1: numbers([4])}), [], []), "a node names a tensor that is not there"),
        (
            model(table({3: tables([table({0: ("I", 7)})])}), [], []),
            "a node has an operator that is not there",
        ),
        (
            model(table({0: tables([table({0: numbers([-4])})])}), [], []),
            "a tensor has an impossible shape",
        ),
        (
            model(
                table(
                    {
                        0: tables([table({0: numbers([1]), 1: ("b", 5), 3: text("words")})]),
                        1: numbers([0]),
                    }
                ),
                [],
                [],
            ),
            "words is not a tensor of numbers",
        ),
        (
            model(
                table({0: tables([table({0: numbers([1]), 1: ("b", FLOAT32), 2: ("I", 9)})])}),
                [],
                [b""],
            ),
            "a tensor names a buffer that is not there",
        ),
    ],
)
def test_what_is_broken_is_refused(data: bytes, words: str) -> None:
    if not words:  # an empty graph is a graph
        assert read_tflite(data, where="m.tflite").operators == ()
        return
    with pytest.raises(ModelFileError) as caught:
        read_tflite(data, where="m.tflite")
    assert words in str(caught.value)
    assert "m.tflite" in str(caught.value)


@given(st.data())
def test_no_damage_is_worse_than_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(LINEAR)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.tflite"
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    with contextlib.suppress(ModelFileError):
        inspect_tflite(path)


def test_no_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        inspect_model(tmp_path / "none.tflite")
