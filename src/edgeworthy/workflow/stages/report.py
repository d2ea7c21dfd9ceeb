"""The report: one document with all that was found, drawn as HTML and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworthy.documents.build import BuildRecord, SamplePicture
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.record import Document, canonical_json, encode_document
from edgeworthy.files import digest_bytes, write_whole
from edgeworthy.version import __version__
from edgeworthy.workflow.stages.closer_look import CloserLook
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.judged import Judged
from edgeworthy.workflow.stages.release import Released
from edgeworthy.workflow.steps import Step, StepResult
from edgeworthy.workflow.workspace import Workspace, tool_version

DEFAULT_FOLDER = "dist"


@dataclass(frozen=True)
class Report:
    """A report on the disk.

    Attributes:
        record: What it shows.
        html_path: One self-contained page.
        markdown_path: For a pull request.
        markdown: Its text.
    """

    record: BuildRecord
    html_path: Path
    markdown_path: Path
    markdown: str


@dataclass(frozen=True)
class Findings:
    """All that a report shows.

    Attributes:
        judged: The build up to its decision.
        released: The release; None when there is none.
        samples: Every data set.
        predictions: What other classes of CPU will see.
        closer_look: What was measured of the chosen variants alone.
    """

    judged: Judged
    released: Released | None
    samples: Mapping[str, SampleSet]
    predictions: Sequence[Prediction]
    closer_look: CloserLook


def report(workspace: Workspace, findings: Findings) -> Report:
    """Draw the report beside the release."""
    folder = output_folder(workspace)
    paths = {"html": folder / "report.html", "markdown": folder / "report.md"}

    def run() -> StepResult:
        from edgeworthy.reports import render_html, render_markdown

        record = _record(workspace, findings)
        drawn = {
            "html": render_html(record).encode(),
            "markdown": render_markdown(record).encode(),
        }
        for name, path in paths.items():
            write_whole(path, drawn[name])
        return StepResult({"record": encode_document(record), **drawn})

    outputs = workspace.runner.run(
        Step(
            name="report",
            title="Drawing the report",
            inputs={
                **_inputs(findings),
                "project": digest_bytes(canonical_json(workspace.project)),
                "folder": str(folder),
                "tools": tool_version("altair", "vl-convert-python", "jinja2"),
            },
            run=run,
            intact=lambda made: _what_is_wrong(workspace, paths, made),
        )
    )
    return Report(
        record=workspace.document(outputs["record"], BuildRecord),
        html_path=paths["html"],
        markdown_path=paths["markdown"],
        markdown=workspace.cache.get(outputs["markdown"]).decode(),
    )


def _inputs(findings: Findings) -> dict[str, str]:
    judged, released = findings.judged, findings.released
    evidence = [judged.decision, *judged.measurements, *judged.evaluations, *judged.scans]
    return {
        "decision, measurements and evaluations": _digest(evidence),
        "predictions": _digest(findings.predictions),
        "explanations": canonical_json(tuple(judged.explanations)).decode(),
        "closer look": _digest(findings.closer_look.documents),
        "inspection": _digest([judged.original.inspection]),
        "samples": ", ".join(f"{name} {each.digest}" for name, each in findings.samples.items()),
        "release": released.digest if released else "none",
    }


def _digest(documents: Sequence[Document]) -> str:
    return digest_bytes(b"".join(encode_document(each) for each in documents))


def output_folder(workspace: Workspace) -> Path:
    """Where the release and the report go."""
    section = workspace.project.release
    return workspace.path(section.directory if section else DEFAULT_FOLDER)


def _what_is_wrong(workspace: Workspace, paths: dict[str, Path], made: Mapping[str, bytes]) -> str:
    for name, path in paths.items():
        if not path.is_file():
            return f"{path.name} is missing"
        if workspace.cache.fingerprint(path) != digest_bytes(made[name]):
            return f"{path.name} was changed"
    return ""


def _record(workspace: Workspace, findings: Findings) -> BuildRecord:
    judged, released = findings.judged, findings.released
    return BuildRecord(
        project=workspace.project,
        inspection=judged.original.inspection,
        datasets=tuple(each.summary for each in findings.samples.values()),
        variants=tuple(each.variant for each in judged.optimized.variants.values()),
        measurements=tuple(judged.measurements),
        evaluations=tuple(judged.evaluations),
        decision=judged.decision,
        release_digest=released.digest if released else None,
        release_path=str(released.path.relative_to(workspace.folder)) if released else "",
        pictures=_pictures(judged.evaluations, findings.samples["evaluation"]),
        tool_version=__version__,
        created_at=workspace.clock().isoformat(timespec="seconds"),
        refusals=judged.optimized.refusals,
        predictions=tuple(findings.predictions),
        explanations=tuple(judged.explanations),
        scans=tuple(judged.scans),
        sustained=findings.closer_look.sustained,
        profiles=findings.closer_look.profiles,
        sweeps=findings.closer_look.sweeps,
    )


def _pictures(evaluations: Sequence[Evaluation], samples: SampleSet) -> tuple[SamplePicture, ...]:
    from edgeworthy.datasets import sample_pictures

    flips = [each.flips for each in evaluations if each.flips is not None]
    indices = sorted({sample.index for each in flips for sample in each.samples})
    return sample_pictures(samples.open(), indices) if indices else ()
