"""Clients that ask without a pause, and count what they got."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections import Counter
from types import TracebackType
from typing import Self

Address = str | tuple[str, int]
BODY = json.dumps(
    {"inputs": [{"name": "samples", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}]}
).encode()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float = 60.0) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connected(address: Address) -> http.client.HTTPConnection:
    if isinstance(address, str):
        return UnixConnection(address)
    return http.client.HTTPConnection(*address, timeout=60.0)


class Crowd:
    """Threads that ask for inferences until told to stop; half keep their connection.

    Attributes:
        answers: Answers with the right scores, by version of the model.
        failures: Everything else, in words.
    """

    def __init__(self, address: Address, client_count: int) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._address = address
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(number % 2 == 0,))
            for number in range(client_count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keeps: bool) -> None:  # noqa: FBT001 - one of two kinds of client
        client = connected(self._address)
        while not self._stop.is_set():
            try:
                client.request("POST", "/v2/models/tiny/infer", BODY)
                response = client.getresponse()
                answer = json.loads(response.read())
                assert response.status == 200, answer
                assert answer["outputs"][0]["data"] == [1.5, 3.0, -0.5], answer
                self.answers[answer["model_version"]] += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                client.close()
                client = connected(self._address)
            if not keeps:
                client.close()
        client.close()
