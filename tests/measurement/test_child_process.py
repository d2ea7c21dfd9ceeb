from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from edgeworthy.errors import InferenceError, MeasurementError, ModelFileError, UsageError
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.plan import MeasurementPlan
from edgeworthy.measurement.wire import (
    Latencies,
    Load,
    Loaded,
    MemoryRead,
    Prepare,
    Prepared,
    ReadMemory,
    RunQueries,
    pack_tensors,
)

PREPARE = Prepare(runtime="onnxruntime", samples=(), seed=0, generated_count=1)
NOWHERE = MeasurementPlan(
    variant="int8", artifact=Path("models/int8.onnx"), digest="sha256:0", target="board"
)


def start(plan: MeasurementPlan = NOWHERE, *, timeout_s: float = 60.0) -> ChildProcess:
    return ChildProcess(plan, reply_timeout_s=timeout_s)


def load(path: Path) -> Load:
    return Load(artifact=str(path), threads=1)


def assert_gone(process_id: int) -> None:
    """The process has ended and was waited for."""
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def wait_for_end(process_id: int) -> None:
    """Wait for a process that is not our child."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([descriptor], [], [], 60)
        assert ready, f"process {process_id} outlived its parent"
    finally:
        os.close(descriptor)


def test_a_process_answers_runs_and_leaves(small_model: Path) -> None:
    with start() as child:
        child.ask(PREPARE, Prepared)
        child.ask(load(small_model), Loaded)
        reply = child.ask(RunQueries(first=0, count=10, settle_count=2), Latencies)
    assert len(np.frombuffer(reply.data, dtype="<i8")) == 10
    assert_gone(child.process_id)
    child.close()


def test_one_sample_fills_the_batch_of_a_model_that_fixes_it(batched_model: Path) -> None:
    sample = pack_tensors({"image": np.ones((1, 8, 16, 16), np.float32)})
    request = Prepare(runtime="onnxruntime", samples=(sample,), seed=0, generated_count=1)
    with start() as child:
        child.ask(request, Prepared)
        assert child.ask(load(batched_model), Loaded).first_inference_ns > 0


def test_samples_larger_than_a_pipe_arrive() -> None:
    sample = pack_tensors({"x": np.zeros((1, 1 << 20), np.float64)})
    request = Prepare(runtime="onnxruntime", samples=(sample,) * 2, seed=0, generated_count=1)
    with start() as child:
        assert child.ask(request, Prepared).runtime_version.startswith("onnxruntime")


def test_a_paused_process_counts_as_silent_and_a_resumed_one_answers() -> None:
    with start(timeout_s=0.05) as child:
        child.pause()
        with pytest.raises(
            MeasurementError, match=r"int8 \(models/int8.onnx\): no answer .* within 0.05 s"
        ):
            child.ask(ReadMemory(), MemoryRead)
    assert_gone(child.process_id)


def test_a_process_that_takes_no_input_counts_as_silent() -> None:
    sample = pack_tensors({"x": np.zeros((1, 1 << 20), np.float64)})
    request = Prepare(runtime="onnxruntime", samples=(sample,), seed=0, generated_count=1)
    with start(timeout_s=0.05) as child:
        child.pause()
        with pytest.raises(MeasurementError, match="no answer"):
            child.ask(request, Prepared)
    assert_gone(child.process_id)


def test_a_model_that_loops_without_end_is_ended(endless_model: Path) -> None:
    with start(timeout_s=60) as child:
        child.ask(PREPARE, Prepared)
        child._timeout_s = 0.3
        with pytest.raises(MeasurementError, match="no answer"):
            child.ask(load(endless_model), Loaded)
        child.kill()
    assert_gone(child.process_id)


def test_a_hanging_process_is_ended_when_it_does_not_leave(
    endless_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeworthy.measurement.child_process._FAREWELL_S", 0.1)
    with start() as child:
        child.ask(PREPARE, Prepared)
        child._timeout_s = 0.3
        with pytest.raises(MeasurementError):
            child.ask(load(endless_model), Loaded)
    assert_gone(child.process_id)


def test_kill_minus_nine_in_the_middle_of_a_query(endless_model: Path) -> None:
    with start() as child:
        child.ask(PREPARE, Prepared)
        killer = threading.Timer(0.1, os.kill, (child.process_id, signal.SIGKILL))
        killer.start()
        with pytest.raises(InferenceError, match="ended by SIGKILL in the middle") as caught:
            child.ask(load(endless_model), Loaded)
        killer.join()
    assert caught.value.where == "int8 (models/int8.onnx)"
    assert_gone(child.process_id)


def test_a_process_that_is_dead_already_is_reported_on_the_next_request() -> None:
    with start() as child:
        os.kill(child.process_id, signal.SIGKILL)
        child._process.wait()
        with pytest.raises(InferenceError, match="SIGKILL"):
            child.ask(PREPARE, Prepared)
        child.pause()


def test_a_file_that_is_no_model_is_the_models_fault(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x80\x04no model")
    with start() as child:
        child.ask(PREPARE, Prepared)
        with pytest.raises(ModelFileError, match=r"^int8 \(models/int8.onnx\): "):
            child.ask(load(broken), Loaded)
        assert child.ask(ReadMemory(), MemoryRead).peak_memory_bytes > 0


def test_an_unknown_engine_is_a_usage_error() -> None:
    request = Prepare(runtime="abacus", samples=(), seed=0, generated_count=1)
    with start() as child, pytest.raises(UsageError, match="abacus"):
        child.ask(request, Prepared)


def impostor(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> ChildProcess:
    """A process that speaks as ``program`` does instead of as it should."""
    script = folder / "impostor"
    script.write_text(f"#!{sys.executable}\nimport sys\n{program}\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return start()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("sys.stdout.buffer.write(b'\\xff' * 8)", "a frame of 4294967295 bytes"),
        ("sys.stdout.buffer.write(b'\\0\\0\\0\\2\\xc1\\xc1')", "makes no sense"),
    ],
)
def test_an_answer_that_makes_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    with (
        impostor(
            tmp_path, monkeypatch, f"{program}; sys.stdout.flush(); sys.stdin.read()"
        ) as child,
        pytest.raises(MeasurementError, match=message),
    ):
        child.ask(PREPARE, Prepared)


def test_an_answer_to_another_question() -> None:
    with start() as child, pytest.raises(MeasurementError) as caught:
        child.ask(ReadMemory(), Prepared)
    assert caught.value.expected == "`Prepared`"
    assert caught.value.found == "`MemoryRead`"


def test_the_last_words_of_a_crash_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "sys.stderr.write('x' * 100_000 + ' illegal\\n instruction'); sys.exit(3)"
    with (
        impostor(tmp_path, monkeypatch, program) as child,
        pytest.raises(InferenceError, match="ended with code 3") as caught,
    ):
        child.ask(PREPARE, Prepared)
    assert caught.value.found.endswith("x illegal instruction")
    assert len(caught.value.found) <= 400


def test_a_process_that_closes_its_output_and_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeworthy.measurement.child_process._FAREWELL_S", 0.05)
    program = "import os; os.close(1); sys.stdin.read()"
    with (
        impostor(tmp_path, monkeypatch, program) as child,
        pytest.raises(InferenceError, match="closed its output in the middle"),
    ):
        child.ask(PREPARE, Prepared)
    assert_gone(child.process_id)


def test_what_an_engine_prints_neither_breaks_a_frame_nor_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program = (
        "import os, runpy\n"
        "import edgeworthy.measurement.scenario as scenario\n"
        "original = scenario.gc.collect\n"
        "def loud():\n"
        "    os.write(1, b'noise' * 100_000)\n"
        "    return original()\n"
        "scenario.gc.collect = loud\n"
        "runpy.run_module('edgeworthy.measurement.child', run_name='__main__')\n"
    )
    with impostor(tmp_path, monkeypatch, program) as child:
        assert child.ask(PREPARE, Prepared).runtime_memory_bytes > 0
        assert child.ask(ReadMemory(), MemoryRead).peak_memory_bytes > 0
    assert capfd.readouterr() == ("", "")


#: It hears Ctrl-C even where the suite was started in the background, which ignores it.
PARENT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from edgeworthy.measurement.child_process import ChildProcess
from edgeworthy.measurement.plan import MeasurementPlan
from edgeworthy.measurement.wire import Load, Loaded, Prepare, Prepared
plan = MeasurementPlan(variant="v", artifact=Path(sys.argv[1]), digest="", target="t")
with ChildProcess(plan, reply_timeout_s=600) as child:
    child.ask(Prepare(runtime="onnxruntime", samples=(), seed=0, generated_count=1), Prepared)
    if sys.argv[2] == "paused":
        child.pause()
    print(child.process_id, flush=True)
    child.ask(Load(artifact=sys.argv[1], threads=1), Loaded)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("state", ["running", "paused"])
def test_no_process_outlives_its_parent(
    endless_model: Path, number: signal.Signals, state: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(endless_model), state],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child_id = int(parent.stdout.readline())
        parent.send_signal(number)
        wait_for_end(child_id)
        assert parent.wait(60) == -number
