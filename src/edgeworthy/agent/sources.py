"""Where bytes come from: a web server or a folder. Neither is trusted with anything but bytes.

Rules:

1. A source answers with bytes from the place that was asked for, or from the beginning, and says
   which; whether they are the right ones is for whoever asked.
2. HTTP: only ``http`` and ``https``; at most five redirects, never from ``https`` to ``http``;
   no compressed bodies, because their size is not the size that was signed; headers are bounded
   by the standard library.
3. A folder (a stick, a share): ordinary files inside the folder, no links out of it.
4. What goes wrong is a :class:`SourceProblem` that says whether asking again can help.
"""

from __future__ import annotations

import email.utils
import http.client
import os
import re
import stat
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

_PIECE_BYTES = 1 << 16
_MOST_REDIRECTS = 5
_CONTENT_RANGE = re.compile(r"bytes (?P<first>[0-9]+)-(?P<last>[0-9]+)/(?P<total>[0-9]+|\*)")
_GONE = (403, 404, 410)
_SAFE = "/%~:@!$&'()*+,;="


class SourceProblem(Exception):  # noqa: N818 - it never leaves this room
    """A source did not give what was asked for.

    Args:
        reason: One clause, for people.
        gone: The source says that there is no such thing, so asking again does not help.
        retry_after_seconds: How long the source asks to be left alone.
    """

    def __init__(
        self, reason: str, *, gone: bool = False, retry_after_seconds: float = 0.0
    ) -> None:
        self.reason = reason
        self.gone = gone
        self.retry_after_seconds = retry_after_seconds
        super().__init__(reason)


@dataclass(frozen=True)
class Answer:
    """What a source begins to send.

    Attributes:
        offset: Where in the file its bytes begin: as asked, or 0.
        total_bytes: Size of the whole file; absent when the source does not say.
        tag: What names this version of the file at this source; empty when nothing does.
        pieces: The bytes.
    """

    offset: int
    total_bytes: int | None
    tag: str
    pieces: Iterator[bytes]


class Source(Protocol):
    """A place that has the files of a repository."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    def open(self, path: str, *, offset: int = 0, tag: str = "") -> AbstractContextManager[Answer]:
        """Begin to read a file.

        Args:
            path: Inside the repository, with ``/``; parts are quoted where that is needed.
            offset: Where to begin.
            tag: Only continue when the file is still this one, else begin again.
        """


@dataclass(frozen=True)
class FolderSource:
    """A repository in a folder, on a stick for example."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    @contextmanager
    def open(self, path: str, *, offset: int = 0, tag: str = "") -> Iterator[Answer]:
        """Begin to read a file."""
        parts = path.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise SourceProblem("a path that leads out of the folder", gone=True)
        try:
            stream, status = self._stream(self.folder.joinpath(*parts))
        except OSError as error:
            gone = isinstance(error, FileNotFoundError | NotADirectoryError)
            raise SourceProblem(error.strerror or str(error), gone=gone) from error
        with stream:
            found = f"{status.st_mtime_ns}-{status.st_size}"
            start = offset if offset <= status.st_size and tag in ("", found) else 0
            stream.seek(start)
            yield Answer(start, status.st_size, found, _pieces_of(stream.read))

    def _stream(self, path: Path) -> tuple[IO[bytes], os.stat_result]:
        if path.resolve().parent != path.parent.resolve() or path.is_symlink():
            raise SourceProblem("a link, not a file", gone=True)
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise SourceProblem("a path that leads out of the folder", gone=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        stream = os.fdopen(descriptor, "rb")
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            stream.close()
            raise SourceProblem("not an ordinary file", gone=True)
        return stream, status


@dataclass(frozen=True)
class HttpSource:
    """A repository behind a URL.

    Attributes:
        url: What every path is appended to.
        answer_seconds: How long the server may stay silent.
        user_agent: How we name ourselves.
    """

    url: str
    answer_seconds: float = 30.0
    user_agent: str = "edgeworthy-agent"

    @property
    def name(self) -> str:
        """The URL without what may be secret in it."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"

    @contextmanager
    def open(self, path: str, *, offset: int = 0, tag: str = "") -> Iterator[Answer]:
        """Begin to read a file."""
        headers = {"Accept-Encoding": "identity", "User-Agent": self.user_agent}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if tag:
                headers["If-Range"] = tag
        # What is quoted already stays; what no URL may hold is quoted.
        url = f"{self.url.rstrip('/')}/{urllib.parse.quote(path, safe=_SAFE)}"
        with _http_problems():
            response = _ask(url, headers, self.answer_seconds)
        with response:
            start, total = _place_of(response, offset)
            yield Answer(start, total, _strong_tag(response), _pieces_of(response.read1))


def source_of(text: str, *, answer_seconds: float = 30.0) -> Source:
    """The source that a user named: a URL or a folder.

    >>> source_of("https://updates.example/repository").name
    'https://updates.example/repository'
    >>> source_of("/media/stick/repository").name
    '/media/stick/repository'
    """
    if text.startswith(("http://", "https://")):
        return HttpSource(text, answer_seconds)
    return FolderSource(Path(text.removeprefix("file://")))


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Rule 2."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.scheme not in {"http", "https"} or (old.scheme, new.scheme) == ("https", "http"):
            raise SourceProblem(f"a redirect to {new.scheme or 'nowhere'}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _ask(url: str, headers: dict[str, str], timeout_seconds: float) -> http.client.HTTPResponse:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _CarefulRedirects(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http and https only
    response = opener.open(request, timeout=timeout_seconds)
    if not isinstance(response, http.client.HTTPResponse):
        raise SourceProblem("neither http nor https", gone=True)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        response.close()
        raise SourceProblem(f"a body in the encoding {encoding[:20]!r}, which was not asked for")
    return response


@contextmanager
def _http_problems() -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceProblem(
            f"the server answered {error.code}",
            gone=error.code in _GONE,
            retry_after_seconds=_retry_after(error.headers.get("Retry-After", "")),
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceProblem(f"{type(error).__name__}: {error}"[:200]) from error


def _place_of(response: http.client.HTTPResponse, offset: int) -> tuple[int, int | None]:
    if response.status == http.client.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if match is None or int(match["first"]) != offset:
            raise SourceProblem("a range that was not asked for")
        return offset, None if match["total"] == "*" else int(match["total"])
    if response.status != http.client.OK:
        raise SourceProblem(f"the server answered {response.status}")
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isascii() and length.isdecimal() else None


def _strong_tag(response: http.client.HTTPResponse) -> str:
    tag = response.headers.get("ETag", "").strip()
    return tag if tag.startswith('"') and len(tag) < 200 else ""  # noqa: PLR2004 - a bound


def _pieces_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while True:
        with _http_problems():
            piece = read(_PIECE_BYTES)
        if not piece:
            return
        yield piece


def _retry_after(text: str) -> float:
    """Seconds, from a number or an HTTP date; nothing for nonsense."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdecimal():
        return float(stripped[:9])
    try:
        moment = email.utils.parsedate_to_datetime(stripped)
    except (ValueError, TypeError):
        return 0.0
    if moment.tzinfo is None:
        return 0.0
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
