"""Which variant of a release a device takes, and when it takes another one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.bench import Bench, events, policy_of, serving
from edgeworthy.agent.choosing import choose_variant
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.transport import Transport
from edgeworthy.documents.device_policy import EvidenceBound, EvidenceRule
from edgeworthy.errors import VerificationError
from edgeworthy.files import digest_bytes
from edgeworthy.release import verify_release
from edgeworthy.release.trust import publish_policy
from release.builders import FLOAT_MODEL, SMALL_MODEL, host_of


def test_a_variant_that_needs_more_memory_than_there_is_is_passed_over(bench: Bench) -> None:
    bench.memory_limit_mib = 10
    bench.update()
    assert events(bench)[-1] == "refused 1.0.0"
    assert (
        "in at most 10 MiB, found int8 takes 40 MiB; float32 takes 30 MiB"
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
    chosen = choose_variant(verified, ("float32", "int8"), bench.identity, memory_mib)
    assert chosen.name == expected
    assert choose_variant(verified, ("float32",), bench.identity).name == "float32"


def held(bench: Bench) -> set[str]:
    """Variants whose files the device holds."""
    verified = verify_release(
        bench.workshop.release("1.0.0"), [bench.workshop.release_signer.public_key]
    )
    store = bench.folder / "blobs" / "sha256"
    return {
        each.name
        for each in verified.manifest.variants
        if (store / each.artifact.removeprefix("sha256:")).exists()
    }


def running(bench: Bench) -> str:
    current = bench.state.current
    return current.variant if current else ""


def less_memory(bench: Bench) -> None:
    """The card is put into a smaller board, where int8, measured with 40 MiB, does not fit."""
    bench.reboot(memory_bytes=39 << 20)


def test_of_the_models_only_the_chosen_one_is_fetched_and_all_stay_signed(bench: Bench) -> None:
    bench.update()
    assert running(bench) == "int8"
    assert held(bench) == {"int8"}
    keys = [bench.workshop.release_signer.public_key]
    verified = verify_release(bench.folder / "current", keys, some_models=True)
    assert [each.name for each in verified.manifest.variants] == ["float32", "int8"]
    titles = {each.title for each in verified.blobs}
    assert titles == {"release.json", "golden.npz", "int8.onnx", "report.html"}
    with pytest.raises(VerificationError, match="a blob is missing"):
        verify_release(bench.folder / "current", keys)


def test_a_release_that_the_policy_refuses_costs_no_model(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = EvidenceBound(metric="accuracy", at_least=0.99)
    rule = EvidenceRule(predicate_type="urn:edgeworthy:evaluation:v1", bounds=(bound,))
    publish_policy(bench.workshop.ceremony(), policy_of(bench.workshop, rule))
    fetched: list[str] = []
    fetch = Transport.fetch_blob

    def noted(self: Transport, digest: str, size_bytes: int, store: Path) -> int:
        fetched.append(digest)
        return fetch(self, digest, size_bytes, store)

    monkeypatch.setattr(Transport, "fetch_blob", noted)
    bench.update()
    assert "at least 0.99 is demanded" in bench.state.refused[-1].reason
    models = {digest_bytes(FLOAT_MODEL), digest_bytes(SMALL_MODEL)}
    assert fetched
    assert not models & set(fetched)


def test_other_software_that_takes_the_same_variant_writes_that_once(bench: Bench) -> None:
    bench.update()
    bench.reboot(runtimes=("onnxruntime 2",))
    supervisor = bench.started()
    before = bench.state
    supervisor.look()
    assert running(bench) == "int8"
    assert bench.state.sequence == before.sequence, "nothing for the history"
    state = (bench.folder / "state.json").stat()
    supervisor.look()
    assert (bench.folder / "state.json").stat().st_mtime_ns == state.st_mtime_ns


def test_other_software_that_takes_another_variant_fetches_and_proves_it(
    bench: Bench,
) -> None:
    bench.update()
    bench.publish("1.1.0")
    bench.update()
    less_memory(bench)
    supervisor = bench.started()
    assert running(bench) == "int8", "until the next look, and after its self-test"
    supervisor.look()
    assert (running(bench), serving(supervisor)) == ("float32", "1.1.0")
    assert bench.versions() == ("1.1.0", "1.0.0")
    assert bench.proven_version() == "1.1.0"
    assert events(bench)[-2:] == ["offered 1.1.0", "committed 1.1.0"]
    history = verified_history(bench.store.history_file, bench.state)
    assert history.entries[-1].reason == "float32 is the variant for this machine and software"
    count = bench.state.sequence
    supervisor.look()
    assert bench.state.sequence == count, "the choice was made"


def test_another_variant_that_does_not_prove_itself_leaves_the_one_that_runs(
    bench: Bench,
) -> None:
    bench.update()
    less_memory(bench)
    bench.poor["float32"] = "the outputs are 0.3 away, 0.01 is allowed"
    supervisor = bench.update()
    assert (running(bench), serving(supervisor)) == ("int8", "1.0.0")
    assert events(bench)[-1] == "rolled-back 1.0.0"
    count = bench.state.sequence
    supervisor.look()
    assert bench.state.sequence == count, "it is not tried again on this software"
    (bench.folder / "state.json").unlink()
    assert serving(bench.started()) == "1.0.0"
    assert running(bench) == "int8", "the record beside the release names what runs"


def test_a_variant_that_fails_on_other_software_gives_way_to_the_one_that_is_for_it(
    bench: Bench,
) -> None:
    bench.update()
    bench.poor["int8"] = "the worker was ended by SIGKILL"
    less_memory(bench)
    supervisor = bench.started()
    assert serving(supervisor) == "", "there is no release before it"
    supervisor.look()
    assert (running(bench), serving(supervisor)) == ("float32", "1.0.0")


def test_a_variant_that_fails_on_other_software_and_is_chosen_there_again_is_refused(
    bench: Bench,
) -> None:
    bench.update()
    bench.poor["int8"] = "the new engine computes it wrongly"
    bench.reboot(runtimes=("onnxruntime 2",))
    supervisor = bench.update()
    assert serving(supervisor) == ""
    assert events(bench)[-2:] == ["offered 1.0.0", "rolled-back 1.0.0"]
    count = bench.state.sequence
    supervisor.look()
    assert bench.state.sequence == count


def test_power_cut_between_the_files_of_another_variant_leaves_what_runs_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.update()
    less_memory(bench)
    supervisor = bench.started()
    moved = Path.replace
    left = 2

    def cut(self: Path, target: Path) -> Path:
        nonlocal left
        if bench.store.incoming in self.parents:
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return moved(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        supervisor.look()
    monkeypatch.setattr(Path, "replace", moved)
    assert bench.state.phase == "verified"
    current = bench.state.current
    assert current is not None
    assert bench.store.damage(current) == ""
    supervisor = bench.started()
    assert (running(bench), serving(supervisor)) == ("float32", "1.0.0")
