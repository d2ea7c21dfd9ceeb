"""Options of the verbs of a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

_SHORTEST_INTERVAL_SECONDS = 1.0

StoreOption: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--store",
        envvar="EDGEWORTHY_STORE",
        help="Folder that the device keeps everything in.",
        metavar="FOLDER",
    ),
]
RepositoriesOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--repository", help="Address or folder of the repository; repeat it for mirrors."
    ),
]
ReasonOption: TypeAlias = Annotated[
    str, typer.Option("--reason", help="Why, for the history.", metavar="TEXT")
]
ProductOption: TypeAlias = Annotated[
    str, typer.Option("--product", help="Project whose releases run here.")
]
PolicyOption: TypeAlias = Annotated[
    str, typer.Option("--policy", help="Signed policy that a release must keep.")
]
RootOption: TypeAlias = Annotated[
    Path, typer.Option("--root", help="trusted-root.json, brought by a safe way.")
]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="Name of the device; the machine's by default.")
]
RingOption: TypeAlias = Annotated[
    str, typer.Option("--ring", help="Ring whose releases it follows.")
]
AddressOption: TypeAlias = Annotated[
    str,
    typer.Option("--address", help="HOST:PORT to serve at too.", metavar="HOST:PORT"),
]
SocketOption: TypeAlias = Annotated[
    str, typer.Option("--socket", help="Unix socket to serve at; in the store by default.")
]
IntervalOption: TypeAlias = Annotated[
    float,
    typer.Option(
        "--interval-seconds", min=_SHORTEST_INTERVAL_SECONDS, help="Mean time between two looks."
    ),
]
QuotaOption: TypeAlias = Annotated[
    int, typer.Option("--quota-mib", min=0, help="What the store may take; 0 for no limit.")
]
MemoryOption: TypeAlias = Annotated[
    int,
    typer.Option("--memory-limit-mib", min=0, help="What a worker may take; 0 for no limit."),
]
LastOption: TypeAlias = Annotated[
    int, typer.Option("--last", min=1, help="How many entries, the newest ones.")
]
UserOption: TypeAlias = Annotated[
    str,
    typer.Option("--user", help="User to run as; by default one that systemd makes up."),
]
