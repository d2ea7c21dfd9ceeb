"""Checks of the pages against the code: each takes the repository's folder, each returns failures.

A failure is one sentence that starts with the page and the line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from documentation.commands import wrong_commands
from documentation.links import broken_links, missing_pages, unlisted_pages
from documentation.machine_paths import machine_paths
from documentation.mentions import missing_mentions
from documentation.toml_blocks import wrong_toml

#: Every check, by its name.
CHECKS: dict[str, Callable[[Path], list[str]]] = {
    "commands": wrong_commands,
    "links": broken_links,
    "machine paths": machine_paths,
    "mentions": missing_mentions,
    "pages named in the code": missing_pages,
    "toml": wrong_toml,
    "unlisted pages": unlisted_pages,
}

__all__ = ["CHECKS"]
