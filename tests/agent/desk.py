"""A device's transport on a desk: a clock, waits and servers that tests can see."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agent.web import Behavior, Request
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import Source
from edgeworthy.agent.transport import Transport, World
from edgeworthy.files import digest_bytes
from edgeworthy.release.trust.layout import blob_path

BLOB = bytes(range(256)) * 4096
DIGEST = digest_bytes(BLOB)
PLACE = blob_path(DIGEST)


@dataclass
class Desk:
    """A device's transport with a clock and waits that tests can see."""

    store: Path
    sources: list[Source]
    patience: Patience = field(default_factory=Patience)
    now: float = 0.0
    seconds_per_look: float = 0.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        self.now += self.seconds_per_look
        return self.now

    def fetch(self, digest: str = DIGEST, size_bytes: int = len(BLOB)) -> int:
        world = World(self.monotonic, self.waits.append, lambda: 0.5)
        return Transport(self.sources, self.patience, world).fetch_blob(
            digest, size_bytes, self.store
        )

    def read(self, path: str, largest_bytes: int) -> bytes:
        world = World(self.monotonic, self.waits.append, lambda: 0.5)
        return Transport(self.sources, self.patience, world).read(
            path, largest_bytes=largest_bytes, source=self.sources[0]
        )

    def arrived(self) -> bytes:
        return (self.store / PLACE).read_bytes()

    def partials(self) -> list[str]:
        return sorted(path.name for path in (self.store / PLACE).parent.glob(".*partial*"))


def cut_after(size_bytes: int) -> Behavior:
    """Announce everything, send a part."""

    def behave(request: Request) -> bool:
        assert request.data is not None
        first = request.first_byte
        body = request.data[first:]
        head = {"ETag": '"one"', "Content_Length": str(len(body))}
        if first:
            last = len(request.data) - 1
            head["Content_Range"] = f"bytes {first}-{last}/{len(request.data)}"
        return request.send(206 if first else 200, body[:size_bytes], **head)

    return behave


def says(status: int, body: bytes = b"", **headers: str) -> Behavior:
    return lambda request: request.send(status, body, **headers)
