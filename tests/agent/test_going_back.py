"""What a device goes back to, and why: boots, rot, crashes, loops, people, clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from agent.bench import Bench, events, serving
from edgeworthy.agent.current_steps import MOST_UNSETTLED_STARTS
from edgeworthy.agent.events import CurrentCrashed, RollbackAsked, Settled
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.machine import MOST_ATTEMPTS
from edgeworthy.errors import UsageError
from edgeworthy.release.trust.layout import blob_path
from release.builders import host_of


def spoil(bench: Bench, digest: str) -> None:
    path = bench.folder / blob_path(digest)
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


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
    bench.publish("1.1.0")
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
    bench.publish("1.1.0")
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
    bench.publish("1.1.0")
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
    bench.publish("1.1.0")
    supervisor = bench.update()
    supervisor.handle(RollbackAsked("it flickers"))
    assert serving(supervisor) == bench.proven_version() == "1.0.0"
    assert bench.versions() == ("1.0.0", "1.1.0")
    assert events(bench)[-1] == "restored 1.0.0"
    supervisor.look()
    assert serving(supervisor) == "1.0.0", "what was taken back is not taken again"
    bench.publish("1.2.0")
    supervisor.look()
    assert serving(supervisor) == "1.2.0"


def test_there_may_be_nothing_to_go_back_to(bench: Bench) -> None:
    supervisor = bench.update()
    with pytest.raises(UsageError, match="nothing to go back to"):
        supervisor.handle(RollbackAsked("no reason"))
    assert serving(supervisor) == "1.0.0"


def test_an_authorized_rollback_is_an_update_like_any_other(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
    bench.update()
    bench.publish("1.0.0", rollback="1.1.0 mislabels")
    assert serving(bench.update()) == "1.0.0"
    content = verified_history(bench.store.history_file, bench.state)
    assert content.entries[-1].reason == "1.1.0 mislabels"
    assert bench.state.highest_counter == 3


def test_a_device_that_restarts_in_every_self_test_gives_the_candidate_up(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
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
    bench.publish("1.1.0")
    bench.update()
    for _ in range(MOST_UNSETTLED_STARTS):
        assert serving(bench.started()) == "1.1.0"
    assert serving(bench.started()) == "1.0.0"
    for _ in range(3 * MOST_UNSETTLED_STARTS):
        assert serving(bench.started()) == "1.0.0", "it does not go to and fro"


def test_a_worker_that_crashes_again_and_again_leads_back(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
    supervisor = bench.update()
    for _ in range(MOST_UNSETTLED_STARTS):
        supervisor.handle(CurrentCrashed("the worker was ended by SIGSEGV"))
        assert serving(supervisor) == "1.1.0"
    supervisor.handle(CurrentCrashed("the worker was ended by SIGSEGV"))
    assert serving(supervisor) == bench.proven_version() == "1.0.0"


def test_a_lost_state_is_made_again_from_the_pointers(bench: Bench) -> None:
    bench.update()
    bench.publish("1.1.0")
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
    bench.publish("1.1.0")
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
