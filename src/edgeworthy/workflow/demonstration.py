"""A device's life in a minute: a real build, a real trust repository, a real agent, real HTTP.

Rules:

1. Nothing is acted: each scene runs what a user would run, and what is shown is what came of it.
2. Everything lies in one folder that is removed at the end, however it ends; no process stays.
3. A scene that does not end as it must is an error that says so.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import http.server
import io
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgeworthy.errors import ExecutionError
from edgeworthy.workflow.trust import TrustedRepository

Kind = Literal["scene", "command", "line", "good", "bad"]
Tell = Callable[[Kind, str], None]

_PRODUCT = "digits"
_POLICY = """\
name = "desk"
products = ["digits"]
instruction_sets = ["x86-vnni", "x86-avx2", "arm-neon", "arm-dotprod", "generic"]

[[evidence]]
predicate_type = "urn:edgeworthy:evaluation:v1"
bounds = [{ metric = "accuracy", at_least = 0.9 }]
"""
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.25


@dataclass
class DeviceDemonstration:
    """The scenes and what they share.

    Attributes:
        folder: Where everything lies.
        tell: Shows a line.
        passphrase: Of every key that is made.
        columns: How wide a line may be.
    """

    folder: Path
    tell: Tell
    passphrase: bytes = field(default_factory=lambda: secrets.token_hex(16).encode())
    columns: int = 96

    @property
    def repository(self) -> Path:
        """What the web server serves."""
        return self.folder / "repository"

    @property
    def store(self) -> Path:
        """The device."""
        return self.folder / "device"

    def run(self) -> None:
        """Every scene, in order.

        Raises:
            ExecutionError: A scene did not end as it must.
        """
        self._build("1.0.0")
        self._found_repository()
        with self._web_server() as address, self._agent(address):
            self._first_release()
            self._update()
            self._failing_candidate()
            self._tampered_repository()
            self._history()

    def _build(self, version: str) -> Path:
        from edgeworthy.workflow.keys import create_signing_key
        from edgeworthy.workflow.project import Project
        from edgeworthy.workflow.templates import make_project

        project = self.folder / _PRODUCT
        if not project.exists():
            self.tell("scene", "A release is built, judged and signed")
            make_project(_PRODUCT, project)
            create_signing_key(project / "keys" / "release", self.passphrase)
        self.tell("command", f"edgeworthy build --project {_PRODUCT}")
        file = project / "edgeworthy.toml"
        stated = re.compile(r'^version = ".*"', re.MULTILINE)
        file.write_text(stated.sub(f'version = "{version}"', file.read_text()))
        result = Project.load(project, passphrase=self.passphrase).build()
        if result.release_path is None:
            raise ExecutionError(
                "the gate refused the demonstration's release",
                next_step=f"See why with `edgeworthy build` in a copy of {_PRODUCT}",
            )
        shipped = ", ".join(
            sorted({each.variant for each in result.decision.targets if each.variant})
        )
        self.tell("good", f"{_PRODUCT} {version} passed the gate: {shipped}")
        return result.release_path

    def _opened(self) -> TrustedRepository:
        return TrustedRepository(
            self.repository, self.folder / "trust-keys", lambda: self.passphrase
        )

    def _found_repository(self) -> None:
        from edgeworthy.release.trust import TrustSettings

        self.tell("scene", "A repository is founded, and says what devices may demand")
        opened = self._opened()
        self.tell("command", f"edgeworthy trust init repository --create-keys --product {_PRODUCT}")
        keys = opened.create_keys([_PRODUCT])
        opened.init([_PRODUCT], TrustSettings())
        self.tell("line", f"{len(keys)} keys, two of three root keys must agree")
        policy = self.folder / "desk.toml"
        policy.write_text(_POLICY)
        opened.policy(policy, [self._public_key()])
        self.tell("line", "policy desk: an accuracy whose whole interval is above 0.9")
        self._publish(self._release_folder("1.0.0"))

    def _first_release(self) -> None:
        self.tell("scene", "An agent takes the release, proves it on this machine, serves it")
        self._wait_until("1.0.0 is served", lambda status: _serves(status, "1.0.0"))
        self.tell("good", "digits 1.0.0 is served")
        self._infer()

    def _update(self) -> None:
        self.tell("scene", "1.1.0 is published: it proves itself beside 1.0.0, then takes over")
        self._publish(self._build("1.1.0"))
        self._wait_until("1.1.0 is served", lambda status: _serves(status, "1.1.0"))
        self.tell("good", "digits 1.1.0 is served, 1.0.0 stands ready behind it")
        self._infer()

    def _failing_candidate(self) -> None:
        self.tell("scene", "1.2.0 is published; its golden outputs do not hold on this device")
        self._publish(self._with_other_outputs("1.2.0"))
        status = self._wait_until("1.2.0 is refused", lambda found: bool(found["refused"]))
        self.tell("bad", f"rolled back: {status['refused'][-1]['reason']}")
        if not _serves(status, "1.1.0"):
            raise ExecutionError("the device does not serve 1.1.0 any more")
        self.tell("good", "digits 1.1.0 is served as before")
        self._infer()

    def _tampered_repository(self) -> None:
        self.tell("scene", "Somebody with the web server, but without keys, changes the repository")
        timestamp = self.repository / "metadata" / "timestamp.json"
        honest = timestamp.read_bytes()
        changed = json.loads(honest)
        changed["signed"]["version"] += 1
        timestamp.write_text(json.dumps(changed))
        status = self._wait_until("the change is noticed", lambda found: bool(found["trouble"]))
        self.tell("bad", f"refused: {status['trouble']}")
        if not _serves(status, "1.1.0"):
            raise ExecutionError("the device does not serve 1.1.0 any more")
        timestamp.write_bytes(honest)
        self._wait_until("the repository is believed again", lambda found: not found["trouble"])
        self.tell("good", "with the honest bytes back, the device looks on as before")

    def _history(self) -> None:
        self.tell("scene", "What ran here, when and why")
        self.tell("command", "edgeworthy agent history")
        out = self._edgeworthy("history", "--store", str(self.store))
        for line in out.splitlines():
            self.tell("line", line)

    def _publish(self, release: Path) -> None:
        self.tell("command", f"edgeworthy publish {release.name} repository --to rings/stable")
        published, _ = self._opened().publish(release, [self._public_key()], ["rings/stable"], "")
        self.tell("line", f"publication {published.release_counter}: {published.manifest[:19]}")

    def _public_key(self) -> Path:
        return self.folder / _PRODUCT / "keys" / "release.pub"

    def _release_folder(self, version: str) -> Path:
        return self.folder / _PRODUCT / "dist" / f"{_PRODUCT}-{version}"

    def _with_other_outputs(self, version: str) -> Path:
        """The release 1.1.0 under another version, whose golden outputs this device cannot give."""
        import msgspec
        import numpy as np

        from edgeworthy.datasets import npz_bytes
        from edgeworthy.files import digest_bytes
        from edgeworthy.release import (
            GOLDEN_MEDIA_TYPE,
            Evidence,
            ReleaseBlob,
            ReleaseContents,
            load_public_key,
            load_signer,
            verify_release,
            write_release,
        )

        good = self._release_folder("1.1.0")
        verified = verify_release(good, [load_public_key(self._public_key())])
        blobs = {each.digest: each for each in verified.blobs}
        golden_blob = blobs[verified.manifest.golden.blob]
        with np.load(io.BytesIO(golden_blob.path.read_bytes())) as archive:
            arrays = {name: archive[name] for name in archive.files}
        for name, values in arrays.items():
            if name.startswith("output:"):
                arrays[name] = (values[..., ::-1] * 1.1).astype(values.dtype)
        data = npz_bytes(arrays)
        golden = msgspec.structs.replace(verified.manifest.golden, blob=digest_bytes(data))
        contents = ReleaseContents(
            manifest=msgspec.structs.replace(verified.manifest, version=version, golden=golden),
            blobs=tuple(
                ReleaseBlob(
                    title=each.title,
                    media_type=each.media_type,
                    source=data if each.media_type == GOLDEN_MEDIA_TYPE else each.path,
                )
                for each in verified.blobs[1:]
            ),
            evidence=tuple(
                Evidence(document=each.document, subjects=each.subjects)
                for each in verified.statements
                if each.document is not None
            ),
        )
        key = str(self.folder / _PRODUCT / "keys" / "release")
        signer = load_signer(key, folder=self.folder, passphrase=lambda: self.passphrase)
        folder = self._release_folder(version)
        write_release(folder, contents, signer)
        return folder

    @contextlib.contextmanager
    def _web_server(self) -> Iterator[str]:
        handler = functools.partial(_QuietHandler, directory=str(self.repository))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    @contextlib.contextmanager
    def _agent(self, address: str) -> Iterator[None]:
        root = str(self.folder / "trust-keys" / "trusted-root.json")
        self.tell("scene", "A device is enrolled and its agent starts")
        self.tell("command", "edgeworthy agent enroll --root trusted-root.json --policy desk ...")
        enrolment = ("--repository", address, "--root", root, "--product", _PRODUCT)
        options = ("--policy", "desk", "--device", "desk-1", "--interval-seconds", "1")
        self._edgeworthy("enroll", *enrolment, *options, "--store", str(self.store))
        self.tell("command", "edgeworthy agent run &")
        command = [sys.executable, "-m", "edgeworthy", "agent", "run", "--store", str(self.store)]
        log = self.folder / "agent.log"
        with log.open("wb") as stream:
            agent = subprocess.Popen(command, stderr=stream, stdout=stream)  # noqa: S603 - ours
        try:
            yield
        except ExecutionError as error:
            said = log.read_text(errors="replace").strip().splitlines()[-5:]
            raise ExecutionError(error.problem, found=" | ".join(said)) from error
        finally:
            _end(agent)

    def _edgeworthy(self, verb: str, *arguments: str) -> str:
        command = [sys.executable, "-m", "edgeworthy", "agent", verb, *arguments]
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": str(self.columns)}
        done = subprocess.run(  # noqa: S603 - our own verb
            command, check=False, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise ExecutionError(f"`agent {verb}` failed: {done.stderr.strip()[:400]}")
        return done.stdout

    def _wait_until(self, what: str, reached: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
        """Ask the agent until something holds; returns the status that showed it."""
        from edgeworthy.agent.asking import Question, ask

        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(ExecutionError, OSError):
                answer = ask(self.store / "run", Question(ask="status"))
                status = json.loads(answer.data) if answer is not None and answer.data else None
                if status is not None and reached(status):
                    return status
            time.sleep(_LOOK_SECONDS)
        raise ExecutionError(f"the demonstration waited in vain until {what}")

    def _infer(self) -> None:
        """Ask the served model for a digit that it never saw, over its Unix socket."""
        import numpy as np

        from edgeworthy.agent.asking import short_name

        with np.load(self.folder / _PRODUCT / "digits.npz") as archive:
            image, label = archive["images"][1500], int(archive["labels"][1500])
        line = http.client.HTTPConnection("localhost", timeout=10.0)
        line.sock = socket.socket(socket.AF_UNIX)
        try:
            with short_name(self.store / "run" / "inference.sock") as name:
                line.sock.connect(name)
            body = json.dumps({"image": [image.tolist()]})
            line.request("POST", "/answer", body, {"Content-Type": "application/json"})
            answer = json.loads(line.getresponse().read())
            found = answer["answers"][0]
        except (OSError, KeyError, ValueError, http.client.HTTPException) as error:
            raise ExecutionError(f"the served model gives no answer: {error}") from error
        finally:
            line.close()
        self.tell(
            "line",
            f"asked for a handwritten {label}: digits {answer['version']} answers "
            f"{found['label']}, probability {found['probability']:.3f}",
        )


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A web server that knows nothing of releases."""

    def log_message(self, *_arguments: Any) -> None:  # noqa: ANN401 - the base class's
        """Say nothing."""


def _serves(status: Any, version: str) -> bool:  # noqa: ANN401 - JSON
    current = status["current"]
    return bool(status["worker"]) and bool(current) and current["version"] == version


def _end(agent: subprocess.Popen[bytes]) -> None:
    agent.send_signal(signal.SIGTERM)
    try:
        agent.wait(20)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()
