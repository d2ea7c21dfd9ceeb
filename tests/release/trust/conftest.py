from __future__ import annotations

from pathlib import Path

import pytest

from release.trust.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A repository with one product and nothing published."""
    made = Workshop(tmp_path)
    assert made.init().published
    return made
