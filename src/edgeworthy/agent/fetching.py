"""From an order to a proven release in the store.

Rules:

1. Looking writes nothing but what changed; a device that has nothing new to do wears no flash.
2. Before the first byte of what is large: the quota and the space for it.
3. Evidence comes first: it is proven with the keys of the device's policy and held against the
   policy at the last signed time. Of the models only the one comes that is then chosen, and what is
   there is proven once more before it gets a place among the releases.
4. A choice is made for a machine and its software. On others it is made anew, from the evidence
   that lies in the store.
5. What cannot be had now is one outcome, what must not run here is another: the first is tried
   again, the second is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edgeworthy.agent.choosing import choose_variant, slot_of
from edgeworthy.agent.control import Control
from edgeworthy.agent.events import (
    ChoiceKept,
    Event,
    LookEnded,
    LookFailed,
    Offered,
    Postponed,
    Proven,
    Refused,
)
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.offers import (
    complete_layout,
    fetch_release,
    lay_out,
    models_of,
    read_device_policy,
)
from edgeworthy.agent.store import Store
from edgeworthy.agent.transport import RESERVE_BYTES, Transport
from edgeworthy.agent.updater import Updater, UpdaterSettings
from edgeworthy.documents.agent import AgentSettings, AgentState, Slot
from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.documents.release import ReleasedVariant
from edgeworthy.errors import EdgeworthyError, InputError, TrustError, VerificationError
from edgeworthy.files import digest_bytes, write_whole
from edgeworthy.release.policy import Refusal, check_policy, policy_keys
from edgeworthy.release.trust.layout import blob_path
from edgeworthy.release.verification import verify_release
from edgeworthy.release.verified import VerifiedRelease


@dataclass(frozen=True)
class Fetcher:
    """Looks and fetches.

    Attributes:
        store: The device's store.
        settings: Who the device is.
        identity: What it is.
        control: Who gives orders.
        transport: How bytes come.
        own_clock: What the device's clock says.
    """

    store: Store
    settings: AgentSettings
    identity: Identity
    control: Control
    transport: Transport
    own_clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def look(self, state: AgentState) -> Event:
        """Ask whether there is something else to run."""
        try:
            updater = self._updater()
            updater.refresh()
            offer = self.control.order(updater, state.highest_counter)
            if offer is None:
                return LookEnded()
            current, release = state.current, offer.release
            wanted = (release.entry, release.release_counter)
            variant = ""
            if current and (current.entry, current.release_counter) == wanted:
                if current.chosen_on == self.identity.fingerprint:
                    return LookEnded()
                variant = self._chosen_anew(current, updater)
                if variant == current.variant:
                    return ChoiceKept()
            policy = self._policy(updater)
            return Offered(release, digest_bytes(encode_document(policy)), variant)
        except EdgeworthyError as error:
            return LookFailed(str(error))

    def fetch(self, release: PublishedRelease) -> Event:
        """Fetch a release and prove it (rules 2, 3 and 5)."""
        try:
            updater = self._updater()
            updater.refresh()
            policy = self._policy(updater)
        except EdgeworthyError as error:
            return Postponed(str(error))
        try:
            return Proven(self._proven(release, policy, updater.reference_time))
        except VerificationError as error:
            return Refused(str(error))
        except EdgeworthyError as error:
            return Postponed(str(error))

    def _proven(self, release: PublishedRelease, policy: DevicePolicy, moment: datetime) -> Slot:
        store, incoming = self.store.folder, self.store.incoming
        everything = {each.digest for each in release.blobs}
        self._bring(release, everything - {release.manifest})
        models = models_of(release, store)
        self._bring(release, models)
        lay_out(release, store, incoming, models)
        verified, variant = self._chosen(incoming, policy, moment)
        named = (verified.index_digest, verified.digest, verified.manifest.name)
        if named != (release.entry, release.manifest, self.settings.product):
            raise VerificationError(
                "another release than the publication names",
                expected=f"{release.product} {release.manifest[:19]}",
                found=f"{verified.manifest.name[:64]} {verified.digest[:19]}",
            )
        # What runs may be another variant of this very release, and goes on from its file.
        laid_out = self.store.release_folder(release.entry)
        running = {each for each in models if (laid_out / blob_path(each)).exists()}
        needed = running | {variant.artifact}
        self._bring(release, models - needed)
        complete_layout(store, incoming, needed)
        verified, variant = self._chosen(incoming, policy, moment)
        return slot_of(verified, release, variant, self.identity.fingerprint)

    def _bring(self, release: PublishedRelease, without: Collection[str]) -> None:
        """Fetch some blobs, if there is room for them (rule 2)."""
        folder = self.store.folder
        sizes = [
            each.size_bytes
            for each in release.blobs
            if each.digest not in without and not (folder / blob_path(each.digest)).is_file()
        ]
        needed = sum(sizes)
        self.store.check_space(needed + RESERVE_BYTES, len(sizes))
        self.store.check_quota(needed, self.settings.quota_bytes)
        fetch_release(self.transport, release, folder, without)

    def _chosen(
        self, folder: Path, policy: DevicePolicy, moment: datetime
    ) -> tuple[VerifiedRelease, ReleasedVariant]:
        """A release that keeps the policy, and the variant of it for this device.

        Raises:
            VerificationError: It is not what was signed, breaks the policy, or has no variant.
        """
        verified = verify_release(folder, policy_keys(policy), now=moment, some_models=True)
        outcome = check_policy(verified, policy, self.identity.facts, moment)
        if isinstance(outcome, Refusal):
            raise VerificationError(" ".join(outcome.reasons).rstrip("."))
        limit = self.settings.memory_limit_mib
        return verified, choose_variant(verified, outcome.variants, self.identity, limit)

    def _chosen_anew(self, current: Slot, updater: Updater) -> str:
        """The variant of what runs for this machine and software (rule 4)."""
        folder = self.store.release_folder(current.entry)
        try:
            _, variant = self._chosen(folder, self._policy(updater), updater.reference_time)
        except VerificationError:  # a policy is not asked about what runs; its self-test is
            return current.variant
        return variant.name

    def _updater(self) -> Updater:
        counts = self._last_policy_clock() == "own-clock"
        settings = UpdaterSettings(
            folder=self.store.trust,
            signed_time_file=self.store.signed_time_file,
            own_clock=self.own_clock if counts else None,
        )
        return Updater(settings, self.transport)

    def _policy(self, updater: Updater) -> DevicePolicy:
        policy = read_device_policy(updater, self.settings.policy)
        if policy is None:
            raise TrustError(
                f"the repository vouches for no policy `{self.settings.policy}`",
                next_step="Publish it with `edgeworthy trust policy`",
            )
        data = encode_document(policy)
        if not self.store.policy_file.exists() or self.store.policy_file.read_bytes() != data:
            write_whole(self.store.policy_file, data)
        return policy

    def _last_policy_clock(self) -> str:
        """Whether the own clock counts, as the policy that was last seen says."""
        path = self.store.policy_file
        try:
            return decode_document(path.read_bytes(), DevicePolicy, where=str(path)).clock
        except (OSError, InputError):
            return "own-clock"
