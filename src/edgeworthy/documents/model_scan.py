"""Whether a model file is safe to read, from its bytes alone."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.record import Document, Record

#: ``unscanned`` counts as failed: what could not be looked at is not known to be safe.
ScanOutcome = Literal["clean", "finding", "unscanned"]


class ScanCheck(Record, frozen=True, kw_only=True):
    """One question that a file was asked.

    Attributes:
        name: ``format``, ``structure``, ``sizes``, ``external-data`` or ``operators``.
        outcome: What came of it.
        findings: What was found, or why it could not be looked at, one sentence each.
    """

    name: str
    outcome: ScanOutcome
    findings: tuple[str, ...] = ()


class ModelScan(Document, frozen=True, kw_only=True):
    """What a scan of one model file found. Nothing in the file was run.

    Attributes:
        artifact: Digest of the file, external data included where it could be read.
        size_bytes: Size of the file itself.
        model_format: ``onnx``, ``tflite`` or ``other``.
        checks: In the order in which they were made.
        finding_count: Findings and checks that could not be made; 0 is a pass.
        tool_version: Version of Edgeworthy, whose rules these are.
    """

    KIND: ClassVar[str] = "model-scan"

    artifact: str
    size_bytes: int
    model_format: Literal["onnx", "tflite", "other"]
    checks: tuple[ScanCheck, ...]
    finding_count: int
    tool_version: str
