"""The report: one document with all that was found, drawn as HTML and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeworthy.documents.build import BuildRecord, SamplePicture
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.record import canonical_json, encode_document
from edgeworthy.files import digest_bytes, write_whole
from edgeworthy.version import __version__
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


def report(
    workspace: Workspace,
    judged: Judged,
    released: Released | None,
    samples: Mapping[str, SampleSet],
    predictions: Sequence[Prediction],
) -> Report:
    """Draw the report beside the release."""
    folder = output_folder(workspace)
    paths = {"html": folder / "report.html", "markdown": folder / "report.md"}

    def run() -> StepResult:
        from edgeworthy.reports import render_html, render_markdown

        record = msgspec.structs.replace(
            _record(workspace, judged, released, samples),
            predictions=tuple(predictions),
            explanations=tuple(judged.explanations),
        )
        drawn = {
            "html": render_html(record).encode(),
            "markdown": render_markdown(record).encode(),
        }
        for name, path in paths.items():
            write_whole(path, drawn[name])
        return StepResult({"record": encode_document(record), **drawn})

    evidence = [judged.decision, *judged.measurements, *judged.evaluations]
    outputs = workspace.runner.run(
        Step(
            name="report",
            title="Drawing the report",
            inputs={
                "decision, measurements and evaluations": digest_bytes(
                    b"".join(encode_document(each) for each in evidence)
                ),
                "predictions": digest_bytes(
                    b"".join(encode_document(each) for each in predictions)
                ),
                "explanations": canonical_json(tuple(judged.explanations)).decode(),
                "inspection": digest_bytes(encode_document(judged.original.inspection)),
                "samples": ", ".join(f"{name} {each.digest}" for name, each in samples.items()),
                "release": released.digest if released else "none",
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


def _record(
    workspace: Workspace,
    judged: Judged,
    released: Released | None,
    samples: Mapping[str, SampleSet],
) -> BuildRecord:
    return BuildRecord(
        project=workspace.project,
        inspection=judged.original.inspection,
        datasets=tuple(each.summary for each in samples.values()),
        variants=tuple(each.variant for each in judged.optimized.variants.values()),
        measurements=tuple(judged.measurements),
        evaluations=tuple(judged.evaluations),
        decision=judged.decision,
        release_digest=released.digest if released else None,
        release_path=str(released.path.relative_to(workspace.folder)) if released else "",
        pictures=_pictures(judged.evaluations, samples["evaluation"]),
        tool_version=__version__,
        created_at=workspace.clock().isoformat(timespec="seconds"),
        refusals=judged.optimized.refusals,
    )


def _pictures(evaluations: Sequence[Evaluation], samples: SampleSet) -> tuple[SamplePicture, ...]:
    from edgeworthy.datasets import sample_pictures

    flips = [each.flips for each in evaluations if each.flips is not None]
    indices = sorted({sample.index for each in flips for sample in each.samples})
    return sample_pictures(samples.open(), indices) if indices else ()
