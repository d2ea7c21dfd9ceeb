from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeworthy.errors import StorageError
from edgeworthy.workflow.cache import Cache, StepRecord, step_key


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / ".edgeworthy")


def record(**changes: object) -> StepRecord:
    fields = {"step": "s", "key": step_key("s", {}), "inputs": {}, "outputs": {}}
    return StepRecord(**{**fields, **changes})  # type: ignore[arg-type]


def test_an_object_is_named_by_its_content(cache: Cache) -> None:
    digest = cache.put(b"abc")
    assert digest == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert cache.get(digest) == b"abc"
    assert cache.put(b"abc") == digest


def test_a_damaged_object_is_never_handed_out(cache: Cache) -> None:
    digest = cache.put(b"abc")
    cache.path_of(digest).write_bytes(b"abd")
    with pytest.raises(StorageError, match="damaged object"):
        cache.get(digest)


def test_a_damaged_object_is_not_held_and_can_be_stored_again(cache: Cache) -> None:
    digest = cache.put(b"abc")
    cache.path_of(digest).write_bytes(b"abd")
    assert not cache.holds(digest)
    assert cache.put(b"abc") == digest
    assert cache.holds(digest)


def test_a_missing_object_is_an_error_with_its_path(cache: Cache) -> None:
    digest = cache.put(b"abc")
    cache.path_of(digest).unlink()
    assert not cache.holds(digest)
    with pytest.raises(StorageError, match="cannot be read"):
        cache.get(digest)


def test_a_step_is_found_by_its_key_and_the_last_one_whatever_its_key(cache: Cache) -> None:
    first = record(key=step_key("s", {"x": "1"}), inputs={"x": "1"})
    second = record(key=step_key("s", {"x": "2"}), inputs={"x": "2"})
    cache.store(first)
    cache.store(second)
    assert cache.find("s", first.key) == first
    assert cache.last("s") == second
    assert cache.find("s", step_key("s", {"x": "3"})) is None


def test_a_record_that_is_no_record_counts_as_none(cache: Cache) -> None:
    made = record()
    cache.store(made)
    for path in cache.folder.rglob("*.json"):
        path.write_text("{")
    assert cache.find("s", made.key) is None
    assert cache.last("s") is None


def test_only_one_build_at_a_time(cache: Cache) -> None:
    with (
        cache.locked(),
        pytest.raises(StorageError, match="another build"),
        Cache(cache.folder).locked(),
    ):
        pass
    with cache.locked():
        pass


def test_what_a_killed_build_left_is_cleared_away(cache: Cache) -> None:
    digest = cache.put(b"abc")
    path = cache.path_of(digest)
    leftover = path.parent / f".{path.name}.abcd1234.partial"
    leftover.write_bytes(b"ab")
    with cache.locked():
        assert not leftover.exists()
        assert cache.holds(digest)


def test_a_file_is_hashed_again_only_when_it_changed(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"abc")
    os.utime(path, (1_000_000, 1_000_000))
    digest = cache.fingerprint(path)
    cache.save_fingerprints()
    again = Cache(cache.folder)
    path.write_bytes(b"abd")
    os.utime(path, (1_000_000, 1_000_000))
    assert again.fingerprint(path) == digest
    os.utime(path, (2_000_000, 2_000_000))
    assert again.fingerprint(path) != digest


def test_the_digest_of_a_file_that_was_just_written_is_not_remembered(
    cache: Cache, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"abc")
    digest = cache.fingerprint(path)
    cache.save_fingerprints()
    status = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert Cache(cache.folder).fingerprint(path) != digest


def test_keys_differ_by_step_and_by_every_input() -> None:
    keys = {
        step_key("a", {"x": "1"}),
        step_key("b", {"x": "1"}),
        step_key("a", {"x": "2"}),
        step_key("a", {"y": "1"}),
        step_key("a", {"x": "1", "y": "1"}),
    }
    assert len(keys) == 5
    assert step_key("a", {"x": "1", "y": "2"}) == step_key("a", {"y": "2", "x": "1"})
