"""A worker from its start to its end, as real processes with real sockets."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from agent.worker.clients import connected
from agent.worker.releases import bounds_here, counting_model, linear_release, release_of
from agent.worker.supervising import WorkerProcess, listen_on_tcp, serving
from edgeworthy.documents.worker_control import StopCommand


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linear_release().write(tmp_path_factory.mktemp("worker") / "release")


@pytest.fixture
def workers() -> Iterator[list[WorkerProcess]]:
    started: list[WorkerProcess] = []
    yield started
    for worker in started:
        worker.end()


def ask(address: tuple[str, int], row: list[float]) -> list[float]:
    client = http.client.HTTPConnection(*address, timeout=30)
    tensor = {"name": "samples", "shape": [1, 2], "datatype": "FP32", "data": row}
    client.request("POST", "/v2/models/tiny/infer", json.dumps({"inputs": [tensor]}))
    answer = json.loads(client.getresponse().read())
    client.close()
    data: list[float] = answer["outputs"][0]["data"]
    return data


def test_a_worker_loads_proves_serves_and_drains(
    release: Path, workers: list[WorkerProcess]
) -> None:
    with listen_on_tcp() as listener:
        worker = WorkerProcess(release, [listener])
        workers.append(worker)
        loaded = worker.loaded()
        assert (loaded.release, loaded.variant) == ("tiny 1.0.0", "float32")
        assert loaded.process_id == worker.process.pid
        assert worker.self_test(reason="boot").passed
        host, port = listener.getsockname()
        assert worker.serve().listeners == (f"{host}:{port}",)
        assert ask((host, port), [1.0, 2.0]) == [1.5, 3.0, -0.5]
        drained = worker.drain()
        assert (drained.request_count, drained.cut_count) == (1, 0)


def test_it_says_that_it_lives(release: Path, workers: list[WorkerProcess]) -> None:
    worker = WorkerProcess(release, [], "--heartbeat-seconds", "0.05")
    workers.append(worker)
    worker.loaded()
    first, second = worker.beat(), worker.beat()
    assert second.uptime_seconds > first.uptime_seconds > 0
    assert first.resident_bytes > 1 << 24


def test_it_stops_at_once_when_told(release: Path, workers: list[WorkerProcess]) -> None:
    worker = WorkerProcess(release)
    workers.append(worker)
    worker.loaded()
    worker.say(StopCommand())
    assert worker.process.wait(30) == 0


def test_without_its_supervisor_it_ends(release: Path, workers: list[WorkerProcess]) -> None:
    worker = WorkerProcess(release)
    workers.append(worker)
    worker.loaded()
    worker.control.close()
    assert worker.process.wait(30) == 0


def test_a_signal_to_end_drains_it(release: Path) -> None:
    with listen_on_tcp() as listener, serving(release, listener) as worker:
        assert ask(listener.getsockname(), [0.0, 0.0]) == [0.0, 0.0, 0.0]
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(30) == 0


@pytest.mark.parametrize(
    ("variant", "damage", "reason", "words"),
    [
        ("int8", None, "variant", "has no variant `int8`"),
        ("float32", b"not a model", "release", "content was changed"),
    ],
)
def test_what_cannot_be_loaded_is_reported(
    tmp_path: Path,
    workers: list[WorkerProcess],
    variant: str,
    damage: bytes | None,
    reason: str,
    words: str,
) -> None:
    made = linear_release()
    folder = made.write(tmp_path / "release")
    if damage is not None:
        artifact = made.manifest.variants[0].artifact.removeprefix("sha256:")
        (folder / "blobs" / "sha256" / artifact).write_bytes(damage.ljust(len(made.model)))
    worker = WorkerProcess(folder, variant=variant)
    workers.append(worker)
    failed = worker.failed()
    assert failed.reason == reason
    assert words in failed.message
    assert worker.process.wait(30) == 1


def test_memory_above_the_limit_ends_the_worker(
    release: Path, workers: list[WorkerProcess]
) -> None:
    worker = WorkerProcess(release, [], "--memory-limit-mib", "8")
    workers.append(worker)
    worker.loaded()
    failed = worker.failed()
    assert failed.reason == "memory"
    assert "limit of 8 MiB" in failed.message


def test_a_self_test_that_hangs_fails_and_ends_the_worker(
    tmp_path: Path, workers: list[WorkerProcess]
) -> None:
    made = linear_release()
    count = 200_000
    made.golden = {name: np.repeat(rows, count, axis=0) for name, rows in made.golden.items()}
    worker = WorkerProcess(made.write(tmp_path / "release"), [], "--heartbeat-seconds", "0.1")
    workers.append(worker)
    worker.loaded()
    result = worker.self_test(time_limit_seconds=0.3)
    assert not result.passed
    assert result.reasons == ("The self-test did not end; 0.3 s are allowed.",)
    assert worker.failed().reason == "hang"
    assert worker.process.wait(30) == 1


@pytest.mark.parametrize("quick_ones", [0, 3], ids=["on a thread", "on the loop"])
def test_an_inference_that_hangs_ends_the_worker(tmp_path: Path, quick_ones: int) -> None:
    """After a few quick ones, the loop runs them itself, and something else must notice."""
    made = release_of(
        counting_model(),
        {"turns": np.array([3])},
        lambda given: {"counted": given["turns"]},
        task="anomaly",
    )
    options = ["--inference-seconds", "0.5", "--heartbeat-seconds", "0.1"]
    release = made.write(tmp_path / "release")
    with listen_on_tcp() as listener, serving(release, listener, options=options) as worker:
        client = connected(listener.getsockname())
        for turns in [*[5] * quick_ones, 1 << 60]:
            tensor = {"name": "turns", "shape": [1], "datatype": "INT64", "data": [turns]}
            client.request("POST", "/v2/models/tiny/infer", json.dumps({"inputs": [tensor]}))
            if turns == 5:
                answer = json.loads(client.getresponse().read())
                assert answer["outputs"][0]["data"] == [5]
        assert worker.failed().reason == "hang"
        assert worker.process.wait(30) == 1
        client.close()


def test_a_model_that_gives_other_outputs_is_refused(
    tmp_path: Path, workers: list[WorkerProcess]
) -> None:
    made = linear_release()
    made.golden["output:float32:scores"] = made.golden["output:float32:scores"] * 1.5
    worker = WorkerProcess(made.write(tmp_path / "release"))
    workers.append(worker)
    worker.loaded()
    result = worker.self_test()
    assert not result.passed
    assert "Output `scores` differs from the golden outputs by up to 0.333" in result.reasons[0]


def test_every_bound_is_looked_at(tmp_path: Path, workers: list[WorkerProcess]) -> None:
    made = linear_release()
    labels = made.golden["output:float32:scores"].argmax(axis=1)
    made.golden["label"] = labels
    bounds = bounds_here(metric_value=1.0, metric_bound=0.9)
    made.manifest = msgspec.structs.replace(
        made.manifest,
        golden=msgspec.structs.replace(made.manifest.golden, metric="accuracy", bounds=(bounds,)),
    )
    worker = WorkerProcess(made.write(tmp_path / "release"))
    workers.append(worker)
    worker.loaded()
    result = worker.self_test()
    assert result.passed, result.reasons
    assert [check.subject for check in result.checks] == [
        "outputs",
        "metric",
        "latency",
        "memory",
    ]
    assert (result.metric, result.metric_value) == ("accuracy", 1.0)
    assert result.slowdown_ratio is not None
    assert result.slowdown_ratio > 0
