"""TensorFlow Lite files: good ones are clean, planted faults are found, broken ones never crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.graph.scan import scan_model
from edgeworthy.graph.scan.flatbuffer import OutOfRangeError
from edgeworthy.graph.scan.tflite_file import scan_tflite
from graph.scan.tflite_builder import (
    Large,
    TableOf,
    builtin,
    custom,
    operator,
    tensor,
    tflite,
)


def scan(data: bytes, folder: Path) -> ModelScan:
    path = folder / "model.tflite"
    path.write_bytes(data)
    return scan_model(path)


def failed(found: ModelScan) -> dict[str, tuple[str, ...]]:
    return {each.name: each.findings for each in found.checks if each.outcome != "clean"}


def test_a_good_file_is_clean(tmp_path: Path) -> None:
    found = scan(tflite(), tmp_path)
    assert (found.model_format, found.finding_count) == ("tflite", 0)
    assert [each.name for each in found.checks] == [
        "format",
        "structure",
        "sizes",
        "external-data",
        "operators",
    ]


@pytest.mark.parametrize(
    ("data", "check", "sentence"),
    [
        (tflite(codes=[custom("Evil")]), "operators", "Custom operators"),
        (tflite(codes=[custom("FlexAdd")]), "operators", "`FlexAdd`"),
        (tflite(version=2), "structure", "Schema version 2"),
        (tflite(operators=[operator(7, [0], [2])]), "structure", "the code 7 of 1"),
        (tflite(operators=[operator(0, [0, 99], [2])]), "structure", "uses tensor 99 of 3"),
        (tflite(operators=[operator(0, [0, -2], [2])]), "structure", "uses tensor -2 of 3"),
        (tflite(ends=((0,), (5,))), "structure", "output is tensor 5 of 3"),
        (
            tflite(tensors=[tensor([1, 4], 9, "a"), tensor([1], 0, "b"), tensor([1], 0, "c")]),
            "sizes",
            "the buffer 9 of 2",
        ),
        (
            tflite(tensors=[tensor([1 << 30, 1 << 30], 0, x) for x in "abc"]),
            "sizes",
            "takes 4611686018427387904 bytes",
        ),
        (tflite(tensors=[tensor([-4], 0, x) for x in "abc"]), "sizes", "has the shape [-4]"),
        (
            tflite(tensors=[tensor([3, 4], 1, x) for x in "abc"]),
            "sizes",
            "needs 48 bytes and its buffer holds 32",
        ),
        (
            tflite(buffers=[TableOf([]), TableOf([None, Large(1 << 20), Large(64)])]),
            "external-data",
            "Buffer 1 lies beyond the end",
        ),
    ],
)
def test_a_planted_fault_is_found(data: bytes, check: str, sentence: str, tmp_path: Path) -> None:
    found = scan(data, tmp_path)
    assert list(failed(found)) == [check]
    assert sentence in failed(found)[check][0]
    assert found.finding_count >= 1


def test_builtin_operators_above_127_are_no_custom_ones(tmp_path: Path) -> None:
    assert scan(tflite(codes=[builtin(150)]), tmp_path).finding_count == 0


def test_every_cut_is_found_and_what_was_not_scanned_counts(tmp_path: Path) -> None:
    data = tflite()
    for length in range(8, len(data) - 40, 7):
        found = scan(data[:length], tmp_path)
        assert found.finding_count >= 1, length
        outcomes = {each.outcome for each in found.checks}
        assert outcomes >= {"finding"}
        unscanned = [each for each in found.checks if each.outcome == "unscanned"]
        assert all(each.findings for each in unscanned)


def test_a_vector_of_all_of_the_memory_is_out_of_range() -> None:
    data = bytearray(tflite())
    place = data.index(b"made by hand") - 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    scan_tflite(bytes(data))  # nobody reads the description
    start = data.rindex(bytes(32)) - 4
    data[start : start + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(OutOfRangeError, match="a vector of 4294967295 items"):
        scan_tflite(bytes(data))


@settings(max_examples=300)
@given(st.data())
def test_no_mutation_does_anything_but_end(data: st.DataObject) -> None:
    original = bytearray(tflite(codes=[custom("x"), builtin(3)]))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(original) - 1))
        original[place] = data.draw(st.sampled_from([0, 1, 4, 0x7F, 0x80, 0xFF]))
    if data.draw(st.booleans()):
        del original[data.draw(st.integers(8, len(original))) :]
    try:
        found = scan_tflite(bytes(original))
    except OutOfRangeError:
        return
    assert all(isinstance(each, str) for each in found.structure + found.sizes)


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_noise_behind_the_mark_does_nothing_but_end(noise: bytes) -> None:
    try:
        scan_tflite(b"\x10\x00\x00\x00TFL3" + noise)
    except OutOfRangeError:
        return
