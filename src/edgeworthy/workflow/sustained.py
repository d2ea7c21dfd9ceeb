"""A model file under load for minutes, without a project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.workflow.bare_models import BareOptions, engine_of, golden_of, inputs_of, plan_of

if TYPE_CHECKING:
    from edgeworthy.measurement.sustained import SustainedListener


def run_sustained(
    model: Path,
    options: BareOptions,
    *,
    duration_s: float,
    listener: SustainedListener | None = None,
) -> SustainedRun:
    """Run a model file for a while.

    Args:
        model: An ONNX file.
        options: Engine, threads, samples and seed; its limits of time do not apply.
        duration_s: Time under load.
        listener: Told after every window.

    Raises:
        ModelFileError: The file cannot be used.
        DatasetError: The samples cannot be used.
        InferenceError: The engine failed.
        MeasurementError: Its process fell silent, or the file changed meanwhile.
        UsageError: The engine is unknown, or the duration is too short.
    """
    from edgeworthy.devices import disturbances, host_fingerprint
    from edgeworthy.measurement.sustained import Machine, SustainedSettings, sustained
    from edgeworthy.runtimes import find_runtime

    settings = SustainedSettings(
        duration_s=duration_s,
        seed=options.seed,
        evidence_days=options.evidence_days,
        golden=golden_of(options),
        tolerance=options.tolerance,
    )
    plan = plan_of(model, options)
    host = host_fingerprint(runtime_versions=[find_runtime(engine_of(model, options)).version()])
    return sustained(
        plan,
        settings,
        machine=Machine(host=host, clock=lambda: datetime.now(UTC), disturbances=disturbances()),
        inputs=inputs_of(options),
        listener=listener,
    )
