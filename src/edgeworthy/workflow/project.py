"""The Python door to everything: a project, and each step of its build as a method.

>>> from edgeworthy import Project
>>> project = Project.load("my-project")  # doctest: +SKIP
>>> project.gate().verdict  # doctest: +SKIP
<Verdict.PASS: 'pass'>
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model import ModelInspection
from edgeworthy.documents.model_comparison import ModelComparison
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.project import (
    EvaluateSection,
    ExaminationName,
    ProfileName,
    ProjectFile,
)
from edgeworthy.documents.record import Document, draw_in_notebooks_with
from edgeworthy.documents.variant import Variant, VariantRefusal
from edgeworthy.errors import SigningKeyError, UsageError
from edgeworthy.files import remove_leftovers, write_whole
from edgeworthy.version import __version__
from edgeworthy.workflow.bare_models import BareOptions
from edgeworthy.workflow.cache import CACHE_FOLDER_NAME, Cache
from edgeworthy.workflow.keys import read_passphrase
from edgeworthy.workflow.measured_subject import MeasuredSubject
from edgeworthy.workflow.pipeline import Pipeline
from edgeworthy.workflow.project_file import find_project_file, read_project_file
from edgeworthy.workflow.stages.comparison import compare
from edgeworthy.workflow.stages.release import (
    Released,
    release,
    release_path,
    require_release,
)
from edgeworthy.workflow.stages.report import Report, output_folder
from edgeworthy.workflow.steps import Progress, StepOutcome, StepRunner, silent
from edgeworthy.workflow.verification import verify_folder
from edgeworthy.workflow.workspace import Workspace

if TYPE_CHECKING:
    from edgeworthy.release import VerifiedRelease


def current_time() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def no_passphrase() -> bytes:
    """Refuse to sign.

    Raises:
        SigningKeyError: Always.
    """
    raise SigningKeyError(
        "a passphrase is needed to sign",
        next_step="Name a file as `passphrase_file` under [release], or load the project with "
        "`passphrase=...`",
    )


@dataclass(frozen=True)
class BuildResult:
    """What a build made.

    Attributes:
        record: All that was found out.
        decision: The gate's.
        release_path: The signed release; None when the gate refused or the project has no key.
        report_path: The report, an HTML file.
        outcomes: Which steps ran, and why.
    """

    record: BuildRecord
    decision: GateDecision
    release_path: Path | None
    report_path: Path
    outcomes: tuple[StepOutcome, ...]

    def _repr_html_(self) -> str | None:
        return self.record._repr_html_()


@dataclass(frozen=True)
class Project:
    """A project: what ``edgeworthy.toml`` says, and where it lies.

    Attributes:
        file: The project file's content.
        path: Where it was read from.
        clock: Current time, with a time zone.
        progress: Told what is going on.
        passphrase: Asked for the passphrase of the signing key, only when something is signed.
    """

    file: ProjectFile
    path: Path
    clock: Callable[[], datetime] = current_time
    progress: Progress = silent
    passphrase: Callable[[], bytes] = no_passphrase

    @classmethod
    def load(cls, path: str | os.PathLike[str] = ".", *, passphrase: bytes | None = None) -> Self:
        """Read a project.

        Args:
            path: Its folder, or the project file itself.
            passphrase: Of the signing key, for builds that sign.

        Raises:
            ProjectFileError: The project file is missing or wrong.
        """
        file_path = find_project_file(Path(path))
        file = read_project_file(file_path)
        source = _passphrase_source(file, file_path.parent, passphrase)
        return cls(file=file, path=file_path, passphrase=source)

    @property
    def folder(self) -> Path:
        """What the project file's paths are relative to."""
        return self.path.parent

    def attended(self, *, progress: Progress, passphrase: Callable[[], bytes]) -> Self:
        """The same project with somebody who watches and can be asked."""
        return dataclasses.replace(self, progress=progress, passphrase=passphrase)

    def inspect(self) -> ModelInspection:
        """What the model is."""
        with self._pipeline() as pipeline:
            return pipeline.original.inspection

    def optimize(self) -> tuple[Variant, ...]:
        """The variants for the targets' classes of CPU, the cleaned float first."""
        with self._pipeline() as pipeline:
            return tuple(each.variant for each in pipeline.optimized.variants.values())

    def predict(self, sample_count: int | None = None) -> tuple[Prediction, ...]:
        """What each class of CPU will see of the integer variants; estimates, no evidence.

        Args:
            sample_count: Evaluation samples to emulate, from the first; few when left out.
        """
        with self._pipeline() as pipeline:
            return pipeline.predicted(sample_count)

    def refusals(self) -> tuple[VariantRefusal, ...]:
        """Recipes that do not suit the model, and why."""
        with self._pipeline() as pipeline:
            return pipeline.optimized.refusals

    def measure(self) -> tuple[Measurement, ...]:
        """Latency, memory and size of the original and each variant on each target."""
        with self._pipeline() as pipeline:
            return pipeline.measurements

    def subject(self, variant: str = "original", target: str = "") -> MeasuredSubject:
        """One artefact of the project, to be measured by itself.

        Args:
            variant: ``original``, or the name of a variant.
            target: Name of a target; the first when empty.

        Raises:
            UsageError: There is no such target, or it has no such variant.
        """
        targets = tuple(self.workspace.targets)
        if target and target not in targets:
            raise UsageError(
                f"the project has no target `{target}`",
                expected=f"one of {', '.join(f'`{name}`' for name in targets)}",
            )
        with self._pipeline() as pipeline:
            return pipeline.subject(variant, target or targets[0])

    def measuring_options(self, subject: MeasuredSubject) -> BareOptions:
        """How this project measures an artefact by itself."""
        return subject.options(self.workspace)

    def evaluate(
        self, profile: ProfileName | None = None, only: Sequence[ExaminationName] = ()
    ) -> tuple[Evaluation, ...]:
        """Metrics of the original and each variant on each target, and what is looked into.

        Args:
            profile: How much work it may be; left out, as ``[evaluate]`` says.
            only: What to look into beyond the metrics; left out, as ``[evaluate]`` says, or with
                a profile everything.
        """
        section = self.file.evaluate
        if profile or only:
            section = EvaluateSection(profile=profile or section.profile, only=tuple(only))
        with self._pipeline() as pipeline:
            return pipeline.examined(section)

    def compare(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> ModelComparison:
        """What changes on the evaluation samples when one model takes the place of another.

        Args:
            old: The model that is in use: an ONNX file, or the folder of a release.
            new: The one that would take its place.

        Raises:
            UsageError: There is nothing at a path, or the two do not answer the same question.
        """
        with self._pipeline() as pipeline:
            samples = pipeline.samples["evaluation"]
            return compare(pipeline.workspace, Path(old), Path(new), samples)

    def gate(self) -> GateDecision:
        """Which variants may ship; a refusal is a decision, not an error."""
        with self._pipeline() as pipeline:
            return pipeline.decision

    def release(self) -> Released | None:
        """The signed release; None when the gate refused.

        Raises:
            ProjectFileError: The project file has no ``[release]``.
            SigningKeyError: The key or its passphrase is missing or wrong.
        """
        with self._pipeline() as pipeline:
            return release(pipeline.workspace, pipeline.judged)

    def report(self) -> Report:
        """The report, drawn beside the release."""
        with self._pipeline() as pipeline:
            return pipeline.report

    def build(self) -> BuildResult:
        """Everything, from the model to the report; only what has changed is done again."""
        with self._pipeline() as pipeline:
            made = pipeline.report
            released = pipeline.released
            return BuildResult(
                record=made.record,
                decision=pipeline.decision,
                release_path=released.path if released else None,
                report_path=made.html_path,
                outcomes=self.outcomes,
            )

    def verify(self) -> VerifiedRelease:
        """Prove the release that this project made, with its own public key.

        Raises:
            VerificationError: It is missing, or not what was signed.
        """
        from edgeworthy.release import public_key_file

        section = require_release(self.workspace)
        key = public_key_file(section.key, folder=self.folder)
        return verify_folder(release_path(self.workspace, section), [key])

    @property
    def outcomes(self) -> tuple[StepOutcome, ...]:
        """Which steps ran so far in this process, and why."""
        return tuple(self.workspace.runner.outcomes)

    def write_junit(self, decision: GateDecision, path: Path) -> None:
        """Write a decision as JUnit XML, for CI systems."""
        from edgeworthy.reports import render_junit

        write_whole(path, render_junit(decision, project=self.file.project.name).encode())

    def write_sarif(self, decision: GateDecision, path: Path) -> None:
        """Write a decision as SARIF 2.1.0, for code hosts."""
        from edgeworthy.reports import render_sarif

        text = render_sarif(decision, project_file=self.path.name, tool_version=__version__)
        write_whole(path, text.encode())

    @contextlib.contextmanager
    def _pipeline(self) -> Iterator[Pipeline]:
        """The stages, with the project locked; what was fingerprinted is kept whatever happens."""
        cache = self.workspace.cache
        with cache.locked():
            remove_leftovers(output_folder(self.workspace))
            try:
                yield self._stages
            finally:
                cache.save_fingerprints()

    @cached_property
    def workspace(self) -> Workspace:
        """The project with the means to work on it."""
        runner = StepRunner(
            Cache(self.folder / CACHE_FOLDER_NAME), clock=self.clock, progress=self.progress
        )
        return Workspace(
            project=self.file,
            project_path=self.path,
            runner=runner,
            clock=self.clock,
            progress=self.progress,
            passphrase=self.passphrase,
        )

    @cached_property
    def _stages(self) -> Pipeline:
        return Pipeline(self.workspace)


def _draw(document: Document) -> str | None:
    from edgeworthy.reports import fragment_html

    return fragment_html(document)


draw_in_notebooks_with(_draw)


def _passphrase_source(
    file: ProjectFile, folder: Path, passphrase: bytes | None
) -> Callable[[], bytes]:
    if passphrase is not None:
        return lambda: passphrase
    if file.release and file.release.passphrase_file:
        path = folder / file.release.passphrase_file
        return lambda: read_passphrase(path)
    return no_passphrase
