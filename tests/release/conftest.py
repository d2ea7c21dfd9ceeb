"""Keys, and a release that is really signed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworthy.release import Key, Signer, write_release
from edgeworthy.release.signers import CryptoSigner
from release.builders import contents_of


@pytest.fixture(scope="session")
def signer() -> Signer:
    return CryptoSigner.generate_ed25519()


@pytest.fixture(scope="session")
def stranger() -> Signer:
    return CryptoSigner.generate_ed25519()


@pytest.fixture(scope="session")
def keys(signer: Signer) -> list[Key]:
    return [signer.public_key]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    """A release that no test may change."""
    folder = tmp_path_factory.mktemp("pristine") / "release"
    write_release(folder, contents_of(), signer)
    return folder


@pytest.fixture
def release(pristine: Path, tmp_path: Path) -> Path:
    """A release of one's own."""
    return shutil.copytree(pristine, tmp_path / "release")


@pytest.fixture
def copy_of(pristine: Path, tmp_path: Path) -> Callable[[], Path]:
    """As many releases of one's own as one wants."""
    count = iter(range(1_000_000))
    return lambda: shutil.copytree(pristine, tmp_path / f"copy-{next(count)}")
