"""Measuring model files that belong to no project.

Rules:

1. A model file is read and checked as one of a project is; its digest binds the figures.
2. Samples come from an npz file with an array per input of the model, or are random.
3. Nothing is cached: whoever asks wants this machine now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeworthy.documents.comparison import Comparison
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.load import LoadMeasurement
from edgeworthy.documents.measurement import Measurement
from edgeworthy.documents.sweep import Sweep
from edgeworthy.errors import DatasetError, UsageError
from edgeworthy.workflow.steps import Progress, silent

if TYPE_CHECKING:
    from edgeworthy.measurement import (
        Circumstances,
        LoadOptions,
        MeasurementPlan,
        MeasurementProgress,
        ProgressListener,
    )
    from edgeworthy.runtimes import Tensors

TARGET = "host"
#: What a sweep may vary.
SWEEP_AXES = ("threads", "batch", "affinity")
_LARGEST_BATCH = 32
#: Samples of a file that take turns as the input of timed queries.
SAMPLE_COUNT = 64


@dataclass(frozen=True)
class BareOptions:
    """How to measure files.

    Attributes:
        runtime: Name of the engine; empty for the one that reads a file of this kind.
        threads: Threads inside one inference.
        samples: An npz file with an array per input, first axis the samples; None for random ones.
        budget_s: Seconds of timed rounds per artefact at most; None for the usual.
        starts: Starts of each artefact; None for the usual.
        seed: Of the random order and of random samples.
        golden: An npz file with the right outputs of the samples; None to check nothing.
        tolerance: Share of the largest golden value of an output that a value may be off.
        inputs: Samples as the model takes them, one each, in place of a file of samples.
        answers: Right outputs of those inputs, in place of a file of them.
        name: What the artefact is called; the name of its file when empty.
        target: Name of the target that it is measured for.
        evidence_days: Days until the figures expire.
    """

    runtime: str = ""
    threads: int = 1
    samples: Path | None = None
    budget_s: float | None = None
    starts: int | None = None
    seed: int = 0
    golden: Path | None = None
    tolerance: float = 1e-3
    inputs: tuple[Tensors, ...] | None = None
    answers: tuple[Tensors, ...] = ()
    name: str = ""
    target: str = TARGET
    evidence_days: int = 90


def measure_file(
    model: Path, options: BareOptions | None = None, *, progress: Progress = silent
) -> Measurement:
    """Latency, memory, load time and size of one model file.

    Args:
        model: An ONNX file.
        options: How to measure.
        progress: Told what is going on.

    Raises:
        ModelFileError: It cannot be used.
        DatasetError: The samples cannot be used.
        UsageError: The engine is unknown, or the starts are too few.
    """
    from edgeworthy.measurement import MeasurementSettings, measure

    options = options or BareOptions()
    (measured,) = measure(
        [plan_of(model, options)],
        _settings(MeasurementSettings(keeps_partial=True), options),
        _circumstances(options, model),
        inputs=inputs_of(options),
        progress=_listener(f"Measuring {options.name or model.name}", progress),
    )
    return measured


def compare_files(
    subject: Path,
    baseline: Path,
    options: BareOptions | None = None,
    *,
    progress: Progress = silent,
) -> Comparison:
    """Say which of two model files is faster.

    Args:
        subject: The one in question.
        baseline: What it is held against.
        options: How to measure.
        progress: Told what is going on.

    Raises:
        ModelFileError: One cannot be used.
        DatasetError: The samples cannot be used.
        UsageError: The engine is unknown, or the starts are too few.
    """
    from edgeworthy.measurement import COMPARISON_SETTINGS, compare

    options = options or BareOptions()
    title = f"Comparing {subject.name} with {baseline.name}"
    return compare(
        plan_of(subject, options),
        plan_of(baseline, dataclasses.replace(options, name="")),
        _settings(COMPARISON_SETTINGS, options),
        _circumstances(options, subject, baseline),
        inputs=inputs_of(options),
        progress=_listener(title, progress),
    )


def load_file(
    model: Path,
    load: LoadOptions,
    options: BareOptions | None = None,
    *,
    progress: Progress = silent,
) -> LoadMeasurement:
    """Latency and throughput of one model file under one of MLPerf's loads.

    Args:
        model: An ONNX file.
        load: The load.
        options: How to measure.
        progress: Told what is going on.

    Raises:
        ModelFileError: It cannot be used.
        DatasetError: The samples cannot be used.
        UsageError: The engine is unknown, or the starts are too few.
        MeasurementError: Timed answers were wrong.
    """
    from edgeworthy.measurement import MeasurementSettings, measure_load

    options = options or BareOptions()
    return measure_load(
        plan_of(model, options),
        _settings(MeasurementSettings(keeps_partial=True), options),
        load,
        _circumstances(options, model),
        inputs=inputs_of(options),
        progress=_listener(f"{load.scenario} of {options.name or model.name}", progress),
    )


def sweep_file(
    model: Path,
    axes: Sequence[str],
    options: BareOptions | None = None,
    *,
    progress: Progress = silent,
) -> Sweep:
    """Latency and throughput of one model file at several settings.

    Args:
        model: An ONNX file.
        axes: What is varied: ``threads``, ``batch``, ``affinity``.
        options: How to measure.
        progress: Told what is going on.

    Raises:
        ModelFileError: It cannot be used.
        DatasetError: The samples cannot be used.
        UsageError: An axis is unknown, or the model fixes its batch.
    """
    from edgeworthy.devices import processor_groups
    from edgeworthy.measurement import MeasurementSettings, SweepAxes, powers_of_two, sweep

    options = options or BareOptions()
    _check_axes(model, axes)
    circumstances = _circumstances(options, model)
    chosen = SweepAxes(
        threads=powers_of_two(circumstances.host.core_count)
        if "threads" in axes
        else (options.threads,),
        batches=powers_of_two(_LARGEST_BATCH) if "batch" in axes else (1,),
        processors=processor_groups() if "affinity" in axes else ((),),
    )
    return sweep(
        plan_of(model, options),
        _settings(MeasurementSettings(keeps_partial=True), options),
        chosen,
        circumstances,
        inputs=inputs_of(options),
        progress=_listener(f"Sweeping {options.name or model.name}", progress),
    )


def _check_axes(model: Path, axes: Sequence[str]) -> None:
    from edgeworthy.graph import inspect_model

    unknown = [each for each in axes if each not in SWEEP_AXES]
    if unknown or not axes:
        raise UsageError(
            "not an axis of a sweep",
            expected=" or ".join(f"`{each}`" for each in SWEEP_AXES),
            found=", ".join(f"`{each}`" for each in unknown) or "nothing",
            next_step="Write for example `--sweep threads,batch`",
        )
    signature = inspect_model(model).signature
    if "batch" in axes and any(
        each.shape and isinstance(each.shape[0], int) for each in signature.inputs
    ):
        raise UsageError(
            "the model fixes its batch, so there is nothing to sweep",
            where=str(model),
            next_step="Export it with a free batch axis, or sweep threads alone",
        )


def plan_of(model: Path, options: BareOptions) -> MeasurementPlan:
    """What to measure of a file, once it was read and checked."""
    from edgeworthy.graph import inspect_model
    from edgeworthy.measurement import MeasurementPlan

    inspection = inspect_model(model)
    return MeasurementPlan(
        variant=options.name or model.name,
        artifact=model,
        digest=inspection.artifact,
        target=options.target,
        runtime=engine_of(model, options),
        threads=options.threads,
        size_bytes=inspection.size_bytes,
    )


def inputs_of(options: BareOptions) -> list[Tensors] | None:
    """The samples that were given or named; None for random ones.

    Raises:
        DatasetError: The file of samples cannot be used.
    """
    return read_samples(options.samples) if options.inputs is None else list(options.inputs)


def read_samples(path: Path | None) -> list[Tensors] | None:
    """Samples of an npz file, one by one; None stays None.

    Raises:
        DatasetError: It is no npz file, or its arrays have different numbers of samples.
    """
    if path is None:
        return None
    from edgeworthy.datasets import array_names, rows_of

    arrays = rows_of(path, array_names(path))
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1 or 0 in counts:
        raise DatasetError(
            "the arrays do not have the same number of samples",
            where=str(path),
            expected="an array per input of the model, with as many samples in each",
            found=", ".join(f"`{name}` {array.shape}" for name, array in arrays.items()) or "none",
            next_step="Save them with numpy.savez, the first axis of each counting samples",
        )
    count = min(counts.pop(), SAMPLE_COUNT)
    return [
        {name: array[index : index + 1].read() for name, array in arrays.items()}
        for index in range(count)
    ]


def _settings(usual: Any, options: BareOptions) -> Any:  # noqa: ANN401 - the room opens lazily
    changes: dict[str, object] = {
        "seed": options.seed,
        "evidence_days": options.evidence_days,
    }
    golden = golden_of(options)
    if golden:
        changes["golden"] = golden
        changes["tolerance"] = options.tolerance
    if options.budget_s is not None:
        changes["budget_s"] = options.budget_s
    if options.starts is not None:
        changes["launches"] = options.starts
    return dataclasses.replace(usual, **changes)


def golden_of(options: BareOptions) -> Sequence[Tensors]:
    """Right outputs of each sample that is used; empty when nothing is to be checked.

    Raises:
        UsageError: There are no samples that they belong to.
        DatasetError: There are not as many as samples.
    """
    if options.golden is None:
        return options.answers
    inputs, outputs = inputs_of(options), read_samples(options.golden)
    if inputs is None or outputs is None:
        raise UsageError(
            "golden outputs belong to samples",
            next_step="Name the samples with --samples",
        )
    if len(inputs) != len(outputs):
        raise DatasetError(
            "not as many golden outputs as samples",
            where=str(options.golden),
            expected=str(len(inputs)),
            found=str(len(outputs)),
        )
    return outputs


def engine_of(model: Path, options: BareOptions) -> str:
    """The engine that a file is run with."""
    from edgeworthy.runtimes import usual_runtime

    return options.runtime or usual_runtime(model)


def _circumstances(options: BareOptions, *models: Path) -> Circumstances:
    from edgeworthy.devices import disturbances
    from edgeworthy.measurement import Circumstances

    return Circumstances(_host({engine_of(each, options) for each in models}), _now, disturbances())


def _host(runtimes: set[str]) -> HostFingerprint:
    from edgeworthy.devices import host_fingerprint
    from edgeworthy.runtimes import find_runtime

    versions = [find_runtime(each).version() for each in sorted(runtimes)]
    return host_fingerprint(runtime_versions=versions)


def _now() -> datetime:
    return datetime.now(UTC)


def _listener(title: str, progress: Progress) -> ProgressListener:
    def tell(state: MeasurementProgress) -> None:
        message = f"{title}: start {state.launch} of {state.launch_count}"
        if state.latest_ms:
            message += f", {' | '.join(f'{each:.3g} ms' for each in state.latest_ms)}"
        progress(message, state.done_ratio)

    return tell
