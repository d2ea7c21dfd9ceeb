"""A real agent, with real workers, killed and updated while it is asked."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec
import pytest

from agent.living import enrolled, serves, wait_until
from agent.real_release import SAMPLES, SCORES, publish_real, real_workshop
from edgeworthy.agent import running
from edgeworthy.agent.events import CurrentCrashed, SelfTestPassed
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity, identify
from edgeworthy.agent.models import Models
from edgeworthy.agent.running import RunOptions, run_once
from edgeworthy.agent.store import Store
from edgeworthy.agent.worker_process import Waits, unix_listener
from edgeworthy.cli.main import run
from release.trust.workshop import PRODUCT, Workshop


@pytest.fixture
def workshop(memory_path: Path) -> Workshop:
    folder = memory_path / "workshop"
    return real_workshop(folder, Workshop(folder, now=datetime.now(UTC)))


@pytest.fixture
def store(memory_path: Path, workshop: Workshop) -> Store:
    return enrolled(memory_path / "device", workshop)


@contextlib.contextmanager
def agent(store: Store) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "edgeworthy", "agent", "run", "--store", str(store.folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


class Client:
    """Asks the model over its Unix socket, on one connection after the other."""

    def __init__(self, store: Store) -> None:
        self.path = str(store.run / "inference.sock")
        self.answers = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def infer(self) -> list[float]:
        line = http.client.HTTPConnection("localhost", timeout=30)
        line.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(line):
            line.sock.connect(self.path)
            body = {
                "inputs": [
                    {
                        "name": "samples",
                        "shape": [1, 8, 8],
                        "datatype": "FP32",
                        "data": SAMPLES[:1].ravel().tolist(),
                    }
                ]
            }
            line.request("POST", f"/v2/models/{PRODUCT}/infer", json.dumps(body))
            answer = json.loads(line.getresponse().read())
        data: list[float] = answer["outputs"][0]["data"]
        return data

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            try:
                assert self.infer() == pytest.approx(SCORES[0].tolist(), rel=1e-4)
                self.answers += 1
            except Exception as error:  # noqa: BLE001 - each of them is the result
                self.failures.append(f"{type(error).__name__}: {error}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.slow
def test_an_agent_lives_through_updates_while_it_is_asked(
    workshop: Workshop, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with agent(store) as process:
        wait_until(store, serves("1.0.0"))
        with Client(store) as client:
            publish_real(workshop, "1.1.0")
            wait_until(store, serves("1.1.0"))
            publish_real(workshop, "1.2.0", away=0.5)
            found = wait_until(store, lambda found: found["refused"])
            assert "differs from the golden outputs" in found["refused"][-1]["reason"]
            assert serves("1.1.0")(found)
            assert run(["agent", "rollback", "--store", str(store.folder), "--reason", "why"]) == 0
            wait_until(store, serves("1.0.0"))
        assert client.failures == []
        assert client.answers > 10
        assert run(["agent", "diagnose", "--store", str(store.folder)]) == 0
        assert "serves at unix:" in capsys.readouterr().out
        assert run(["agent", "once", "--store", str(store.folder)]) == 0
    assert process.returncode == 0
    content = verified_history(store.history_file, store.state())
    happened = [f"{each.event} {each.version}".strip() for each in content.entries]
    assert happened == [
        *("enrolled", "started", "offered 1.0.0", "committed 1.0.0"),
        *("offered 1.1.0", "committed 1.1.0", "offered 1.2.0", "rolled-back 1.2.0"),
        *("offered 1.0.0", "restored 1.0.0", "stopped 1.0.0"),
    ]


def test_the_process_that_stays_has_left_the_command_line_behind(store: Store) -> None:
    with agent(store) as process:
        wait_until(store, serves("1.0.0"))
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    assert command[1:3] == [b"-m", b"edgeworthy.agent"]
    assert "numpy" not in maps
    assert "onnx" not in maps


@pytest.mark.slow
def test_kills_of_agent_and_worker_leave_something_that_serves(
    workshop: Workshop, store: Store
) -> None:
    with agent(store) as process:
        found = wait_until(store, serves("1.0.0"))
        os.kill(found["worker"]["process_id"], signal.SIGKILL)
        first = found["worker"]["process_id"]
        wait_until(store, lambda now: now["worker"] and now["worker"]["process_id"] != first)
        assert Client(store).infer() == pytest.approx(SCORES[0].tolist(), rel=1e-4)
        publish_real(workshop, "1.1.0")
        wait_until(store, lambda found: found["phase"] != "idle" or serves("1.1.0")(found))
        process.kill()
        process.wait()
    with agent(store):
        wait_until(store, serves("1.1.0"))
        assert Client(store).infer() == pytest.approx(SCORES[0].tolist(), rel=1e-4)


def test_a_worker_that_hangs_is_noticed_and_ended(store: Store) -> None:
    assert run_once(store, RunOptions()).current is not None
    slot = store.state().current
    assert slot is not None
    listener = unix_listener(store.run / "inference.sock")
    waits = Waits(silence_seconds=1.0)
    models = Models(store, [listener], ("--heartbeat-seconds", "0.2"), waits)
    assert models.serve(slot, proven=True, why="") is None
    assert models.serving is not None
    process = models.serving.process
    os.kill(process.pid, signal.SIGSTOP)
    end = time.monotonic() + 20
    event = None
    while event is None and time.monotonic() < end:
        event = models.watch()
    assert event == CurrentCrashed("the worker gave no sign of life for 1 s")
    assert process.poll() == -signal.SIGKILL
    assert models.serve(slot, proven=True, why="") is None, "and another one takes its place"
    assert models.watch() is None
    models.close()


def test_another_variant_of_the_same_release_takes_over_with_its_own_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_once(store, RunOptions()).current
    host = msgspec.structs.replace(identify().host, memory_bytes=39 << 20)
    monkeypatch.setattr(running, "identify", lambda: Identity(host, "another board"))
    second = run_once(store, RunOptions()).current
    assert first is not None
    assert second is not None
    assert (first.variant, second.variant) == ("int8", "float32")
    assert first.entry == second.entry
    models = Models(store, [unix_listener(store.run / "inference.sock")])
    assert models.serve(first, proven=True, why="") is None
    assert models.serving is not None
    before = models.serving.process
    assert models.test(second) == SelfTestPassed()
    assert models.serve(second, proven=True, why="") is None
    assert models.serving.slot == second
    assert models.candidate is None
    assert before.poll() == 0, "the worker before ended by itself"
    assert Client(store).infer() == pytest.approx(SCORES[0].tolist(), rel=1e-4)
    models.close()
