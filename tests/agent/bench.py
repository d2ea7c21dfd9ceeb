"""A device on a bench: a real repository, store and supervisor; models that are bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from edgeworthy.agent.control import Control, RepositoryControl
from edgeworthy.agent.enrolling import enroll
from edgeworthy.agent.events import (
    CurrentFailed,
    CurrentProven,
    Event,
    SelfTestFailed,
    SelfTestPassed,
)
from edgeworthy.agent.fetching import Fetcher
from edgeworthy.agent.history import verified_history
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import FolderSource
from edgeworthy.agent.store import Store
from edgeworthy.agent.supervisor import Supervisor
from edgeworthy.agent.transport import Transport, World
from edgeworthy.documents.agent import AgentSettings, AgentState, Slot
from edgeworthy.documents.device_policy import DevicePolicy, EvidenceRule, PolicySigner
from edgeworthy.release import verify_release
from edgeworthy.release.trust import publish_policy
from release.builders import host_of
from release.trust.workshop import PRODUCT, Workshop

POLICY = "gateways"


def policy_of(workshop: Workshop, *evidence: EvidenceRule) -> DevicePolicy:
    key = workshop.release_signer.public_key
    signer = PolicySigner(
        key_id=key.keyid,
        key_type=key.keytype,
        scheme=key.scheme,
        public=str(key.keyval["public"]),
    )
    return DevicePolicy(
        name=POLICY,
        products=(PRODUCT,),
        instruction_sets=("x86-vnni",),
        signers=(signer,),
        evidence=evidence,
    )


def equipped(folder: Path) -> Workshop:
    """A repository with a policy and the publication 1.0.0."""
    workshop = Workshop(folder)
    folder.mkdir()
    workshop.init()
    publish_policy(workshop.ceremony(), policy_of(workshop))
    workshop.publish("1.0.0", "rings/stable")
    return workshop


@dataclass
class ByteLoader:
    """Runs models that are bytes: it loads only what is whole, as worker processes would.

    Attributes:
        store: Where the releases are.
        poor: Versions or variants whose golden outputs do not hold here, with what they say.
        serving: What is served.
        tested: Versions that were tested, in order.
    """

    store: Store
    poor: dict[str, str] = field(default_factory=dict)
    serving: Slot | None = None
    tested: list[str] = field(default_factory=list)

    def test(self, slot: Slot) -> Event:
        if damage := self.store.damage(slot):
            return SelfTestFailed(damage)
        self.tested.append(slot.version)
        reason = self._poor(slot)
        return SelfTestFailed(reason) if reason else SelfTestPassed()

    def serve(self, slot: Slot, *, proven: bool, why: str) -> Event | None:
        assert proven or why
        if damage := self.store.damage(slot):
            self.serving = None
            return CurrentFailed(damage, damaged=True)
        if not proven:
            self.tested.append(slot.version)
            if reason := self._poor(slot):
                self.serving = None
                return CurrentFailed(reason)
        self.serving = slot
        return None if proven else CurrentProven()

    def _poor(self, slot: Slot) -> str:
        return self.poor.get(slot.version) or self.poor.get(slot.variant, "")

    def discard(self) -> None:
        """Nothing runs beside."""

    def rest(self) -> None:
        self.serving = None


@dataclass
class Bench:
    """What lasts on a device; every start is a new process."""

    folder: Path
    workshop: Workshop
    identity: Identity = field(default_factory=lambda: Identity(host_of(), "boot-1"))
    poor: dict[str, str] = field(default_factory=dict)
    clock: datetime | None = None
    quota_bytes: int = 0
    memory_limit_mib: int = 0
    control: Control | None = None

    @property
    def store(self) -> Store:
        return Store(self.folder)

    @classmethod
    def enrolled(cls, folder: Path, workshop: Workshop) -> Bench:
        made = cls(folder, workshop)
        root = (workshop.repository / "metadata" / "1.root.json").read_bytes()
        enroll(made.store, made.settings(), root)
        return made

    def settings(self) -> AgentSettings:
        return AgentSettings(
            device="d1",
            ring="stable",
            product=PRODUCT,
            policy=POLICY,
            repositories=(str(self.workshop.repository),),
            quota_bytes=self.quota_bytes,
            memory_limit_mib=self.memory_limit_mib,
        )

    def supervisor(self, say: Callable[[str], None] = lambda _sentence: None) -> Supervisor:
        def own() -> datetime:
            return self.clock or self.workshop.now

        settings = self.settings()
        control = self.control or RepositoryControl(settings)
        world = World(lambda: 0.0, lambda _seconds: None, lambda: 0.5)
        transport = Transport([FolderSource(self.workshop.repository)], Patience(), world)
        finder = Fetcher(self.store, settings, self.identity, control, transport, own)
        loader = ByteLoader(self.store, self.poor)
        return Supervisor(self.store, self.identity, finder, loader, control, own, say)

    def publish(self, version: str, rollback: str = "") -> None:
        self.workshop.publish(version, "rings/stable", rollback=rollback)

    def started(self) -> Supervisor:
        supervisor = self.supervisor()
        supervisor.start(serves=True)
        return supervisor

    def update(self) -> Supervisor:
        """Start, look once, and see it through."""
        supervisor = self.started()
        supervisor.look()
        return supervisor

    def reboot(self, **software: object) -> None:
        """Boot again, with other software where some is named."""
        number = int(self.identity.boot.partition("-")[2]) + 1
        host = msgspec.structs.replace(self.identity.host, **software)
        self.identity = Identity(host, f"boot-{number}")

    @property
    def state(self) -> AgentState:
        return self.store.state()

    def versions(self) -> tuple[str, str]:
        current, previous = self.state.current, self.state.previous
        return current.version if current else "", previous.version if previous else ""

    def proven_version(self) -> str:
        """Version of the release that ``current`` names, proven with the publisher's key."""
        keys = [self.workshop.release_signer.public_key]
        return verify_release(self.folder / "current", keys, some_models=True).manifest.version


def serving(supervisor: Supervisor) -> str:
    loader = supervisor.loader
    assert isinstance(loader, ByteLoader)
    return loader.serving.version if loader.serving else ""


def events(bench: Bench) -> list[str]:
    content = verified_history(bench.store.history_file, bench.state)
    return [f"{each.event} {each.version}".strip() for each in content.entries]
