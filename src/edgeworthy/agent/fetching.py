"""From an order to a proven release in the store.

Rules:

1. Looking writes nothing but what changed; a device that has nothing new to do wears no flash.
2. Before the first byte: the quota and the space for the whole release.
3. What was fetched is proven with the keys of the device's policy, held against the policy at the
   last signed time, and only then does it get a place among the releases.
4. What cannot be had now is one outcome, what must not run here is another: the first is tried
   again, the second is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from edgeworthy.agent.choosing import choose_variant, slot_of
from edgeworthy.agent.control import Control
from edgeworthy.agent.events import (
    Event,
    LookEnded,
    LookFailed,
    Offered,
    Postponed,
    Proven,
    Refused,
)
from edgeworthy.agent.identity import Identity
from edgeworthy.agent.offers import fetch_release, lay_out, read_device_policy
from edgeworthy.agent.store import Store
from edgeworthy.agent.transport import RESERVE_BYTES, Transport
from edgeworthy.agent.updater import Updater, UpdaterSettings
from edgeworthy.documents.agent import AgentSettings, AgentState
from edgeworthy.documents.device_policy import DevicePolicy
from edgeworthy.documents.publication import PublishedRelease
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import EdgeworthyError, InputError, TrustError, VerificationError
from edgeworthy.files import digest_bytes, write_whole
from edgeworthy.release.policy import Refusal, check_policy, policy_keys
from edgeworthy.release.trust.layout import blob_path
from edgeworthy.release.verification import verify_release


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
            current = state.current
            release = offer.release
            if current and (current.entry, current.release_counter) == (
                release.entry,
                release.release_counter,
            ):
                return LookEnded()
            policy = self._policy(updater)
            return Offered(release, digest_bytes(encode_document(policy)))
        except EdgeworthyError as error:
            return LookFailed(str(error))

    def fetch(self, release: PublishedRelease) -> Event:
        """Fetch a release and prove it (rules 2 to 4)."""
        try:
            updater = self._updater()
            updater.refresh()
            policy = self._policy(updater)
            needed = sum(
                each.size_bytes
                for each in release.blobs
                if not (self.store.folder / blob_path(each.digest)).is_file()
            )
            self.store.check_space(needed + RESERVE_BYTES)
            self.store.check_quota(needed, self.settings.quota_bytes)
            fetch_release(self.transport, release, self.store.folder)
            lay_out(release, self.store.folder, self.store.incoming)
            moment = updater.reference_time
        except EdgeworthyError as error:
            return Postponed(str(error))
        try:
            return self._proven(release, policy, moment)
        except VerificationError as error:
            return Refused(str(error))
        except EdgeworthyError as error:
            return Postponed(str(error))

    def _proven(self, release: PublishedRelease, policy: DevicePolicy, moment: datetime) -> Event:
        verified = verify_release(self.store.incoming, policy_keys(policy), now=moment)
        named = (verified.index_digest, verified.digest, verified.manifest.name)
        if named != (release.entry, release.manifest, self.settings.product):
            raise VerificationError(
                "another release than the publication names",
                expected=f"{release.product} {release.manifest[:19]}",
                found=f"{verified.manifest.name[:64]} {verified.digest[:19]}",
            )
        outcome = check_policy(verified, policy, self.identity.facts, moment)
        if isinstance(outcome, Refusal):
            return Refused(" ".join(outcome.reasons))
        variant = choose_variant(
            verified, outcome.variants, self.identity, self.settings.memory_limit_mib
        )
        return Proven(slot_of(verified, release, variant))

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
