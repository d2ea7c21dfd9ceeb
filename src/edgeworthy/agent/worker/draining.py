"""The way of a server's connections to its successor."""

from __future__ import annotations

import socket

from edgeworthy.agent.worker.connection import Connection
from edgeworthy.agent.worker.handover import give_connection


class Draining:
    """Gives connections away and counts them.

    Args:
        successor: Where they go; ``None`` when there is no successor, and idle ones are closed.

    Attributes:
        handed_over_count: Connections that went.
        closed_count: Connections that were closed instead.
    """

    def __init__(self, successor: socket.socket | None) -> None:
        self.handed_over_count = 0
        self.closed_count = 0
        self._successor = successor
        if successor is not None:
            successor.settimeout(0.0)

    @property
    def open(self) -> bool:
        """Whether there is a successor to give to."""
        return self._successor is not None

    def give(self, connection: Connection) -> bool:
        """Give a connection; tells whether it went."""
        if self._successor is None:
            return False
        rest = connection.reader.rest()
        try:
            gone = give_connection(self._successor, connection.channel, connection.listener, rest)
        except OSError:  # the successor died: what is idle is closed from now on
            self.end()
            return False
        self.handed_over_count += gone
        return gone

    def end(self) -> None:
        """Nothing more comes."""
        if self._successor is not None:
            self._successor.close()
            self._successor = None
