"""The promise: whatever the file is, a model or one ModelFileError with a next step."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import numpy_helper, parser

from edgeworthy.errors import ModelFileError
from edgeworthy.graph import inspect_model, load_model
from edgeworthy.graph import loading as loading_module
from edgeworthy.graph.quoting import one_line

WriteModel = Callable[..., Path]
MakeExternal = Callable[..., None]


def refusal(path: Path) -> str:
    """Load a file that must be refused, and give the paragraph."""
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    error = caught.value
    assert error.where == str(path)
    assert error.next_step
    assert "\n" not in str(error)
    return str(error)


def test_a_sound_model_is_loaded_with_digest_and_size(
    write_model: WriteModel, linear: onnx.ModelProto
) -> None:
    path = write_model(linear)
    model = load_model(path)
    data = path.read_bytes()
    assert model.artifact == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert model.size_bytes == len(data)
    assert model.path == path
    assert model.proto == linear


def test_a_missing_file(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.onnx")


def test_a_path_that_no_system_allows(tmp_path: Path) -> None:
    assert "null" in refusal(tmp_path / "a\0b.onnx")


def test_a_folder(tmp_path: Path) -> None:
    assert "a folder, not a model" in refusal(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()
    assert "the file is empty" in refusal(path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe.onnx"
    os.mkfifo(path)
    assert "not a regular file" in refusal(path)


def test_a_file_beyond_the_limit_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert "too large" in refusal(path)


def test_a_pickle_named_onnx_is_named_and_never_run(tmp_path: Path) -> None:
    class Mischief:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]  # hostile on purpose

    path = tmp_path / "model.onnx"
    path.write_bytes(pickle.dumps(Mischief()))
    text = refusal(path)
    assert "found a pickle, which can run code when it is read and is therefore refused" in text
    assert "torch.onnx.export" in text
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_model(write_model: WriteModel, network: onnx.ModelProto, share: float) -> None:
    path = write_model(network)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "completely" in refusal(path)


def test_text_is_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("hello, world\n" * 10)
    assert "not an ONNX model" in refusal(path)


def test_an_empty_message_has_no_graph(write_model: WriteModel) -> None:
    assert "no graph" in refusal(write_model(onnx.ModelProto(ir_version=8)))


def test_external_data_are_loaded_and_count(
    write_model: WriteModel, linear: onnx.ModelProto, make_external: MakeExternal, tmp_path: Path
) -> None:
    values = numpy_helper.to_array(linear.graph.initializer[0])
    make_external(linear, location="data/weights.bin", offset="16", length="32")
    path = write_model(linear)
    (tmp_path / "data").mkdir()
    data_file = tmp_path / "data" / "weights.bin"
    data_file.write_bytes(b"\0" * 16 + values.tobytes())
    model = load_model(path)
    assert np.array_equal(numpy_helper.to_array(model.proto.graph.initializer[0]), values)
    assert model.size_bytes == path.stat().st_size + 48
    rule = {
        "external": {"data/weights.bin": sha256(data_file)},
        "model": sha256(path),
    }
    canonical = json.dumps(rule, separators=(",", ":"), sort_keys=True).encode()
    assert model.artifact == f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def test_every_byte_of_external_data_is_under_the_digest(
    write_model: WriteModel, linear: onnx.ModelProto, make_external: MakeExternal, tmp_path: Path
) -> None:
    make_external(linear, location="weights.bin")
    path = write_model(linear)
    (tmp_path / "weights.bin").write_bytes(b"\0" * 32 + b"unused")
    first = load_model(path).artifact
    renamed = path.rename(tmp_path / "other.onnx")
    assert load_model(renamed).artifact == first
    (tmp_path / "weights.bin").write_bytes(b"\0" * 32 + b"unuseD")
    assert load_model(renamed).artifact != first


def sha256(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_external_data_of_a_constant_are_loaded_too(
    write_model: WriteModel, network: onnx.ModelProto, tmp_path: Path
) -> None:
    tensor = network.graph.node[0].attribute[0].t
    tensor.ClearField("float_data")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="kernel.bin")
    path = write_model(network)
    (tmp_path / "kernel.bin").write_bytes(np.full(108, 0.25, dtype=np.float32).tobytes())
    loaded = load_model(path).proto.graph.node[0].attribute[0].t
    assert numpy_helper.to_array(loaded).sum() == 27.0


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_numbers(
    write_model: WriteModel, linear: onnx.ModelProto, special: float
) -> None:
    values = np.ones((4, 2), dtype=np.float32)
    values[1:3, 0] = special
    linear.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "weight"))
    counts = "2 NaN and 0 infinite" if np.isnan(special) else "0 NaN and 2 infinite"
    assert f"{counts} values in `weight`" in refusal(write_model(linear))


def test_foreign_errors_inside_become_the_rooms_own(tmp_path: Path) -> None:
    with (
        pytest.raises(ModelFileError, match="the model is damaged: deep"),
        loading_module.foreign_errors(tmp_path),
    ):
        raise RecursionError("deep")


BASE = parser.parse_model(
    """
    <ir_version: 8, opset_import: ["" : 17], producer_name: "test">
    network (float[N, 3, 4, 4] x, float[N, 2] extra) => (float[N, 2] y)
    <float[2, 3, 3, 3] kernel = {KERNEL}, int64[2] flat = {0, -1}, bool[1] choice = {1}>
    {
        convolved = Conv <pads = [1, 1, 1, 1]> (x, kernel)
        pooled = GlobalAveragePool (convolved)
        row = Reshape (pooled, flat)
        y = If (choice) <
            then_branch = yes () => (float[N, 2] a) { a = Add (row, extra) },
            else_branch = no () => (float[N, 2] b) { b = Identity (row) }
        >
    }
    """.replace("KERNEL", ", ".join(["0.5"] * 54))
).SerializeToString()


def loads_or_refuses(path: Path) -> None:
    try:
        inspect_model(path)
    except ModelFileError as error:
        caught = error
    else:
        return
    assert caught.where == str(path)
    assert caught.next_step
    assert str(caught).isprintable()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=st.lists(st.integers(0, len(BASE) * 8 - 1), min_size=1, max_size=6))
def test_flipped_bits_give_a_model_or_a_refusal(tmp_path: Path, flips: list[int]) -> None:
    data = bytearray(BASE)
    for place in flips:
        data[place // 8] ^= 1 << place % 8
    path = tmp_path / "flipped.onnx"
    path.write_bytes(data)
    loads_or_refuses(path)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(length=st.integers(0, len(BASE) - 1), noise=st.binary(max_size=20))
def test_truncation_and_noise_give_a_model_or_a_refusal(
    tmp_path: Path, length: int, noise: bytes
) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(BASE[:length] + noise)
    loads_or_refuses(path)


def test_the_model_of_the_property_tests_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "base.onnx"
    path.write_bytes(BASE)
    assert inspect_model(path).mac_count == 4 * 4 * 2 * 27


def test_at_most_two_copies_of_the_weights_are_held(
    write_model: WriteModel, linear: onnx.ModelProto
) -> None:
    size_bytes = 64 << 20
    values = np.zeros((4, size_bytes // 16), dtype=np.float32)
    linear.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "weight"))
    linear.graph.output[0].type.tensor_type.shape.dim[1].dim_value = size_bytes // 16
    path = write_model(linear)
    program = (
        "import resource, sys; from pathlib import Path; from edgeworthy.graph import load_model\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak(); load_model(Path(sys.argv[1])); print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 2.4 * size_bytes, one_line(done.stdout)
