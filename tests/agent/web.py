"""A web server on this machine that can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behavior = Callable[["Request"], bool]


@dataclass
class Request:
    """A request, as a behavior sees it; a behavior that answers returns true."""

    handler: BaseHTTPRequestHandler
    path: str
    data: bytes | None

    @property
    def first_byte(self) -> int:
        wish = self.handler.headers.get("Range", "")
        return int(wish.removeprefix("bytes=").rstrip("-")) if wish else 0

    def send(self, status: int, body: bytes = b"", **headers: str) -> bool:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)
        return True


@dataclass
class Web:
    """Files, their tag, and how the server misbehaves from request to request."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tag: str = '"one"'
    behaviors: list[Behavior] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, request: Request) -> None:
        wish = request.handler.headers.get("Range", "")
        self.requests.append((request.path, wish))
        if self.behaviors and self.behaviors.pop(0)(request):
            return
        if request.data is None:
            request.send(404)
            return
        condition = request.handler.headers.get("If-Range", self.tag)
        first = request.first_byte
        if first and condition == self.tag:
            last, total = len(request.data) - 1, len(request.data)
            place = f"bytes {first}-{last}/{total}"
            request.send(206, request.data[first:], ETag=self.tag, Content_Range=place)
        else:
            request.send(200, request.data, ETag=self.tag)


@contextmanager
def serving() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            web.answer(Request(self, path, web.files.get(path)))

        def log_message(self, *_arguments: Any) -> None:  # noqa: ANN401 - the base class's
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: Any) -> None:  # noqa: ANN401 - the base class's
            """Clients that hang up are what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
