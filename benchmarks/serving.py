"""What serving costs: a worker against the bare engine, and against LitServe on the same model.

Method: a model of about 5 ms (a chain of small matrix products, one thread). Arms take turns in
random order within each round: the bare engine in this process, twice (the second is the A/A
check); the worker over its Unix socket and over HTTP on TCP with binary tensors, and over HTTP with
JSON; LitServe over HTTP with JSON, in its own environment, with the same engine and one worker. All
clients are the same code: a bare socket that sends prepared bytes and receives into one buffer, so
that servers are measured and not the client. For users of Python, the worker over its Unix socket
is asked with the HTTP client of the standard library too. A connection stays open for a round. A
figure of an arm is its median over the round, a ratio is taken within a round; the table has the
median ratio of all rounds and the interval of the median by order statistics (at least 95 %).
Throughput: four clients at once, worker and LitServe in turn, requests per second over the round.

On a machine that is shared, give the whole run priority: ``chrt -f 1``.

Command (about four minutes)::

    PYTHONPATH=tests python benchmarks/serving.py --peers PEERS/bin/python

``PEERS`` is an environment with ``litserve``, ``tritonclient[http]``, ``onnxruntime`` and
``numpy``.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import http
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from agent.worker.clients import connected
from agent.worker.releases import release_of
from agent.worker.supervising import listen_on_path, listen_on_tcp, serving
from edgeworthy.documents.estimate import Estimate
from edgeworthy.runtimes import find_runtime
from edgeworthy.statistics.order_statistics import percentile_interval

SHAPE = (1, 1024)
TARGET_MS = 5.0
CLIENT_COUNT = 4
HERE = Path(__file__).parent
Ask = Callable[[], object]


def chain(turns: int) -> bytes:
    """A model whose time is its number of matrix products."""
    weights = np.random.default_rng(1).standard_normal((128, 128)).astype(np.float32) / 11.4
    nodes = [helper.make_node("Reshape", ["samples", "inner"], ["h0"])]
    nodes += [
        helper.make_node("MatMul", [f"h{turn}", "weights"], [f"h{turn + 1}"])
        for turn in range(turns)
    ]
    nodes.append(helper.make_node("Reshape", [f"h{turns}", "outer"], ["scores"]))
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, SHAPE)],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([8, 128]), "inner"),
            numpy_helper.from_array(np.array(SHAPE), "outer"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    onnx.checker.check_model(model)
    return data


def bare(path: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Ask:
    """The engine alone, with the worker's options."""
    session = find_runtime("onnxruntime").load(path, threads=1)
    return lambda: session.run({"samples": samples})


class Client(abc.ABC):
    """One prepared request, to be sent again and again.

    Args:
        address: A path, or host and port.
        path: Of the request.
        body: Of the request.
        json_bytes: The JSON before binary tensors; 0 where all is JSON.
    """

    def __init__(
        self, address: str | tuple[str, int], path: str, body: bytes, json_bytes: int = 0
    ) -> None:
        self.address, self.path, self.body = address, path, body
        self.fields = {"Content-Type": "application/json"}
        if json_bytes:
            self.fields = {"Inference-Header-Content-Length": str(json_bytes)}

    @abc.abstractmethod
    def open(self) -> None:
        """Connect."""

    @abc.abstractmethod
    def close(self) -> None:
        """Hang up."""

    @abc.abstractmethod
    def __call__(self) -> object:
        """Ask once."""


class LeanClient(Client):
    """Prepared bytes out, an answer into one buffer."""

    def open(self) -> None:
        """Connect."""
        fields = {"Host": "bench", "Content-Length": len(self.body), **self.fields}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        self._request = "\r\n".join([*lines, "", ""]).encode() + self.body
        self._room = memoryview(bytearray(1 << 20))
        over_path = isinstance(self.address, str)
        self._socket = socket.socket(socket.AF_UNIX if over_path else socket.AF_INET)
        self._socket.connect(self.address)
        if not over_path:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __call__(self) -> object:
        """Ask once."""
        self._socket.sendall(self._request)
        got = size = 0
        while not size or got < size:
            count = self._socket.recv_into(self._room[got:])
            if not count:
                sys.exit("the server hung up")
            got += count
            size = size or _answer_size(bytes(self._room[: min(got, 1024)]))
        return self._room[:size]


class LibraryClient(Client):
    """The HTTP client of Python's standard library."""

    def open(self) -> None:
        """Connect."""
        self._client = connected(self.address)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def __call__(self) -> object:
        """Ask once."""
        self._client.request("POST", self.path, self.body, self.fields)
        response = self._client.getresponse()
        data = response.read()
        if response.status != http.HTTPStatus.OK:
            sys.exit(f"refused: {data[:300]!r}")
        return data


def _answer_size(begin: bytes) -> int:
    """Bytes of the whole answer; 0 while its head is not here."""
    head, ended, _ = begin.partition(b"\r\n\r\n")
    if not ended:
        return 0
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(f"refused: {begin!r}")
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return len(head) + len(ended) + int(length)


@contextlib.contextmanager
def opened(*asks: Ask) -> Iterator[None]:
    """The clients among them are connected while the block runs."""
    clients = [ask for ask in asks if isinstance(ask, Client)]
    for client in clients:
        client.open()
    try:
        yield
    finally:
        for client in clients:
            client.close()


def median_ms(ask: Ask, count: int) -> float:
    """Median milliseconds of some calls, after one that does not count."""
    ask()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def throughput(asks: Sequence[Ask], seconds: float) -> float:
    """Requests per second of several clients at once."""
    counts = [0] * len(asks)
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        while time.perf_counter() < end:
            asks[number]()
            counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


@contextlib.contextmanager
def litserve(python: str, model: Path) -> Iterator[int]:
    """LitServe on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [python, str(HERE / "peers" / "litserve_server.py"), str(model), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        time.sleep(3)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def row(name: str, figures: Sequence[float], baseline: Sequence[float]) -> str:
    """One line of the table."""
    ratios = np.sort(np.array(figures) / np.array(baseline))
    found = percentile_interval(ratios, 50, confidence=0.95, unit="ratio")
    interval = (
        f"{found.low:.3f} to {found.high:.3f}" if isinstance(found, Estimate) else "too few rounds"
    )
    return f"| {name} | {statistics.median(figures):.3f} | {np.median(ratios):.3f} | {interval} |"


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    samples = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        path = folder / "model.onnx"
        path.write_bytes(chain(100))
        turns = round(100 * TARGET_MS / median_ms(bare(path, samples), 200))
        path.write_bytes(chain(turns))
        release = release_of(
            path.read_bytes(),
            {"samples": samples},
            lambda _: {"scores": samples},
            task="anomaly",
            name="chain",
        ).write(folder / "release")
        tcp = stack.enter_context(listen_on_tcp())
        unix = stack.enter_context(listen_on_path(folder / "s"))
        stack.enter_context(serving(release, tcp, unix))
        port = stack.enter_context(litserve(options.peers, path))
        report(options, path, tcp.getsockname(), str(folder / "s"), port, samples)
        client = [str(HERE / "peers" / "triton_client.py")]
        host = "{}:{}".format(*tcp.getsockname())
        print("\ntritonclient:\n", flush=True)
        subprocess.run([options.peers, *client, host, "chain"], check=True)
    return 0


def report(
    options: argparse.Namespace,
    path: Path,
    tcp: tuple[str, int],
    unix: str,
    port: int,
    samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    """Take the figures and print the tables."""
    tensor = {"name": "samples", "shape": list(SHAPE), "datatype": "FP32"}
    sized = {**tensor, "parameters": {"binary_data_size": samples.nbytes}}
    head = json.dumps({"inputs": [sized], "parameters": {"binary_data_output": True}}).encode()
    values = samples.ravel().tolist()
    plain = json.dumps({"inputs": [{**tensor, "data": values}]}).encode()
    theirs = json.dumps({"shape": list(SHAPE), "data": values}).encode()
    url = "/v2/models/chain/infer"

    there = ("127.0.0.1", port)
    binary = head + samples.tobytes()
    arms: dict[str, Ask] = {
        "bare engine": bare(path, samples),
        "bare engine again (A/A)": bare(path, samples),
        "worker, Unix socket, binary": LeanClient(unix, url, binary, len(head)),
        "worker, Unix socket, `http.client`": LibraryClient(unix, url, binary, len(head)),
        "worker, HTTP, binary": LeanClient(tcp, url, binary, len(head)),
        "worker, HTTP, JSON": LeanClient(tcp, url, plain),
        "LitServe, HTTP, JSON": LeanClient(there, "/predict", theirs),
    }
    generator = random.Random(0)  # noqa: S311 - an order, no secret
    figures: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(options.rounds):
        for arm in generator.sample(list(arms), len(arms)):
            with opened(arms[arm]):
                figures[arm].append(median_ms(arms[arm], options.queries))
    print(f"{options.rounds} rounds of {options.queries} queries\n")
    print("| arm | p50 ms | ratio to the bare engine | 95 % interval |\n|---|---|---|---|")
    for arm in arms:
        print(row(arm, figures[arm], figures["bare engine"]))
    crowds: dict[str, list[Ask]] = {
        "worker": [LeanClient(tcp, url, plain) for _ in range(CLIENT_COUNT)],
        "LitServe": [LeanClient(there, "/predict", theirs) for _ in range(CLIENT_COUNT)],
    }
    rates: dict[str, list[float]] = {name: [] for name in crowds}
    for turn in range(options.rounds):
        for name in sorted(crowds, reverse=bool(turn % 2)):
            with opened(*crowds[name]):
                rates[name].append(throughput(crowds[name], options.seconds))
    print(f"\n{options.rounds} rounds of {options.seconds:g} s, {CLIENT_COUNT} clients, JSON\n")
    print("| arm | requests/s | ratio to LitServe | 95 % interval |\n|---|---|---|---|")
    for arm, found in rates.items():
        print(row(arm, found, rates["LitServe"]))


if __name__ == "__main__":
    sys.exit(main())
