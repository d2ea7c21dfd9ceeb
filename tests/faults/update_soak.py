"""Kills and disk errors at every system call of a publication, a key exchange and an update.

Usage: ``PYTHONPATH=tests python -m faults.update_soak [--every N] [--processes N] [--record FILE]``
prints a Markdown table; the exit code is 1 when an invariant broke. By default each call is
disturbed in each way. With a record, a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.device import Device
from edgeworthy.agent.sources import FolderSource
from edgeworthy.errors import UsageError
from edgeworthy.release import verify_release
from edgeworthy.release.trust import rotate_role, sign_staged
from faults.injection import (
    Fault,
    count_calls,
    disturbed,
    is_preloaded,
    run_preloaded,
)
from faults.sharing import Record, shared_out
from release.trust.workshop import Workshop

#: Where nothing is written in earnest, because thousands of fsyncs take hours.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder made anew
OURS = {"done", "killed", "StorageError"}


@dataclass(frozen=True)
class Scene:
    """A publisher and a device in folders of their own."""

    workshop: Workshop
    device: Device

    @classmethod
    def copied(cls, original: Scene, folder: Path) -> Scene:
        shutil.copytree(original.workshop.folder, folder / "workshop")
        shutil.copytree(original.device.folder, folder / "device")
        workshop = dataclasses.replace(original.workshop, folder=folder / "workshop")
        device = dataclasses.replace(
            original.device,
            folder=folder / "device",
            workshop=workshop,
            sources=[FolderSource(workshop.repository)],
        )
        return cls(workshop, device)


@dataclass(frozen=True)
class Story:
    """Some work that is disturbed.

    Attributes:
        name: For people.
        work: What is done to a scene.
        again: How it is repeated.
        newest: Version that the device gets in the end.
    """

    name: str
    work: Callable[[Scene], object]
    again: Callable[[Scene], object]
    newest: str


def exchange_key(scene: Scene) -> None:
    rotate_role(scene.workshop.ceremony(), "timestamp", [scene.workshop.key("timestamp.2")])


def finish_exchange(scene: Scene) -> None:
    try:
        sign_staged(scene.workshop.ceremony())
    except UsageError:  # nothing waits: it was finished, or it never began
        exchange_key(scene)


def publish_next(scene: Scene) -> None:
    scene.workshop.publish("1.1.0", "rings/stable")


def update(scene: Scene) -> None:
    scene.device.take()


STORIES = (
    Story("publish", publish_next, publish_next, "1.1.0"),
    Story("exchange a key", exchange_key, finish_exchange, "1.0.0"),
    Story("update a device", update, update, "1.1.0"),
)


def scene_for(story: Story, folder: Path) -> Scene:
    workshop = Workshop(folder / "workshop")
    workshop.folder.mkdir()
    workshop.init()
    workshop.publish("1.0.0", "rings/stable")
    workshop.add_key("timestamp.2")
    workshop.release("1.1.0")
    device = Device.enrolled(folder / "device", workshop)
    device.take()
    if story.work is update:
        publish_next(Scene(workshop, device))
    return Scene(workshop, device)


def check(scene: Scene, story: Story) -> None:
    keys = [scene.workshop.release_signer.public_key]
    old = scene.device.folder / "release-1"
    assert verify_release(old, keys).manifest.version == "1.0.0", "what the device had is whole"
    if story.work is not update:
        witness = Scene.copied(scene, Path(tempfile.mkdtemp(dir=scene.device.folder.parent)))
        taken = witness.device.take()
        assert taken is not None
        assert taken.manifest.version in {"1.0.0", "1.1.0"}
    story.again(scene)
    taken = scene.device.take()
    assert taken is not None
    assert taken.manifest.version == story.newest


def soak(story: Story, fault: Fault, every: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield from soak_in(Path(folder), story, fault, every)


def soak_in(folder: Path, story: Story, fault: Fault, every: int) -> Iterator[str]:
    original = scene_for(story, folder)
    first = Scene.copied(original, Path(tempfile.mkdtemp(dir=folder)))
    calls = count_calls(lambda: story.work(first))
    for at in range(1, calls + 1, every):
        place = Path(tempfile.mkdtemp(dir=folder))
        scene = Scene.copied(original, place)
        outcome = disturbed(lambda scene=scene: story.work(scene), fault, at)  # type: ignore[misc]
        if outcome not in OURS:
            raise AssertionError(f"{story.name}, {fault.name} at call {at}: {outcome}")
        if fault.kills and outcome != "killed":
            raise AssertionError(f"{story.name}, {fault.name} at call {at}: not killed")
        try:
            check(scene, story)
        except Exception as error:
            raise AssertionError(f"{story.name}, {fault.name} at call {at}: {error}") from error
        shutil.rmtree(place)
        yield outcome
    yield from ["call"] * calls


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args(arguments)

    def work(story: Story, fault: Fault) -> Counter[str]:
        return Counter(soak(story, fault, options.every))

    everything = {
        f"{story.name} | {fault.name.lower().replace('_', ' ')}": partial(work, story, fault)
        for story in STORIES
        for fault in Fault
    }
    record = Record(options.record, f"update, every {options.every}")
    print("| work | fault | calls | disturbed | killed | ended with an error | done anyway |")  # noqa: T201
    print("|---|---|---|---|---|---|---|")  # noqa: T201 - the result
    for name, outcomes in shared_out(everything, record, options.processes):
        calls = outcomes.pop("call")
        figures = (calls, outcomes.total(), outcomes["killed"])
        rest = (outcomes["StorageError"], outcomes["done"])
        print(f"| {name} | {' | '.join(map(str, (*figures, *rest)))} |", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    if is_preloaded():
        try:
            sys.exit(main(sys.argv[1:]))
        except AssertionError:
            traceback.print_exc()
            sys.exit(1)
    sys.exit(run_preloaded(Path(__file__), sys.argv[1:], shown=True).returncode)
