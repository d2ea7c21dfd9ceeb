"""Kills and disk errors at every system call by which a supervisor changes its store.

Usage: ``PYTHONPATH=tests python -m faults.agent_soak [--every N] [--processes N] [--record FILE]``
prints a Markdown table; the exit code is 1 when an invariant broke. By default each call is
disturbed in each way. With a record, a run that was stopped goes on where it was.

What must hold after each disturbance, before anything is repaired: the release that the state names
is whole and proven with the publisher's key. After a restart: exactly one proven release is served,
the old one or the new one. After one more look: the release that should be there is. Always: the
history is one unbroken chain.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.bench import Bench, equipped, serving
from edgeworthy.agent.events import RollbackAsked, Settled
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.supervisor import Supervisor
from edgeworthy.documents.agent import Slot
from edgeworthy.errors import UsageError
from edgeworthy.release import verify_release
from edgeworthy.release.trust.layout import blob_path
from faults.injection import Fault, count_calls, disturbed, is_preloaded, run_preloaded
from faults.sharing import Record, shared_out
from faults.update_soak import MEMORY

OURS = {"done", "killed", "StorageError"}
POOR = "the outputs are 0.3 away, 0.01 is allowed"


@dataclass(frozen=True)
class Story:
    """Some work of a device that is disturbed.

    Attributes:
        name: For people.
        before: Brings the device to where the work begins.
        work: What is disturbed.
        allowed: Versions that may be served after a restart.
        newest: The version that is served in the end.
    """

    name: str
    before: Callable[[Bench], object]
    work: Callable[[Bench], Supervisor | None]
    allowed: frozenset[str]
    newest: str


def nothing(_bench: Bench) -> None:
    """The device was enrolled and never looked."""


def updated(bench: Bench) -> None:
    bench.update().handle(Settled())
    bench.workshop.publish("1.1.0", "rings/stable")


def updated_twice(bench: Bench) -> None:
    updated(bench)
    bench.update().handle(Settled())


def poor(bench: Bench) -> None:
    updated(bench)
    bench.poor["1.1.0"] = POOR


def rebooted_on_poor(bench: Bench) -> None:
    updated_twice(bench)
    bench.poor["1.1.0"] = POOR
    bench.reboot()


def rotten(bench: Bench) -> None:
    updated_twice(bench)
    current, previous = bench.state.current, bench.state.previous
    assert current is not None
    assert previous is not None
    own = {each.digest for each in current.files} - {each.digest for each in previous.files}
    path = bench.folder / blob_path(min(own))
    path.chmod(0o644)
    path.write_bytes(b"\0" * path.stat().st_size)


def third(bench: Bench) -> None:
    updated_twice(bench)
    bench.workshop.publish("1.2.0", "rings/stable")


def smaller_board(bench: Bench) -> None:
    updated_twice(bench)
    bench.reboot(memory_bytes=39 << 20)
    bench.started()


def lost_state(bench: Bench) -> None:
    updated_twice(bench)
    (bench.folder / "state.json").write_bytes(b"")


def look(bench: Bench) -> Supervisor:
    return bench.update()


def go_back(bench: Bench) -> Supervisor:
    supervisor = bench.started()
    supervisor.handle(RollbackAsked("it flickers"))
    return supervisor


STORIES = (
    Story("the first release", nothing, look, frozenset({"", "1.0.0"}), "1.0.0"),
    Story("an update", updated, look, frozenset({"1.0.0", "1.1.0"}), "1.1.0"),
    Story(
        "a third release, the first one goes", third, look, frozenset({"1.1.0", "1.2.0"}), "1.2.0"
    ),
    Story("a candidate that fails", poor, look, frozenset({"1.0.0"}), "1.0.0"),
    Story("back by hand", updated_twice, go_back, frozenset({"1.0.0", "1.1.0"}), ""),
    Story("a boot that proves nothing", rebooted_on_poor, look, frozenset({"1.0.0"}), "1.0.0"),
    Story("a slot that rotted", rotten, look, frozenset({"1.0.0", "1.1.0"}), "1.1.0"),
    Story("another variant of it", smaller_board, look, frozenset({"1.1.0"}), "1.1.0"),
    Story("a state that was lost", lost_state, look, frozenset({"1.1.0"}), "1.1.0"),
)


def proven(bench: Bench, slot: Slot | None) -> str:
    """Version of a release in the store, proven with the publisher's key; empty for none."""
    if slot is None:
        return ""
    keys = [bench.workshop.release_signer.public_key]
    found = verify_release(bench.store.release_folder(slot.entry), keys, some_models=True)
    assert bench.store.damage(slot) == ""
    return found.manifest.version


def check(bench: Bench, story: Story, *, intact: bool) -> None:
    if intact:  # where the story itself spoils what is current, the state names that at first
        bootable = proven(bench, bench.state.current)
        assert bootable in story.allowed, f"{bootable or 'nothing'} is bootable"
    supervisor = bench.started()
    served = serving(supervisor)
    assert served in story.allowed, f"{served or 'nothing'} is served after a restart"
    current = supervisor.state.current
    assert proven(bench, current) == served
    if current is not None:
        assert bench.proven_version() == served, "the pointer names what is served"
    supervisor.look()
    served = serving(supervisor)
    assert served in ({story.newest} if story.newest else story.allowed), f"{served} in the end"
    assert bench.proven_version() == served
    assert supervisor.state.phase == "idle"
    content = verified_history(bench.store.history_file, bench.state)
    sequences = [each.sequence for each in content.entries]
    assert sequences == list(range(1, len(sequences) + 1)), "the history has no gap"
    assert len(list((bench.folder / "releases").iterdir())) <= 6, "nothing is left lying about"


def copied(original: Bench, folder: Path) -> Bench:
    shutil.copytree(original.folder, folder, symlinks=True)
    return dataclasses.replace(original, folder=folder)


@dataclass(frozen=True)
class Scene:
    """A device where a story begins, and how many calls the story makes."""

    bench: Bench
    calls: int

    @classmethod
    def of(cls, story: Story, folder: Path) -> Scene:
        folder.mkdir()
        bench = Bench.enrolled(folder / "device", equipped(folder / "workshop"))
        story.before(bench)
        first = copied(bench, folder / "first")
        return cls(bench, count_calls(lambda: story.work(first)))


def soak(story: Story, fault: Fault, calls: range, scene: Scene) -> Iterator[str]:
    intact = story.before not in {rotten, rebooted_on_poor}

    def work(bench: Bench) -> None:
        supervisor = story.work(bench)
        if supervisor is not None and not fault.kills and "" not in story.allowed:
            assert serving(supervisor), "a disk that refuses leaves something that serves"

    for at in calls:
        place = Path(tempfile.mkdtemp(dir=scene.bench.folder.parent))
        bench = copied(scene.bench, place / "device")
        outcome = disturbed(lambda bench=bench: work(bench), fault, at)  # type: ignore[misc]
        named = f"{story.name}, {fault.name} at call {at} of {scene.calls}"
        if outcome not in OURS or (fault.kills and outcome != "killed"):
            raise AssertionError(f"{named}: {outcome}")
        try:
            check(bench, story, intact=intact)
        except Exception as error:
            raise AssertionError(f"{named}: {type(error).__name__}: {error}") from error
        shutil.rmtree(place)
        yield outcome


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args(arguments)
    print("| work | fault | calls | disturbed | killed | ended with an error | done anyway |")  # noqa: T201
    print("|---|---|---|---|---|---|---|")  # noqa: T201 - the result
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        scenes = [Scene.of(each, Path(folder) / str(at)) for at, each in enumerate(STORIES)]
        rows = {
            f"{story.name} | {fault.name.lower().replace('_', ' ')}": (story, fault, scene)
            for fault in Fault  # the kills come first
            for story, scene in zip(STORIES, scenes, strict=True)
        }

        def work(story: Story, fault: Fault, scene: Scene) -> Counter[str]:
            return Counter(soak(story, fault, range(1, scene.calls + 1, options.every), scene))

        record = Record(options.record, f"agent, every {options.every}")
        everything = {name: partial(work, *row) for name, row in rows.items()}
        for name, outcomes in shared_out(everything, record, options.processes):
            total += outcomes
            _, _, scene = rows[name]
            figures = (scene.calls, outcomes.total(), outcomes["killed"])
            rest = (outcomes["StorageError"], outcomes["done"])
            print(f"| {name} | {' | '.join(map(str, (*figures, *rest)))} |", flush=True)  # noqa: T201
    print(f"\n{total['killed']} kills, {total.total() - total['killed']} disk errors")  # noqa: T201
    return 0


if __name__ == "__main__":
    if is_preloaded():
        try:
            sys.exit(main(sys.argv[1:]))
        except (AssertionError, UsageError):
            traceback.print_exc()
            sys.exit(1)
    sys.exit(run_preloaded(Path(__file__), sys.argv[1:], shown=True).returncode)
