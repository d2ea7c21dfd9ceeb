"""A device from its enrolment on: what it takes, what it refuses, who tells it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.bench import Bench, events, policy_of, serving
from edgeworthy.agent.enrolling import enroll
from edgeworthy.agent.events import Settled
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.offers import Offer
from edgeworthy.agent.updater import Updater
from edgeworthy.documents.agent_history import HistoryEntry
from edgeworthy.documents.device_policy import EvidenceBound, EvidenceRule
from edgeworthy.documents.publication import PublishedRelease, ReleaseAssignment
from edgeworthy.documents.record import decode_document
from edgeworthy.errors import TrustError, UsageError
from edgeworthy.files import digest_bytes
from edgeworthy.release.trust import publish_policy
from edgeworthy.release.trust.layout import release_path
from release.builders import host_of
from release.trust.workshop import PRODUCT


def test_the_first_release_is_taken_proven_and_served(bench: Bench) -> None:
    supervisor = bench.update()
    assert bench.versions() == ("1.0.0", "")
    assert bench.proven_version() == "1.0.0"
    assert serving(supervisor) == "1.0.0"
    assert bench.state.phase == "idle"
    assert events(bench) == ["enrolled", "started", "offered 1.0.0", "committed 1.0.0"]


def test_an_update_keeps_the_release_before_it_and_collects_older_ones(bench: Bench) -> None:
    for version in ("1.1.0", "1.2.0"):
        bench.update()
        bench.publish(version)
    assert serving(bench.update()) == "1.2.0"
    assert bench.versions() == ("1.2.0", "1.1.0")
    folders = [each for each in (bench.folder / "releases").iterdir() if each.is_dir()]
    assert len(folders) == 2
    held = {each.name for each in (bench.folder / "blobs" / "sha256").iterdir()}
    needed = {blob.name for folder in folders for blob in (folder / "blobs" / "sha256").iterdir()}
    assert {each for each in held if not each.startswith(".")} == needed


def test_what_does_not_prove_itself_here_is_rolled_back_with_the_reason(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
    bench.poor["1.1.0"] = "the output is 0.3 away, 0.01 is allowed"
    supervisor = bench.update()
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    assert [each.reason for each in bench.state.refused] == [bench.poor["1.1.0"]]
    assert events(bench)[-2:] == ["offered 1.1.0", "rolled-back 1.1.0"]
    supervisor.look()
    assert len(events(bench)) == bench.state.sequence
    assert events(bench)[-1] == "rolled-back 1.1.0", "it is not tried again"


def test_new_software_gives_a_refused_release_another_chance(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
    bench.poor["1.1.0"] = "an old engine computes it wrongly"
    bench.update()
    del bench.poor["1.1.0"]
    assert serving(bench.update()) == "1.0.0"
    newer = msgspec.structs.replace(host_of(), runtimes=("onnxruntime 2",))
    bench.identity = Identity(newer, "boot-1")
    assert serving(bench.update()) == "1.1.0"


def test_looking_again_writes_nothing(bench: Bench) -> None:
    supervisor = bench.update()
    supervisor.handle(Settled())
    before = {path: path.stat() for path in bench.folder.rglob("*") if path.is_file()}
    for _ in range(20):
        supervisor.look()
    after = {path: path.stat() for path in bench.folder.rglob("*") if path.is_file()}
    assert {path: (each.st_ino, each.st_mtime_ns) for path, each in after.items()} == {
        path: (each.st_ino, each.st_mtime_ns) for path, each in before.items()
    }


def test_a_policy_decides_and_another_policy_decides_anew(bench: Bench) -> None:
    bench.update()
    bound = EvidenceBound(metric="accuracy", at_least=0.99)
    rule = EvidenceRule(predicate_type="urn:edgeworthy:evaluation:v1", bounds=(bound,))
    publish_policy(bench.workshop.ceremony(), policy_of(bench.workshop, rule))
    bench.publish("1.1.0")
    supervisor = bench.update()
    assert serving(supervisor) == "1.0.0"
    assert events(bench)[-1] == "refused 1.1.0"
    assert "at least 0.99 is demanded" in bench.state.refused[-1].reason
    supervisor.look()
    assert events(bench)[-1] == "refused 1.1.0", "the same policy is not asked again"
    publish_policy(bench.workshop.ceremony(), policy_of(bench.workshop))
    supervisor.look()
    assert serving(supervisor) == "1.1.0"


def test_a_quota_is_held_before_anything_is_fetched(bench: Bench) -> None:
    bench.quota_bytes = 1000
    supervisor = bench.update()
    assert bench.state.current is None
    assert "does not fit into the quota" in bench.state.trouble
    assert bench.state.phase == "idle"
    assert not (bench.folder / "blobs").exists()
    bench.quota_bytes = 0
    assert serving(bench.update()) == "1.0.0"
    assert supervisor.state.candidate is None


class Plane:
    """A control plane: it names a publication and is told what became of it."""

    def __init__(self, counter: int) -> None:
        self.counter = counter
        self.told: list[HistoryEntry] = []

    def order(self, updater: Updater, highest_counter: int) -> Offer | None:
        assert highest_counter <= self.counter
        path = release_path(PRODUCT, self.counter)
        target = updater.find_target(path)
        if target is None:
            return None
        data = updater.read_target(target, largest_bytes=1 << 20)
        release = decode_document(data, PublishedRelease, where=path)
        assignment = ReleaseAssignment(
            audience="devices/d1",
            product=PRODUCT,
            release_counter=self.counter,
            release=digest_bytes(data),
            assigned_at="2026-06-01T00:00:00Z",
        )
        return Offer(release, assignment)

    def report(self, entry: HistoryEntry) -> None:
        self.told.append(entry)

    def next_look_seconds(self) -> float | None:
        return 300.0


def test_a_control_plane_names_what_to_run_and_is_told_what_became_of_it(bench: Bench) -> None:
    bench.workshop.publish("1.1.0")  # published, and assigned to nobody
    plane = Plane(2)
    bench.control = plane
    supervisor = bench.update()
    assert serving(supervisor) == "1.1.0"
    told = [each.event for each in plane.told]
    assert told == ["enrolled", "started", "offered", "committed"]
    plane.counter = 9
    supervisor.look()
    assert serving(supervisor) == "1.1.0", "what no offline key vouches for cannot be ordered"


def test_two_agents_on_one_store_take_turns(bench: Bench) -> None:
    with (
        bench.store.alone(),
        pytest.raises(UsageError, match="another agent works on this store"),
        bench.store.alone(),
    ):
        pass
    with bench.store.alone():
        pass


def test_a_device_is_enrolled_once_and_only_with_a_root(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="enrolled already"):
        Bench.enrolled(bench.folder, bench.workshop)
    other = Bench(tmp_path / "other", bench.workshop)
    with pytest.raises(TrustError, match="not a trusted root"):
        enroll(other.store, other.settings(), b"{}")
    assert not other.folder.exists()
