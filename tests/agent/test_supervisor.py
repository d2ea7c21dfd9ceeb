"""A device from its enrolment on: what it takes, what it refuses, what it goes back to."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agent.bench import Bench, events, policy_of, serving
from edgeworthy.agent.choosing import choose_variant
from edgeworthy.agent.current_steps import MOST_UNSETTLED_STARTS
from edgeworthy.agent.enrolling import enroll
from edgeworthy.agent.events import CurrentCrashed, RollbackAsked, Settled
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.machine import MOST_ATTEMPTS
from edgeworthy.agent.offers import Offer
from edgeworthy.agent.updater import Updater
from edgeworthy.documents.agent_history import HistoryEntry
from edgeworthy.documents.device_policy import EvidenceBound, EvidenceRule
from edgeworthy.documents.estimate import exact
from edgeworthy.documents.publication import PublishedRelease, ReleaseAssignment
from edgeworthy.documents.record import decode_document
from edgeworthy.errors import TrustError, UsageError
from edgeworthy.files import digest_bytes
from edgeworthy.release import verify_release
from edgeworthy.release.trust import publish_policy
from edgeworthy.release.trust.layout import blob_path, release_path
from release.builders import host_of
from release.trust.workshop import PRODUCT


def publish(bench: Bench, version: str, rollback: str = "") -> None:
    bench.workshop.publish(version, "rings/stable", rollback=rollback)


def spoil(bench: Bench, digest: str) -> None:
    path = bench.folder / blob_path(digest)
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


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
        publish(bench, version)
    assert serving(bench.update()) == "1.2.0"
    assert bench.versions() == ("1.2.0", "1.1.0")
    folders = [each for each in (bench.folder / "releases").iterdir() if each.is_dir()]
    assert len(folders) == 2
    held = {each.name for each in (bench.folder / "blobs" / "sha256").iterdir()}
    needed = {blob.name for folder in folders for blob in (folder / "blobs" / "sha256").iterdir()}
    assert {each for each in held if not each.startswith(".")} == needed


def test_what_does_not_prove_itself_here_is_rolled_back_with_the_reason(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
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
    publish(bench, "1.1.0")
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


def test_a_boot_proves_the_current_release_again_and_a_restart_does_not(bench: Bench) -> None:
    bench.update()
    assert bench.started().loader.tested == []  # type: ignore[attr-defined]
    bench.reboot()
    assert bench.started().loader.tested == ["1.0.0"]  # type: ignore[attr-defined]
    assert bench.started().loader.tested == []  # type: ignore[attr-defined]
    upgraded = msgspec.structs.replace(host_of(), operating_system="Linux 6.6")
    bench.identity = Identity(upgraded, bench.identity.boot)
    assert bench.started().loader.tested == ["1.0.0"]  # type: ignore[attr-defined]
    assert bench.started().loader.tested == []  # type: ignore[attr-defined]


def test_a_release_that_fails_at_boot_gives_way_to_the_one_before(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.update()
    bench.poor["1.1.0"] = "the new engine computes it wrongly"
    bench.reboot()
    supervisor = bench.started()
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    assert events(bench)[-1] == "fell-back 1.1.0"
    supervisor.look()
    assert serving(supervisor) == "1.0.0", "it is not taken again on the same software"


def test_a_slot_that_rots_after_its_commit_gives_way_and_is_mended(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.update()
    current, previous = bench.state.current, bench.state.previous
    assert current is not None
    assert previous is not None
    own = {each.digest for each in current.files} - {each.digest for each in previous.files}
    spoil(bench, min(own))
    supervisor = bench.started()
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    supervisor.look()
    assert serving(supervisor) == bench.proven_version() == "1.1.0"
    assert bench.versions() == ("1.1.0", "1.0.0")


def test_bytes_that_both_releases_share_rot(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.update()
    current = bench.state.current
    assert current is not None
    spoil(bench, current.artifact)  # the models are the same bytes in both
    supervisor = bench.started()
    assert serving(supervisor) == "", "bytes that nobody signed are never loaded"
    assert events(bench)[-1] == "lost 1.0.0"
    supervisor.look()
    assert serving(supervisor) == bench.proven_version() == "1.1.0"


def test_going_back_by_hand_proves_the_release_before_and_keeps_to_it(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    supervisor = bench.update()
    supervisor.handle(RollbackAsked("it flickers"))
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    assert bench.versions() == ("1.0.0", "1.1.0")
    assert events(bench)[-1] == "restored 1.0.0"
    supervisor.look()
    assert serving(supervisor) == "1.0.0", "what was taken back is not taken again"
    publish(bench, "1.2.0")
    supervisor.look()
    assert serving(supervisor) == "1.2.0"


def test_there_may_be_nothing_to_go_back_to(bench: Bench) -> None:
    supervisor = bench.update()
    with pytest.raises(UsageError, match="nothing to go back to"):
        supervisor.handle(RollbackAsked("no reason"))
    assert serving(supervisor) == "1.0.0"


def test_an_authorized_rollback_is_an_update_like_any_other(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.update()
    publish(bench, "1.0.0", rollback="1.1.0 mislabels")
    assert serving(bench.update()) == "1.0.0"
    content = verified_history(bench.store.history_file, bench.state)
    assert content.entries[-1].reason == "1.1.0 mislabels"
    assert bench.state.highest_counter == 3


def test_a_device_that_restarts_in_every_self_test_gives_the_candidate_up(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    supervisor = bench.started()

    class PowerCut(BaseException):
        """The machine is gone."""

    def cut(_slot: object) -> None:
        raise PowerCut

    supervisor.loader.test = cut  # type: ignore[method-assign, assignment]
    with pytest.raises(PowerCut):
        supervisor.look()
    for _ in range(MOST_ATTEMPTS - 1):
        supervisor = bench.supervisor()
        supervisor.loader.test = cut  # type: ignore[method-assign, assignment]
        with pytest.raises(PowerCut):
            supervisor.start(serves=True)
    supervisor = bench.started()
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    assert events(bench)[-1] == "rolled-back 1.1.0"
    assert "restarted 3 times in its self-test" in bench.state.refused[-1].reason


def test_a_device_that_never_runs_for_long_falls_back_once(bench: Bench) -> None:
    bench.update().handle(Settled())
    publish(bench, "1.1.0")
    bench.update()
    for _ in range(MOST_UNSETTLED_STARTS):
        assert serving(bench.started()) == "1.1.0"
    assert serving(bench.started()) == "1.0.0"
    for _ in range(3 * MOST_UNSETTLED_STARTS):
        assert serving(bench.started()) == "1.0.0", "it does not go to and fro"


def test_a_worker_that_crashes_again_and_again_leads_back(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    supervisor = bench.update()
    for _ in range(MOST_UNSETTLED_STARTS):
        supervisor.handle(CurrentCrashed("the worker was ended by SIGSEGV"))
        assert serving(supervisor) == "1.1.0"
    supervisor.handle(CurrentCrashed("the worker was ended by SIGSEGV"))
    assert serving(supervisor) == bench.proven_version() == "1.0.0"


def test_a_policy_decides_and_another_policy_decides_anew(bench: Bench) -> None:
    bench.update()
    bound = EvidenceBound(metric="accuracy", at_least=0.99)
    rule = EvidenceRule(predicate_type="urn:edgeworthy:evaluation:v1", bounds=(bound,))
    publish_policy(bench.workshop.ceremony(), policy_of(bench.workshop, rule))
    publish(bench, "1.1.0")
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


def test_a_variant_that_needs_more_memory_than_there_is_is_passed_over(bench: Bench) -> None:
    bench.memory_limit_mib = 10
    bench.update()
    assert events(bench)[-1] == "refused 1.0.0"
    assert (
        "in at most 10 MiB, found int8 takes 40 MiB; float32 takes 40 MiB"
        in bench.state.refused[-1].reason
    )


def test_a_device_without_the_engine_takes_nothing(bench: Bench) -> None:
    bare = msgspec.structs.replace(host_of(), runtimes=("openvino 2026.1",))
    bench.identity = Identity(bare, "boot-1")
    bench.update()
    assert "int8 needs onnxruntime" in bench.state.refused[-1].reason


@pytest.mark.parametrize(("memory_mib", "expected"), [(0, "int8"), (39, "float32"), (40, "int8")])
def test_the_first_line_of_the_signed_rule_that_fits_decides(
    bench: Bench, memory_mib: int, expected: str
) -> None:
    verified = verify_release(
        bench.workshop.release("1.0.0"), [bench.workshop.release_signer.public_key]
    )
    small = tuple(
        msgspec.structs.replace(each, peak_memory_mib=exact(10.0, unit="MiB"))
        if each.variant == "float32"
        else each
        for each in verified.measurements
    )
    release = dataclasses.replace(verified, measurements=small)
    chosen = choose_variant(release, ("float32", "int8"), bench.identity, memory_mib)
    assert chosen.name == expected
    assert choose_variant(release, ("float32",), bench.identity).name == "float32"


def test_a_lost_state_is_made_again_from_the_pointers(bench: Bench) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.update()
    (bench.folder / "state.json").write_bytes(b"\0" * 500)
    supervisor = bench.started()
    assert serving(supervisor) == bench.proven_version() == "1.1.0"
    assert bench.versions() == ("1.1.0", "1.0.0")
    assert bench.state.highest_counter == 2
    assert events(bench)[-1] == "started 1.1.0", "and the history goes on"


def test_pointers_that_somebody_removed_come_back(bench: Bench) -> None:
    bench.update()
    (bench.folder / "current").unlink()
    bench.started()
    assert bench.proven_version() == "1.0.0"


@pytest.mark.parametrize("year", [1970, 2000, 2038, 2106])
def test_no_clock_takes_a_working_release_away(bench: Bench, year: int) -> None:
    bench.update()
    publish(bench, "1.1.0")
    bench.clock = datetime(year, 1, 19, 3, 14, 8, tzinfo=UTC)
    for _ in range(3):
        bench.reboot()
        supervisor = bench.started()
        assert serving(supervisor) == bench.proven_version()
        supervisor.look()
        assert serving(supervisor) == bench.proven_version()
    assert serving(supervisor) == ("1.1.0" if year <= 2026 else "1.0.0")
    bench.clock = None
    assert serving(bench.update()) == "1.1.0"
    history = verified_history(bench.store.history_file, bench.state)
    assert all(each.event not in {"fell-back", "lost", "rolled-back"} for each in history.entries)


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
