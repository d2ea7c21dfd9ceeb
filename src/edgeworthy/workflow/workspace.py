"""What every stage of a build works with."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from edgeworthy.documents.project import ProjectFile, TargetSection
from edgeworthy.documents.record import Document, decode_document
from edgeworthy.version import __version__
from edgeworthy.workflow.cache import Cache
from edgeworthy.workflow.steps import Progress, StepRunner

DocumentT = TypeVar("DocumentT", bound=Document)


@dataclass(frozen=True)
class Workspace:
    """A project, where it lies, and the means to run its steps.

    Attributes:
        project: The project file.
        project_path: Where it was read from.
        runner: Runs steps against the project's cache.
        clock: Current time, with a time zone.
        progress: Told what is going on.
        passphrase: Asked for the passphrase of the signing key, only when something is signed.
    """

    project: ProjectFile
    project_path: Path
    runner: StepRunner
    clock: Callable[[], datetime]
    progress: Progress
    passphrase: Callable[[], bytes]

    @property
    def folder(self) -> Path:
        """What the project file's paths are relative to."""
        return self.project_path.parent

    @property
    def cache(self) -> Cache:
        """The project's cache."""
        return self.runner.cache

    @property
    def targets(self) -> dict[str, TargetSection]:
        """The targets by name; this machine when the project names none."""
        return self.project.targets or {"host": TargetSection()}

    @property
    def evidence_days(self) -> int:
        """Days until figures expire."""
        return self.project.release.evidence_days if self.project.release else 90

    @property
    def confidences(self) -> tuple[float, ...]:
        """Coverages of intervals that the requirements ask for, and the usual one."""
        asked = [each.confidence for each in self.project.require]
        return tuple(sorted({0.95, self.project.optimize.confidence, *asked}))

    def path(self, relative: str) -> Path:
        """A path of the project file, seen from its folder."""
        return self.folder / relative

    def document(self, digest: str, kind: type[DocumentT]) -> DocumentT:
        """A document from the cache."""
        path = self.cache.path_of(digest)
        return decode_document(self.cache.get(digest), kind, where=str(path))

    def files_digest(self, path: Path) -> str:
        """Digest of a file, or of all files in a folder with their names."""
        if not path.is_dir():
            return self.cache.fingerprint(path)
        hasher = hashlib.sha256()
        for each in sorted(path.rglob("*")):
            if each.is_file():
                line = f"{each.relative_to(path).as_posix()}\0{self.cache.fingerprint(each)}\n"
                hasher.update(line.encode())
        return f"sha256:{hasher.hexdigest()}"


def tool_version(*packages: str) -> str:
    """Versions of Edgeworthy and of installed packages, as one value of a step's inputs."""
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return ", ".join([f"edgeworthy {__version__}", *versions])
