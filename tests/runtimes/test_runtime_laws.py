"""What holds for every engine in the registry: a new one is tested by being there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeworthy.errors import InferenceError, ModelFileError, UsageError
from edgeworthy.graph import inspect_model, load_model, model_signature
from edgeworthy.runtimes import Runtime, random_inputs

WriteModel = Callable[..., Path]
X = np.array([[1, 0], [0, 1], [2, -1]], dtype=np.float32)
B = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 9]], dtype=np.float32)
# by hand, with w = [[1, 2, 3], [4, 5, 6]]
Y = [[1, 2, 3], [5, 6, 7], [-2, -1, 9]]


def test_the_outputs_are_those_of_the_model(runtime: Runtime, linear: Path) -> None:
    with runtime.load(linear) as session:
        outputs = session.run({"x": X, "b": B})
    assert list(outputs) == ["y", "doubled"]
    assert outputs["y"].tolist() == Y
    assert outputs["y"].dtype == np.float32
    assert outputs["doubled"].tolist() == (2 * X).tolist()


def test_the_signature_is_that_of_the_file(runtime: Runtime, linear: Path) -> None:
    with runtime.load(linear) as session:
        assert session.signature == inspect_model(linear).signature


def test_an_axis_without_a_name_is_called_as_in_the_file(
    onnx_runtime: Runtime, write_model: WriteModel
) -> None:
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[?, ?, 4] x) => (float[?, ?, 4] y)'
        "{ y = Relu (x) }"
    )
    with onnx_runtime.load(path) as session:
        assert session.signature == model_signature(load_model(path).proto)
        assert session.signature.inputs[0].shape == ("axis_0", "axis_1", 4)


def test_the_same_inputs_give_the_same_outputs(runtime: Runtime, linear: Path) -> None:
    with runtime.load(linear) as first, runtime.load(linear, threads=2) as second:
        inputs = random_inputs(
            first.signature, batch=17, generator=np.random.Generator(np.random.PCG64(0))
        )
        once, twice = first.run(inputs), first.run(inputs)
        for name, values in once.items():
            assert np.array_equal(values, twice[name])
            assert np.allclose(values, second.run(inputs)[name], rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_any_size_of_batch(runtime: Runtime, linear: Path, batch: int) -> None:
    with runtime.load(linear) as session:
        x, b = np.ones((batch, 2), np.float32), np.ones((batch, 3), np.float32)
        assert session.run({"x": x, "b": b})["y"].tolist() == [[6, 8, 10]] * batch


def test_an_array_in_another_order_in_memory_means_the_same(runtime: Runtime, linear: Path) -> None:
    with runtime.load(linear) as session:
        assert session.run({"x": np.asfortranarray(X), "b": B[::-1][::-1]})["y"].tolist() == Y


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": X.astype(np.float64)}, "wrong type of input `x`. Expected float32, found float64"),
        ({"x": X.astype(">f4")}, "found >f4"),
        ({"x": X.tolist()}, "found list"),
        ({"x": X[:, :1]}, r"wrong shape of input `x`. Expected \(\w+, 2\), found \(3, 1\)"),
        ({"x": X[0]}, r"found \(2,\)"),
        ({"x": X[:0]}, r"found \(0, 2\)"),
        ({"z": X}, "wrong inputs. Expected `x`, `b`, found `x`, `b`, `z`"),
        ({"b": B[:2]}, "failed"),
    ],
)
def test_wrong_inputs_are_refused(
    runtime: Runtime, linear: Path, change: dict[str, Any], words: str
) -> None:
    with runtime.load(linear) as session:
        with pytest.raises(InferenceError, match=words) as caught:
            session.run({"x": X, "b": B, **change})
        assert caught.value.next_step
        assert str(caught.value).isprintable()
        # the session is none the worse for it
        assert session.run({"x": X, "b": B})["y"].tolist() == Y


@pytest.mark.parametrize("inputs", [{}, {"x": X}, {"x": X, "c": B}])
def test_missing_inputs_are_refused(
    runtime: Runtime, linear: Path, inputs: dict[str, NDArray[Any]]
) -> None:
    with (
        runtime.load(linear) as session,
        pytest.raises(InferenceError, match=r"wrong inputs. Expected `x`, `b`"),
    ):
        session.run(inputs)


def test_closing_twice_is_allowed_and_running_afterwards_is_not(
    runtime: Runtime, linear: Path
) -> None:
    session = runtime.load(linear)
    session.close()
    session.close()
    with pytest.raises(InferenceError, match="the session is closed"):
        session.run({"x": X, "b": B})
    assert session.signature.inputs[0].name == "x"


def thread_count() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted on Linux")
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_threads_are_those_that_were_asked_for(
    runtime: Runtime, linear: Path, threads: int
) -> None:
    if runtime.keeps_idle_threads:
        pytest.skip(f"{runtime.name} keeps idle threads; test_openvino.py holds what it says")
    with runtime.load(linear) as session:  # what the library starts once and for all
        session.run({"x": X, "b": B})
    before = thread_count()
    with runtime.load(linear, threads=threads) as session:
        session.run({"x": X, "b": B})
        # the caller's own thread is one of them
        assert thread_count() - before == threads - 1


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_too_few(runtime: Runtime, linear: Path, threads: int) -> None:
    with pytest.raises(UsageError, match="at least one thread"):
        runtime.load(linear, threads=threads)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04\x95pickle.", b"\x08\x08" * 50])
def test_garbage_is_not_a_model(runtime: Runtime, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        runtime.load(path)
    assert caught.value.where == str(path)
    assert caught.value.next_step
    assert str(caught.value).isprintable()


def test_a_truncated_model_is_not_a_model(runtime: Runtime, linear: Path) -> None:
    linear.write_bytes(linear.read_bytes()[:-30])
    with pytest.raises(ModelFileError):
        runtime.load(linear)


def test_names_that_are_not_text_are_not_a_model(runtime: Runtime, linear: Path) -> None:
    linear.write_bytes(linear.read_bytes().replace(b"doubled", b"d\xff\xfebled"))
    with pytest.raises(ModelFileError):
        runtime.load(linear)


@pytest.mark.parametrize("name", [".", "none.onnx"])
def test_a_folder_or_nothing_is_not_a_model(runtime: Runtime, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="does not exist or is not a file"):
        runtime.load(tmp_path / name)


def test_text_is_not_an_input(onnx_runtime: Runtime, write_model: WriteModel) -> None:
    path = write_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (string[n] words) => (string[n] same)'
        "{ same = Identity (words) }"
    )
    with pytest.raises(
        ModelFileError, match=r"words(` cannot be used| is not a tensor of numbers)"
    ):
        onnx_runtime.load(path)


def test_the_version_names_the_engine(runtime: Runtime) -> None:
    name, version = runtime.version().split(" ")
    assert name == runtime.name
    assert version[0].isdigit()


def test_sessions_run_side_by_side(runtime: Runtime, linear: Path) -> None:
    found: list[list[list[float]]] = []
    with runtime.load(linear) as session:

        def work() -> None:
            found.append(session.run({"x": X, "b": B})["y"].tolist())

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert found == [Y] * 4


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float16", np.float16),
        ("double", np.float64),
        ("int8", np.int8),
        ("int64", np.int64),
        ("uint8", np.uint8),
        ("bool", np.bool_),
    ],
)
def test_types_of_inputs_come_through(
    onnx_runtime: Runtime, write_model: WriteModel, name: str, dtype: type[np.generic]
) -> None:
    path = write_model(
        f'<ir_version: 8, opset_import: ["" : 17]> g ({name}[n, 1] x) => ({name}[n, 1] y)'
        "{ y = Identity (x) }"
    )
    with onnx_runtime.load(path) as session:
        x = np.array([[0], [1]], dtype=dtype)
        assert session.signature.inputs[0].dtype == np.dtype(dtype).name
        assert np.array_equal(session.run({"x": x})["y"], x)
