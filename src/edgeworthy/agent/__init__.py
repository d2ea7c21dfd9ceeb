"""The device side: fetches what it may run, proves it, runs it, and goes back when it must.

What runs before a model is loaded needs the standard library, the trust libraries and msgspec,
and reaches no array, graph, engine, database or web package. The doors open on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeworthy.agent.offers import (
        Offer,
        fetch_release,
        find_offer,
        lay_out,
        load_highest_counter,
        read_device_policy,
        store_highest_counter,
    )
    from edgeworthy.agent.pacing import Patience
    from edgeworthy.agent.signed_time import SignedTime
    from edgeworthy.agent.sources import FolderSource, HttpSource, Source, source_of
    from edgeworthy.agent.transport import Transport, World
    from edgeworthy.agent.updater import Updater, UpdaterSettings

_ROOM_OF = {
    "FolderSource": "sources",
    "HttpSource": "sources",
    "Offer": "offers",
    "Patience": "pacing",
    "SignedTime": "signed_time",
    "Source": "sources",
    "Transport": "transport",
    "Updater": "updater",
    "UpdaterSettings": "updater",
    "World": "transport",
    "fetch_release": "offers",
    "find_offer": "offers",
    "lay_out": "offers",
    "load_highest_counter": "offers",
    "read_device_policy": "offers",
    "source_of": "sources",
    "store_highest_counter": "offers",
}

__all__ = [
    "FolderSource",
    "HttpSource",
    "Offer",
    "Patience",
    "SignedTime",
    "Source",
    "Transport",
    "Updater",
    "UpdaterSettings",
    "World",
    "fetch_release",
    "find_offer",
    "lay_out",
    "load_highest_counter",
    "read_device_policy",
    "source_of",
    "store_highest_counter",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the door leads to
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
