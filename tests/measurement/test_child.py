from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import parser

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.measurement.child import fit_batch, serve
from edgeworthy.measurement.wire import (
    HEADER_BYTES,
    Failure,
    Latencies,
    Load,
    Loaded,
    MemoryRead,
    Prepare,
    Prepared,
    ReadMemory,
    Reply,
    Request,
    RunQueries,
    WarmedUp,
    WarmUp,
    decode_reply,
    encode_frame,
    pack_tensors,
)

PREPARE = Prepare(runtime="onnxruntime", samples=(), seed=1, generated_count=4)


def converse(*requests: Request) -> list[Reply]:
    """What the process answers to these requests."""
    return replies_to(b"".join(encode_frame(request) for request in requests))


def replies_to(data: bytes) -> list[Reply]:
    out = io.BytesIO()
    serve(io.BytesIO(data), out)
    out.seek(0)
    replies = []
    while header := out.read(HEADER_BYTES):
        replies.append(decode_reply(out.read(int.from_bytes(header, "big"))))
    return replies


def test_a_whole_conversation(small_model: Path) -> None:
    prepared, loaded, warm, latencies, memory = converse(
        PREPARE,
        Load(artifact=str(small_model), threads=1),
        WarmUp(limit_ns=20_000_000, window_ns=1_000_000),
        RunQueries(first=7, count=25, settle_count=3),
        ReadMemory(),
    )
    assert isinstance(prepared, Prepared)
    assert prepared.runtime_version.startswith("onnxruntime ")
    assert prepared.runtime_memory_bytes > 10 << 20
    assert isinstance(loaded, Loaded)
    assert loaded.load_ns > 0 < loaded.first_inference_ns
    assert isinstance(warm, WarmedUp)
    assert warm.latency_ns > 0
    assert isinstance(latencies, Latencies)
    values = np.frombuffer(latencies.data, dtype="<i8")
    assert values.shape == (25,)
    assert (values > 0).all()
    assert isinstance(memory, MemoryRead)
    assert memory.peak_memory_bytes >= prepared.runtime_memory_bytes


def test_the_measured_process_holds_no_graph_library() -> None:
    program = (
        "import sys, edgeworthy.measurement.child, edgeworthy.runtimes.onnxruntime_cpu;"
        "print(sorted({'onnx', 'PIL', 'rich', 'altair'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_samples_of_the_caller_are_used(small_model: Path) -> None:
    good = pack_tensors({"image": np.zeros((1, 8, 16, 16), np.float32)})
    bad = pack_tensors({"image": np.zeros((1, 8, 16, 15), np.float32)})
    load = Load(artifact=str(small_model), threads=1)
    for sample, expected in ((good, Loaded), (bad, Failure)):
        prepare = Prepare(runtime="onnxruntime", samples=(sample,), seed=0, generated_count=1)
        assert isinstance(converse(prepare, load)[1], expected)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Load(artifact="x", threads=1), "asked to load before an engine was chosen"),
        (
            RunQueries(first=0, count=1, settle_count=0),
            "asked to run before an artefact was loaded",
        ),
        (WarmUp(limit_ns=1, window_ns=1), "asked to run before an artefact was loaded"),
    ],
)
def test_requests_out_of_order_are_failures_and_not_the_end(
    request_: Request, problem: str
) -> None:
    failure, memory = converse(request_, ReadMemory())
    assert isinstance(failure, Failure)
    assert failure.problem == problem
    assert isinstance(memory, MemoryRead)


def test_an_unknown_engine_is_a_failure() -> None:
    (failure,) = converse(Prepare(runtime="abacus", samples=(), seed=0, generated_count=1))
    assert isinstance(failure, Failure)
    assert failure.code == "EW100"


def test_noise_instead_of_a_request_is_a_failure() -> None:
    (failure,) = replies_to((3).to_bytes(HEADER_BYTES, "big") + b"\xff\xff\xff")
    assert isinstance(failure, Failure)


def test_a_stream_that_breaks_off_is_the_end() -> None:
    assert replies_to(b"\x00\x00") == []
    assert replies_to(b"") == []


def signature(batch: int | str) -> ModelSignature:
    tensor = TensorSignature(name="x", dtype="float32", shape=(batch, 2))
    return ModelSignature(inputs=(tensor,), outputs=())


def test_one_sample_fills_a_model_of_a_fixed_batch() -> None:
    one = {"x": np.array([[1.0, 2.0]], np.float32)}
    assert fit_batch([one], signature("n"))[0] is one
    assert fit_batch([one], signature(1))[0] is one
    filled = fit_batch([one], signature(3))[0]["x"]
    np.testing.assert_array_equal(filled, [[1.0, 2.0]] * 3)
    whole = {"x": np.zeros((3, 2), np.float32)}
    np.testing.assert_array_equal(fit_batch([whole], signature(3))[0]["x"], whole["x"])


def test_a_number_for_all_samples_is_left_as_it_is() -> None:
    state = TensorSignature(name="state", dtype="float32", shape=(2, 8))
    rate = TensorSignature(name="rate", dtype="int64", shape=())
    both = ModelSignature(inputs=(state, rate), outputs=())
    one = {"state": np.zeros((2, 8), np.float32), "rate": np.array(16000)}
    assert fit_batch([one], both)[0]["rate"] == 16000


def test_axes_without_a_size_ask_for_samples(tmp_path: Path) -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]>'
        "g (float[n, 3, height, width] x) => (float[n, 3, a, b] y) { y = Relu (x) }"
    )
    path = tmp_path / "open.onnx"
    path.write_bytes(model.SerializeToString())
    _, refused = converse(PREPARE, Load(artifact=str(path), threads=1))
    assert isinstance(refused, Failure)
    assert "`height` of input `x`, `width` of input `x`" in str(refused)
    assert "--samples" in str(refused)
