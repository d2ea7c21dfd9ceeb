"""The command that the public tuf-conformance suite drives, on the agent's own updater.

Usage (see CLIENT-CLI.md of theupdateframework/tuf-conformance)::

    client.py --metadata-dir DIR init TRUSTED_ROOT
    client.py --metadata-dir DIR --metadata-url URL refresh
    client.py --metadata-dir DIR --metadata-url URL --target-name NAME [--target-name NAME ...] \
        --target-base-url URL --target-dir DIR download

Several targets are looked up one after the other by the same updater; the first that fails ends it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

from tuf.api.exceptions import LengthOrHashMismatchError

from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import HttpSource
from edgeworthy.agent.transport import Transport, World
from edgeworthy.agent.updater import Updater, UpdaterSettings
from edgeworthy.errors import EdgeworthyError
from edgeworthy.files import write_whole
from edgeworthy.release.trust.tuf_names import TargetFile

_LARGEST_TARGET_BYTES = 1 << 30


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name", dest="target_names", action="append", default=[])
    parser.add_argument("--target-base-url", default="")
    parser.add_argument("--target-dir", type=Path)
    parser.add_argument("command", choices=["init", "refresh", "download"])
    parser.add_argument("trusted_root", type=Path, nargs="?")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except EdgeworthyError as error:
        print(f"error {error.code}: {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command == "init":
        write_whole(options.metadata_dir / "root.json", options.trusted_root.read_bytes())
        return 0
    updater = Updater(
        UpdaterSettings(
            folder=options.metadata_dir,
            signed_time_file=options.metadata_dir.with_name("signed-time.json"),
            own_clock=lambda: datetime.now(UTC),
            metadata_prefix="",
            targets_prefix="",
        ),
        _transport(options.metadata_url),
        _transport(options.target_base_url),
    )
    updater.refresh()
    if options.command == "refresh":
        return 0
    downloads = (_download(updater, each, options.target_dir) for each in options.target_names)
    return 0 if all(downloads) else 1


def _download(updater: Updater, name: str, folder: Path) -> bool:
    target = updater.find_target(name)
    if target is None:
        print(f"no such target: {name}", file=sys.stderr)  # noqa: T201 - the same
        return False
    file = folder / urllib.parse.quote(target.path, "")
    if not (file.is_file() and _holds(target, file.read_bytes())):
        write_whole(file, updater.read_target(target, largest_bytes=_LARGEST_TARGET_BYTES))
    return True


def _holds(target: TargetFile, data: bytes) -> bool:
    try:
        target.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        return False
    return True


def _transport(url: str) -> Transport:
    return Transport(
        sources=[HttpSource(url)],
        patience=Patience(),
        world=World(time.monotonic, time.sleep, random.SystemRandom().random),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
