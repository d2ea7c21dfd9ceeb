"""The unit under a real systemd, in a namespace of its own: started, killed, hung, stopped.

The service manager is that of a user, because the machine's own would start a whole system. What it
can do all the same: readiness, restarts, the watchdog, the files and the system calls that are
left. A user that is made up and limits of memory need the machine's own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.living import enrolled, serves, wait_until
from agent.real_release import real_workshop
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.store import Store
from edgeworthy.agent.unit import unit_text
from release.trust.workshop import Workshop

SYSTEMD = Path("/lib/systemd/systemd")
NAME = "edgeworthy-agent.service"
#: What the machine's own systemd would have made; only inside the namespace.
INSIDE = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/systemd/inaccessible
cd /run/systemd/inaccessible
mkdir -m 0 dir
touch reg
mkfifo -m 0 fifo sock
mknod -m 0 chr c 0 0
mknod -m 0 blk b 0 0
exec {SYSTEMD} --user --unit={NAME} --log-target=null
"""
#: What a test waits for less, and where its store and its Python lie.
DROP_IN = """[Unit]
DefaultDependencies=no
[Service]
WatchdogSec=4
RestartSec=0.1
PrivateTmp=no
ProtectHome=no
"""


class Service:
    """The agent as a unit.

    Attributes:
        environment: Where the manager is found.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        units = folder / "config" / "systemd" / "user"
        program = (sys.executable, "-m", "edgeworthy")
        text = unit_text(program, store.folder, user="edge").replace("User=edge\n", "")
        drop_in = units / f"{NAME}.d" / "test.conf"
        drop_in.parent.mkdir(parents=True)
        (units / NAME).write_text(text)
        drop_in.write_text(DROP_IN)
        run = folder / "run"
        run.mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_RUNTIME_DIR": str(run),
        }

    @contextlib.contextmanager
    def manager(self) -> Iterator[None]:
        """The service manager runs while the block does."""
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", INSIDE], env=self.environment)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def ask(self, *words: str) -> str:
        command = ["systemctl", "--user", *words]
        done = subprocess.run(
            command, env=self.environment, check=False, capture_output=True, text=True
        )
        return done.stdout.strip()

    def number(self, name: str) -> int:
        found = re.fullmatch(rf"{name}=(\d+)", self.ask("show", "--property", name, NAME))
        return int(found[1]) if found else 0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "workshop"
    workshop = real_workshop(folder, Workshop(folder, now=datetime.now(UTC)))
    return enrolled(tmp_path / "device", workshop)


@pytest.fixture
def service(tmp_path: Path, store: Store) -> Iterator[Service]:
    if not SYSTEMD.exists() or shutil.which("systemctl") is None or os.geteuid() != 0:
        pytest.skip("NOT CHECKED: the unit under systemd needs systemd, and root for a namespace")
    made = Service(tmp_path / "manager", store)
    with made.manager():
        yield made


def test_systemd_starts_the_agent_again_whatever_happens_to_it(
    service: Service, store: Store
) -> None:
    wait_until(store, serves("1.0.0"))
    assert service.ask("is-active", NAME) == "active", "it said that it is ready"
    killed = service.number("MainPID")
    os.kill(killed, signal.SIGKILL)
    wait_until(store, lambda found: found["worker"] and service.number("NRestarts") == 1)
    hung = service.number("MainPID")
    assert hung not in {0, killed}
    os.kill(hung, signal.SIGSTOP)
    wait_until(store, lambda found: found["worker"] and service.number("NRestarts") == 2)
    service.ask("stop", NAME)
    assert service.ask("is-active", NAME) == "inactive"
    content = verified_history(store.history_file, store.state())
    assert [each.event for each in content.entries if each.event != "degraded"] == [
        "enrolled",
        "started",
        "offered",
        "committed",
        "started",
        "started",
        "stopped",
    ]
    assert content.entries[-1].reason == "SIGTERM"
