"""Waits for descriptors and calls whoever is responsible for them.

The standard library's own event loop would do the same, weighs 3 MiB more in every worker, and
keeps the bytes that it has read of a connection where they cannot be handed to a successor.
"""

from __future__ import annotations

import select
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
BROKEN = select.EPOLLHUP | select.EPOLLERR

#: Called with the events of a descriptor.
Handler = Callable[[int], None]


class Loop:
    """Descriptors and who handles them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def add(self, descriptor: int, events: int, handler: Handler) -> None:
        """Watch a descriptor."""
        self._epoll.register(descriptor, events)
        self._handlers[descriptor] = handler

    def change(self, descriptor: int, events: int) -> None:
        """Watch a descriptor for other events."""
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """Watch it no more; one that is not watched is left alone."""
        if self._handlers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def run_once(self, longest_seconds: float) -> None:
        """Wait for something to happen, and have it handled."""
        for descriptor, events in self._epoll.poll(longest_seconds):
            handler = self._handlers.get(descriptor)
            if handler is not None:  # an earlier handler of this round may have closed it
                handler(events)
