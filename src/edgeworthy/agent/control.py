"""Where a device's orders come from, and where it says what became of them.

A repository is enough: the director's assignment is the order, and nobody is told. A control plane
(hawkBit's DDI, for one) is another :class:`Control`: it names which publication to run and takes
feedback. What may be run at all is the repository's word in any case: an order is an
:class:`~edgeworthy.agent.offers.Offer` that its offline keys vouch for.
"""

from __future__ import annotations

from typing import Protocol

from edgeworthy.agent.offers import Offer, find_offer
from edgeworthy.agent.updater import Updater
from edgeworthy.documents.agent import AgentSettings
from edgeworthy.documents.agent_history import HistoryEntry


class Control(Protocol):
    """Gives orders and takes feedback."""

    def order(self, updater: Updater, highest_counter: int) -> Offer | None:
        """What this device is to run; absent when nobody says.

        Args:
            updater: Knows what the repository vouches for.
            highest_counter: Highest release counter that the device accepted.

        Raises:
            TransferError: Nobody can be asked now.
            TrustError: The order is not acceptable.
        """

    def report(self, entry: HistoryEntry) -> None:
        """Take note of what happened on the device; failing to must not stop it.

        After a power cut an entry may be told once more; its ``sequence`` tells.
        """

    def next_look_seconds(self) -> float | None:
        """When to look again, where somebody says so."""


class RepositoryControl:
    """No control plane: the repository's director assigns releases to devices and rings.

    Args:
        settings: Which device this is.
    """

    def __init__(self, settings: AgentSettings) -> None:
        self._product = settings.product
        self._audiences = (f"devices/{settings.device}", f"rings/{settings.ring}")

    def order(self, updater: Updater, highest_counter: int) -> Offer | None:
        """The director's assignment for this device, else for its ring."""
        return find_offer(updater, self._product, self._audiences, highest_counter=highest_counter)

    def report(self, entry: HistoryEntry) -> None:
        """Nobody is told; the history has it."""

    def next_look_seconds(self) -> float | None:
        """As the device's own settings say."""
        return None
