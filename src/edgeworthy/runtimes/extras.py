"""Engines that are optional: imported when they are asked for, or a clear error."""

from __future__ import annotations

import importlib
from typing import Any

from edgeworthy.errors import MissingExtraError


def needed_module(name: str, *, extra: str, engine: str) -> Any:  # noqa: ANN401 - a library without types
    """The library of an optional engine.

    Args:
        name: Of its module.
        extra: The extra that installs it.
        engine: How people call it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"{engine} is not installed",
            where=f"runtime `{extra}`",
            next_step=f"Install it with `pip install edgeworthy[{extra}]`",
        ) from error
