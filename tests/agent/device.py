"""A device that follows a workshop's repository from its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edgeworthy.agent.offers import Offer, fetch_release, find_offer, lay_out
from edgeworthy.agent.pacing import Patience
from edgeworthy.agent.sources import FolderSource, Source
from edgeworthy.agent.transport import Transport, World
from edgeworthy.agent.updater import Updater, UpdaterSettings
from edgeworthy.errors import EdgeworthyError
from edgeworthy.release import VerifiedRelease, verify_release
from release.trust.workshop import PRODUCT, Workshop


@dataclass
class Device:
    """What lasts on a device; every look is a new process."""

    folder: Path
    workshop: Workshop
    sources: list[Source] = field(default_factory=list)
    name: str = "d1"
    ring: str = "stable"
    highest_counter: int = 0
    clock: datetime | None = None
    clock_counts: bool = True

    @classmethod
    def enrolled(cls, folder: Path, workshop: Workshop) -> Device:
        (folder / "metadata").mkdir(parents=True)
        first = (workshop.repository / "metadata" / "1.root.json").read_bytes()
        (folder / "metadata" / "root.json").write_bytes(first)
        return cls(folder, workshop, [FolderSource(workshop.repository)])

    def transport(self) -> Transport:
        world = World(lambda: 0.0, lambda _seconds: None, lambda: 0.5)
        return Transport(self.sources, Patience(), world)

    def updater(self) -> Updater:
        def own() -> datetime:
            return self.clock or self.workshop.now

        settings = UpdaterSettings(
            folder=self.folder / "metadata",
            signed_time_file=self.folder / "signed-time.json",
            own_clock=own if self.clock_counts else None,
        )
        return Updater(settings, self.transport())

    def look(self) -> Offer | None:
        audiences = (f"devices/{self.name}", f"rings/{self.ring}")
        return find_offer(self.updater(), PRODUCT, audiences, highest_counter=self.highest_counter)

    def refused(self) -> str:
        """Code of the refusal; empty when the look succeeds."""
        try:
            self.look()
        except EdgeworthyError as error:
            return error.code
        return ""

    def take(self) -> VerifiedRelease | None:
        """Fetch, lay out and prove what is offered, and accept its counter."""
        offer = self.look()
        if offer is None:
            return None
        fetch_release(self.transport(), offer.release, self.folder / "store")
        target = self.folder / f"release-{offer.release.release_counter}"
        lay_out(offer.release, self.folder / "store", target)
        self.highest_counter = max(self.highest_counter, offer.release.release_counter)
        return verify_release(target, [self.workshop.release_signer.public_key])
