"""Delegations as in the public tuf-conformance suite, cached roles included."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from conformance.simulator import NOW, Client, Simulator
from edgeworthy.errors import StaleTrustError, TrustError
from edgeworthy.release.signers import CryptoSigner

GRAPHS = {
    "one": ([("targets", "a", "*", False)], "a"),
    "siblings in their order": ([("targets", "a", "*", False), ("targets", "b", "*", False)], "ab"),
    "depth first": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("a", "c", "*", False),
            ("a", "d", "*", False),
        ],
        "acdb",
    ),
    "terminating": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("a", "c", "*", True),
            ("a", "d", "*", False),
            ("c", "e", "*", False),
        ],
        "ace",
    ),
    "paths": (
        [("targets", "a", "*.py", False), ("targets", "b", "*", False), ("b", "c", "x/*", False)],
        "b",
    ),
    "cycle": (
        [
            ("targets", "a", "*", False),
            ("a", "b", "*", False),
            ("b", "c", "*", False),
            ("c", "a", "*", False),
        ],
        "abc",
    ),
    "diamond": (
        [
            ("targets", "a", "*", False),
            ("targets", "b", "*", False),
            ("b", "c", "*", False),
            ("a", "c", "*", False),
        ],
        "acb",
    ),
}


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda each: each)
def test_delegations_are_walked_in_their_order(
    client: Client, simulator: Simulator, graph: str
) -> None:
    delegations, expected = GRAPHS[graph]
    for delegator, role, path, terminating in delegations:
        simulator.delegate(delegator, role, [path], terminating=terminating)
    simulator.bump("targets")
    simulator.source.requests.clear()
    assert client.download("missing") is None
    asked = [each for each in simulator.source.requests if each[-6] in "abcde" and each[-7] == "."]
    assert asked == [f"metadata/1.{role}.json" for role in expected]


def test_at_most_so_many_delegations_are_followed(client: Client, simulator: Simulator) -> None:
    for number in range(40):
        simulator.delegate("targets", f"role-{number}", ["*"])
    simulator.add_file("role-39", "far", b"away")
    simulator.bump("targets")
    assert client.download("far") is None


def test_a_role_cannot_vouch_for_paths_that_it_was_not_given(
    client: Client, simulator: Simulator
) -> None:
    simulator.delegate("targets", "a", ["products/one/*"])
    simulator.add_file("a", "products/one/file", b"mine")
    simulator.add_file("a", "products/two/file", b"not mine")
    simulator.bump("targets")
    assert client.download("products/one/file") == b"mine"
    assert client.download("products/two/file") is None


def test_a_cached_role_is_verified_against_who_delegates_to_it_now(
    client: Client, simulator: Simulator
) -> None:
    """The case of tuf-conformance #405: one role, two delegators with different keys for it."""
    simulator.delegate("targets", "a", ["one"])
    simulator.delegate("targets", "b", ["two"])
    simulator.delegate("a", "shared", ["one"])
    other = CryptoSigner.generate_ed25519().public_key
    simulator.delegate("b", "shared", ["two"], key=other)
    simulator.add_file("shared", "one", b"vouched for by a")
    simulator.add_file("shared", "two", b"not vouched for by b")
    simulator.bump("targets")
    assert client.download("one") == b"vouched for by a"
    with pytest.raises(TrustError):
        client.download("two")
    updater = client.updater()
    assert updater.find_target("one") is not None
    with pytest.raises(TrustError):
        updater.find_target("two")


def test_a_delegated_role_that_changed_hands_is_not_taken_from_the_cache(
    client: Client, simulator: Simulator
) -> None:
    simulator.delegate("targets", "a", ["*"])
    simulator.add_file("a", "file", b"old hands")
    simulator.bump("targets")
    assert client.download("file") == b"old hands"
    simulator.signers["a"] = [CryptoSigner.generate_ed25519()]
    delegations = simulator.targets["targets"].delegations
    assert delegations is not None
    assert delegations.roles is not None
    delegations.roles["a"].keyids.clear()
    simulator.targets["targets"].add_key(simulator.signers["a"][0].public_key, "a")
    stale = simulator.source.files["metadata/1.a.json"]
    simulator.bump("targets")
    simulator.source.files["metadata/1.a.json"] = stale
    with pytest.raises(TrustError):
        client.download("file")


@pytest.mark.parametrize("name", ["..", "a/b", "%2e%2e", "sp ace", "ünïcode", "c:\\x", "?q#f"])
def test_odd_role_names_stay_inside_the_folder(
    client: Client, simulator: Simulator, name: str
) -> None:
    simulator.delegate("targets", name, ["*"])
    simulator.add_file(name, "file", b"content")
    simulator.bump("targets")
    assert client.download("file") == b"content"
    assert all("/../" not in each for each in simulator.source.requests)
    assert len(list((client.folder / "metadata").iterdir())) == 5


def extend(simulator: Simulator, until: datetime) -> None:
    """All but the delegated role is fresh until then."""
    for role in (simulator.root, simulator.timestamp, simulator.snapshot):
        role.expires = until
    simulator.targets["targets"].expires = until


def test_a_delegated_role_that_has_expired_vouches_for_nothing(
    client: Client, simulator: Simulator
) -> None:
    simulator.delegate("targets", "a", ["one", "two"])
    simulator.add_file("a", "one", b"first")
    simulator.targets["a"].expires = NOW - timedelta(days=1)
    simulator.bump("targets")
    assert client.refused() == "", "what is above it is valid"
    with pytest.raises(StaleTrustError):
        client.download("one")
    assert "a" not in client.versions()


def test_a_delegated_role_that_expires_in_the_cache_is_asked_for_anew(
    client: Client, simulator: Simulator
) -> None:
    extend(simulator, NOW + timedelta(days=60))
    simulator.delegate("targets", "a", ["one", "two"])
    simulator.add_file("a", "one", b"first")
    simulator.add_file("a", "two", b"second")
    simulator.targets["a"].expires = NOW + timedelta(days=7)
    simulator.next_root()
    simulator.bump("targets")
    assert client.download("one") == b"first"
    client.now += timedelta(days=18)
    with pytest.raises(StaleTrustError):
        client.download("two")
    simulator.targets["a"].expires = NOW + timedelta(days=21)
    simulator.bump("a")
    assert client.download("two") == b"second"
    assert client.versions()["a"] == 2
