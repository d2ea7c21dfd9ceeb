"""Every file of a task: what it answers, how fast it is, how large it is.

Rules:

1. Answers come one sample at a time, as a device gives them: what a dynamic quantizer makes of a
   sample depends on what else is in the batch.
2. Losses are paired: float and variant on the same samples, Tango's score interval.
3. All files of a task take turns in one family of processes, our own file twice: what the second
   is against the first says what a ratio of 1 looks like.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from peers.tables import AGAIN
from peers.tasks import Arrays, Task

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.device import InstructionSet
from edgeworthy.files import digest_file
from edgeworthy.measurement import (
    Circumstances,
    MeasurementPlan,
    MeasurementSettings,
    measure,
)
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.statistics.proportions import paired_difference

CONFIDENCE = 0.95
SETTINGS = MeasurementSettings(
    query_count=60, budget_s=1.0, minimum_s=0.3, launches=6, warm_up_limit_s=0.3
)
#: Samples that take turns as the input of timed queries.
TIMED_COUNT = 16


def answers(path: Path, inputs: Arrays) -> NDArray[Any]:
    """The first output for every sample, ``(n, ...)``."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    count = len(next(iter(inputs.values())))
    rows = ({name: v[n : n + 1] for name, v in inputs.items()} for n in range(count))
    return np.concatenate([session.run(None, row)[0] for row in rows])


def emulated(data: bytes, instruction_set: InstructionSet, inputs: Arrays) -> NDArray[Any]:
    """The first output of the emulation for every sample, ``(n, ...)``.

    Raises:
        InferenceError: The file holds something that cannot be emulated.
    """
    machine = Emulator(data, instruction_set)
    count = len(next(iter(inputs.values())))
    rows = ({name: v[n : n + 1] for name, v in inputs.items()} for n in range(count))
    return np.concatenate([next(iter(machine.run(row).values())) for row in rows])


def score(task: Task, found: NDArray[Any], expected: NDArray[Any]) -> dict[str, Any]:
    """How often it is right, how much less often than float, and how often it agrees."""
    right, float_right = task.right(found, expected), task.right(expected, expected)
    counts = [
        int((float_right & right).sum()),
        int((float_right & ~right).sum()),
        int((~float_right & right).sum()),
        int((~float_right & ~right).sum()),
    ]
    drop = paired_difference(*counts, confidence=CONFIDENCE)
    flat, flat_expected = found.reshape(len(found), -1), expected.reshape(len(expected), -1)
    same = flat.argmax(axis=1) == flat_expected.argmax(axis=1)
    lengths = np.linalg.norm(flat, axis=1) * np.linalg.norm(flat_expected, axis=1)
    cosines = (flat * flat_expected).sum(axis=1) / np.maximum(lengths, 1e-12)
    return {
        "n": len(right),
        "right": float(right.mean()),
        "drop": [drop.low, drop.value, drop.high],
        "agreement": float(same.mean()),
        "cosine": float(cosines.mean()),
    }


def plans_of(files: dict[str, Path], baseline: str) -> list[MeasurementPlan]:
    """Files by name, to take turns on this machine."""
    return [
        MeasurementPlan(
            variant=name,
            artifact=path,
            digest=digest_file(path),
            target="host",
            is_original=name == baseline,
        )
        for name, path in files.items()
    ]


def time_files(files: dict[str, Path], baseline: str, inputs: Arrays) -> dict[str, Any]:
    """Median latency of each file and its ratio to the baseline's, with intervals."""
    plans = plans_of({**files, AGAIN: files[baseline]}, baseline)
    samples = [{name: v[n : n + 1] for name, v in inputs.items()} for n in range(TIMED_COUNT)]
    host = host_fingerprint(runtime_versions=[f"onnxruntime {onnxruntime.__version__}"])
    circumstances = Circumstances(host=host, clock=lambda: datetime.now(UTC))
    found = measure(plans, SETTINGS, circumstances, inputs=samples)
    return {each.variant: _timing(each) for each in found}


def _timing(measurement: Any) -> dict[str, Any]:  # noqa: ANN401 - a document of ours
    (median,) = [each for each in measurement.percentiles if each.percent == 50.0]  # noqa: PLR2004
    paired = measurement.against_original
    return {
        "median_ms": median.latency_ms.value if median.latency_ms else float("nan"),
        "ratio": [paired.ratio.low, paired.ratio.value, paired.ratio.high] if paired else None,
        "starts": SETTINGS.launch_count,
    }
