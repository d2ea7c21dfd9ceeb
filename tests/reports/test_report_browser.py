"""The report in a real browser: no request, no sideways scrolling, no label over another.

The page is served to a headless Chromium inside a frame as wide as a phone or a desk, by a server
that writes down what is asked of it. Skipped where there is no Chromium.
"""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeworthy.documents.build import BuildRecord

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason=f"NOT CHECKED IN A BROWSER: none of {', '.join(BROWSERS)} is installed"
)
FRAME = """<!doctype html><meta charset="utf-8"><body>
<iframe id="f" src="report.html" style="width:WIDTHpx;height:900px;border:0"></iframe>
<script>
const all = (root, query) => [...root.querySelectorAll(query)];
const overlap = (p, q) =>
  Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2 &&
  Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4;
document.getElementById("f").onload = event => {
  const page = event.target.contentDocument, root = page.documentElement;
  const wide = all(page.body, "*").filter(e => !e.closest(".skip, caption"))
    .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
    .map(e => `${e.tagName} ${e.getAttribute("class")} ${e.textContent.slice(0, 40)}`);
  const charts = all(page, "svg.chart").filter(e => e.getBoundingClientRect().width);
  const overlaps = [];
  for (const svg of charts) {
    const texts = all(svg, "text").map(e => [e.textContent, e.getBoundingClientRect()]);
    texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
      if (overlap(p, q)) overlaps.push(`${svg.getAttribute("aria-labelledby")}: ${a} / ${b}`);
    }));
  }
  document.body.textContent = "FOUND" + JSON.stringify({
    scroll: root.scrollWidth, client: root.clientWidth, wide, overlaps, charts: charts.length,
  }) + "DNUOF";
};
</script>"""


class Recorder(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and keeps the paths."""

    asked: list[str]

    def __init__(self, *args: object, asked: list[str], directory: str) -> None:
        self.asked = asked
        super().__init__(*args, directory=directory)  # type: ignore[arg-type] # passed through

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = functools.partial(Recorder, asked=asked, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def look(address: str, profile: Path) -> tuple[dict[str, object], str]:
    assert BROWSER is not None
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--enable-logging=stderr",
            "--window-size=1400,1000",
            f"--user-data-dir={profile}",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    found = re.search(r"FOUND(.*)DNUOF", done.stdout, flags=re.DOTALL)
    assert found, done.stdout[:2000]
    seen: dict[str, object] = json.loads(html.unescape(found[1]))
    return seen, done.stderr


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "width"), [("record", 375), ("record", 1280), ("refused", 375), ("hostile", 375)]
)
def test_the_page_fits_and_asks_for_nothing(
    request: pytest.FixtureRequest,
    served: tuple[str, list[str]],
    tmp_path: Path,
    page_of: Callable[[BuildRecord], str],
    width: int,
    kind: str,
) -> None:
    record: BuildRecord = request.getfixturevalue(kind)
    address, asked = served
    (tmp_path / "report.html").write_text(page_of(record), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    seen, log = look(f"{address}/frame.html", tmp_path / "profile")
    assert set(asked) <= {"/frame.html", "/report.html", "/favicon.ico"}
    assert asked.count("/report.html") == 1
    assert "Content Security Policy" not in log
    assert seen["client"] == width or seen["client"] == width - 15
    assert seen["wide"] == []
    assert seen["scroll"] == seen["client"]
    assert seen["overlaps"] == []
    assert isinstance(seen["charts"], int)
    assert seen["charts"] >= 5
