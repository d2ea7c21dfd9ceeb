"""Where the time of a model file goes, without a project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from edgeworthy.documents.operator_profile import OperatorProfile
from edgeworthy.workflow.bare_models import BareOptions, engine_of, inputs_of, plan_of
from edgeworthy.workflow.steps import Progress, silent


def profile_file(
    model: Path, options: BareOptions, *, progress: Progress = silent
) -> OperatorProfile:
    """Time of each operator of a model file, against the limits of this machine.

    Args:
        model: An ONNX file.
        options: Engine, threads, samples (the first is used) and seed.
        progress: Told what is going on.

    Raises:
        ModelFileError: The file cannot be used.
        DatasetError: The samples cannot be used.
        InferenceError: The engine failed.
        UsageError: The engine is unknown, or has no profiler.
    """
    from edgeworthy.devices import disturbances, host_fingerprint
    from edgeworthy.measurement.operators import ProfileSettings, profile_operators
    from edgeworthy.measurement.roofline import calibrate, calibration_folder, kept_roofline
    from edgeworthy.runtimes import find_runtime

    runtime = find_runtime(engine_of(model, options))
    plan = plan_of(model, options)
    samples = inputs_of(options)
    host = host_fingerprint(runtime_versions=[runtime.version()])
    progress("Calibrating this machine, once", None)
    roofline = kept_roofline(
        calibration_folder(),
        host,
        threads=options.threads,
        calibrate_now=lambda: calibrate(
            runtime, threads=options.threads, host=host, taken_at=datetime.now(UTC)
        ),
    )
    progress(f"Profiling {options.name or model.name}", None)
    return profile_operators(
        plan,
        roofline,
        settings=ProfileSettings(seed=options.seed),
        taken_at=datetime.now(UTC),
        disturbances=disturbances(),
        inputs=samples[0] if samples else None,
    )
