"""The protocol as a client sees it: a real worker, real sockets, bytes as clients send them."""

from __future__ import annotations

import gzip
import io
import json
import socket
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from agent.worker.clients import BODY, UnixConnection, connected
from agent.worker.releases import (
    WEIGHTS,
    identity_model,
    linear_release,
    picture_model,
    release_of,
)
from agent.worker.supervising import WorkerProcess, listen_on_path, listen_on_tcp, serving
from edgeworthy.agent.worker.datatypes import PROTOCOL_NAMES
from edgeworthy.documents.project import InputSection

KINDS = {
    name: onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in sorted(PROTOCOL_NAMES)
}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)


@dataclass
class Service:
    """A worker that serves the linear model, over TCP and a Unix socket."""

    worker: WorkerProcess
    tcp: tuple[str, int]
    path: str

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        client = connected(self.tcp)
        client.request(method, path, body or None, headers or {})
        response = client.getresponse()
        reply = Reply(response.status, dict(response.headers), response.read())
        client.close()
        return reply

    def raw(self, data: bytes) -> bytes:
        """Everything that comes back for some bytes, until the server ends the connection."""
        with socket.create_connection(self.tcp) as client:
            client.settimeout(30)
            client.sendall(data)
            found = b""
            while piece := client.recv(65536):
                found += piece
        return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("protocol")
    release = linear_release().write(folder / "release")
    path = folder / "s"
    with (
        listen_on_tcp() as tcp,
        listen_on_path(path) as unix,
        serving(release, tcp, unix, options=["--largest-body-mib", "1"]) as worker,
    ):
        yield Service(worker, tcp.getsockname(), str(path))


def test_health_metadata_and_readiness(service: Service) -> None:
    assert service.ask("GET", "/v2/health/live").status == 200
    assert service.ask("GET", "/v2/health/ready").status == 200
    assert service.ask("HEAD", "/v2").body == b""
    assert service.ask("GET", "/v2").json["extensions"] == ["binary_tensor_data"]
    for path in ("/v2/models/tiny", "/v2/models/tiny/versions/1.0.0"):
        assert service.ask("GET", path).json == {
            "name": "tiny",
            "versions": ["1.0.0"],
            "platform": "onnxruntime_float32",
            "inputs": [{"name": "samples", "datatype": "FP32", "shape": [-1, 2]}],
            "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 3]}],
        }
        assert service.ask("GET", f"{path}/ready").status == 200
    assert [each["name"] for each in service.ask("POST", "/v2/repository/index").json] == [
        "tiny",
        "tiny.raw",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/", b"", 200, "/answer"),
        ("GET", "/v1", b"", 404, "begins at /v2"),
        ("DELETE", "/v2", b"", 405, "GET or HEAD only"),
        ("GET", "/v2/models/other", b"", 404, "no model `other`: `tiny`, `tiny.raw`"),
        ("GET", "/v2/models/tiny/versions/9", b"", 404, "only version 1.0.0"),
        ("GET", "/v2/models/tiny/stats", b"", 404, "`ready` and `infer`"),
        ("GET", "/v2/models/tiny/infer", b"", 405, "POST only"),
        ("POST", "/v2/models/tiny/infer", b"{", 400, "not an inference request"),
        ("POST", "/v2/models/tiny/infer", BODY.replace(b"samples", b"other"), 400, "wrong inputs"),
        ("POST", "/v2/models/tiny/infer", BODY.replace(b"FP32", b"FP64"), 400, "wrong type"),
        ("POST", "/v2/models/tiny/infer", BODY.replace(b"[1, 2]", b"[2, 1]"), 400, "wrong shape"),
        ("POST", "/v2/models/tiny/infer", b"x" * ((1 << 20) + 1), 413, "larger than 1048576"),
        ("POST", "/answer", b"no picture", 400, "the image is damaged"),
    ],
)
def test_each_mistake_has_its_status_and_says_what_is_wrong(
    service: Service, method: str, path: str, body: bytes, status: int, words: str
) -> None:
    reply = service.ask(method, path, body)
    assert reply.status == status
    assert words in reply.body.decode()


def test_the_same_over_a_unix_socket(service: Service) -> None:
    client = UnixConnection(service.path)
    for _ in range(2):
        client.request("POST", "/v2/models/tiny/infer", BODY)
        assert json.loads(client.getresponse().read())["outputs"][0]["data"] == [1.5, 3.0, -0.5]
    client.close()


def test_the_bytes_of_the_public_triton_client(service: Service) -> None:
    """What ``tritonclient[http]`` 2.x sends for one binary input and one binary output."""
    values = np.array([[1.0, 2.0], [0.0, 4.0]], "<f4")
    text = (
        b'{"id":"42","inputs":[{"name":"samples","shape":[2,2],"datatype":"FP32",'
        b'"parameters":{"binary_data_size":16}}],"outputs":[{"name":"scores",'
        b'"parameters":{"binary_data":true}}]}'
    )
    reply = service.ask(
        "POST",
        "/v2/models/tiny/infer",
        text + values.tobytes(),
        {"Inference-Header-Content-Length": str(len(text)), "Connection": "keep-alive"},
    )
    length = int(reply.headers["Inference-Header-Content-Length"])
    said = json.loads(reply.body[:length])
    assert (said["id"], said["model_name"]) == ("42", "tiny")
    (output,) = said["outputs"]
    assert output["parameters"] == {"binary_data_size": len(reply.body) - length}
    scores = np.frombuffer(reply.body[length:], "<f4").reshape(output["shape"])
    np.testing.assert_allclose(scores, [[1.5, 3.0, -0.5], [1.0, 8.0, -2.0]])


def test_requests_that_are_sent_ahead_are_answered_in_order(service: Service) -> None:
    def request(row: str, *, last: bool = False) -> bytes:
        body = BODY.replace(b"[1.0, 2.0]", row.encode())
        close = b"Connection: close\r\n" if last else b""
        head = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\n" + close
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    rows = [f"[{number}.0, 0.0]" for number in range(20)]
    found = service.raw(b"".join(request(r, last=r is rows[-1]) for r in rows))
    firsts = [part.partition(b"]")[0] for part in found.split(b'"data":[')[1:]]
    assert [float(first.split(b",")[0]) for first in firsts] == list(range(20))


def test_compressed_requests_and_chunks_are_understood(service: Service) -> None:
    reply = service.ask(
        "POST", "/v2/models/tiny/infer", gzip.compress(BODY), {"Content-Encoding": "gzip"}
    )
    assert reply.json["outputs"][0]["data"] == [1.5, 3.0, -0.5]
    head = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)
    found = service.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert found.endswith(b'"data":[1.5,3.0,-0.5]}]}')


def test_garbage_is_refused_and_the_server_lives_on(service: Service) -> None:
    assert service.raw(b"\x16\x03\x01 a TLS greeting\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert service.raw(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000).startswith(b"HTTP/1.1 431")
    assert service.ask("GET", "/v2/health/live").status == 200


def test_raw_samples_become_labels_and_probabilities(service: Service) -> None:
    """The release halves raw values; the expected figures are computed by hand."""
    scores = np.array([0.75, 1.5, -0.25])
    chances = np.exp(scores) / np.exp(scores).sum()
    reply = service.ask("POST", "/v2/models/tiny.raw/infer", BODY).json
    found = {output["name"]: output["data"] for output in reply["outputs"]}
    assert (found["label"], found["index"]) == (["dog"], [1])
    assert found["probability"] == pytest.approx([chances[1]])
    assert found["probabilities"] == pytest.approx(chances)
    body = json.dumps({"samples": [[1, 2]]}).encode()
    answer = service.ask("POST", "/answer", body, {"Content-Type": "application/json"}).json
    assert answer["answers"][0]["label"] == "dog"
    assert [each["label"] for each in answer["answers"][0]["likeliest"]] == ["dog", "cat", "eel"]


@pytest.mark.parametrize("body", [b"[]", b'{"samples": [[1], [1, 2]]}', b'{"samples": [["a"]]}'])
def test_answers_refuse_what_are_no_samples(service: Service, body: bytes) -> None:
    assert service.ask("POST", "/answer", body, {"Content-Type": "application/json"}).status == 400


def test_every_type_of_the_engine_passes(tmp_path: Path) -> None:
    given = {name: np.array([0, 1, 1]).astype(name) for name in KINDS}
    release = release_of(
        identity_model(KINDS),
        {f"in_{name}": values for name, values in given.items()},
        lambda inputs: {f"out_{name.removeprefix('in_')}": v for name, v in inputs.items()},
        task="regression",
        output="out_float32",
    ).write(tmp_path / "release")
    with listen_on_tcp() as listener, serving(release, listener) as worker:
        service = Service(worker, listener.getsockname(), "")
        inputs = [
            {
                "name": f"in_{name}",
                "shape": [3],
                "datatype": PROTOCOL_NAMES[name],
                "data": values.tolist(),
            }
            for name, values in given.items()
        ]
        reply = service.ask(
            "POST", "/v2/models/tiny/infer", json.dumps({"inputs": inputs}).encode()
        )
        for output in reply.json["outputs"]:
            name = output["name"].removeprefix("out_")
            assert output["datatype"] == PROTOCOL_NAMES[name]
            assert output["data"] == given[name].tolist()
        assert worker.self_test().passed


def test_a_picture_is_prepared_as_the_release_says(tmp_path: Path) -> None:
    """Pixels 255 and 51 become 1 and 0, so the scores are the first row of the weights."""
    made = release_of(
        picture_model(),
        {"image": np.array([[[[1.0, 0.0]]]], np.float32)},
        lambda given: {"scores": given["image"].reshape(-1, 2) @ WEIGHTS},
        labels=("cat", "dog", "eel"),
        inputs={"image": InputSection(layout="NCHW", mean=(51.0,), std=(204.0,))},
    )
    picture, sound = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.array([[255, 51]], np.uint8)).save(picture, "PNG")
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 4, "NONE", ""))
        file.writeframes(bytes(8))
    encoded = picture.getvalue()
    with listen_on_tcp() as listener, serving(made.write(tmp_path / "r"), listener) as worker:
        service = Service(worker, listener.getsockname(), "")
        assert service.ask("GET", "/v2/models/tiny.raw").json["inputs"] == [
            {"name": "image", "datatype": "BYTES", "shape": [-1]}
        ]
        (answer,) = service.ask("POST", "/answer", encoded).json["answers"]
        assert answer["label"] == "cat"
        assert answer["probability"] == pytest.approx(1 / (1 + np.exp(-2) + np.exp(-0.5)))
        data = len(encoded).to_bytes(4, "little") + encoded
        tensor = {"name": "image", "shape": [1], "datatype": "BYTES"}
        text = json.dumps(
            {"inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}]}
        ).encode()
        reply = service.ask(
            "POST",
            "/v2/models/tiny.raw/infer",
            text + data,
            {"Inference-Header-Content-Length": str(len(text))},
        )
        assert reply.json["outputs"][0]["data"] == ["cat"]
        wrong = service.ask("POST", "/answer", sound.getvalue())
        assert wrong.status == 400
        assert "axes" in wrong.json["error"]
