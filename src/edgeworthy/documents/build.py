"""A whole build in one document: what the report is drawn from."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.dataset import DatasetSummary
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.gate import GateDecision
from edgeworthy.documents.harm import Explanation
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.model import ModelInspection
from edgeworthy.documents.model_scan import ModelScan
from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.documents.prediction import Prediction
from edgeworthy.documents.project import ProjectFile
from edgeworthy.documents.record import Document, Record
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.documents.sweep import Sweep
from edgeworthy.documents.variant import Variant, VariantRefusal


class SamplePicture(Record, frozen=True, kw_only=True):
    """A raw sample in a form that can be drawn.

    Attributes:
        index: Position in the evaluation set.
        drawing: ``image``: values are rows of grey or RGB pixels in 0..255;
            ``trace``: values are one row per channel.
        values: Nested rows; an RGB pixel is three numbers in a row of its own.
    """

    index: int
    drawing: str
    values: tuple[tuple[float, ...], ...]


class BuildRecord(Document, frozen=True, kw_only=True):
    """All that a build found out.

    Attributes:
        project: The project file.
        inspection: The original model.
        datasets: What was used.
        variants: What was made, the cleaned float first.
        measurements: Per target, the original included.
        evaluations: Per target, the original included.
        decision: The gate's; absent when there are no targets.
        release_digest: Digest of the OCI image manifest; absent when nothing was released.
        release_path: Where it lies, relative to the project; empty when nothing was released.
        pictures: The flipped samples that the evaluations name.
        tool_version: Version of Edgeworthy.
        created_at: RFC 3339, UTC.
        refusals: Recipes that made no variant, and why.
        scans: Of the original's file and of each variant's.
        predictions: What classes of CPU that are not at hand will see; no evidence.
        explanations: Why float ships although there are versions in integers.
        sustained: Runs of the chosen variants without pause, per target.
        profiles: Where the time of the chosen variants goes, per target.
        sweeps: The chosen variants at several settings, per target.
    """

    KIND: ClassVar[str] = "build-record"

    project: ProjectFile
    inspection: ModelInspection
    datasets: tuple[DatasetSummary, ...]
    variants: tuple[Variant, ...]
    measurements: tuple[Measurement, ...]
    evaluations: tuple[Evaluation, ...]
    decision: GateDecision | None
    release_digest: str | None
    release_path: str
    pictures: tuple[SamplePicture, ...]
    tool_version: str
    created_at: str
    refusals: tuple[VariantRefusal, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    scans: tuple[ModelScan, ...] = ()
    sustained: tuple[SustainedRun, ...] = ()
    profiles: tuple[OperatorProfile, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
