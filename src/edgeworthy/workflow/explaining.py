"""Why a version did not take the place of float: profiles and emulation, turned into remarks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.harm import LayerRemark
from edgeworthy.documents.prediction import NodeSaturation
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.errors import InferenceError

if TYPE_CHECKING:
    from edgeworthy.runtimes import Tensors

#: Runs of each file under the engine's profiler.
_RUN_COUNT = 30


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """What is to be explained.

    Attributes:
        float_file: The float file that stays.
        integer_file: The file that did not take its place.
        runtime: Engine of both.
        threads: Of the engine.
        instruction_set: Class of CPU of this machine and of the target.
        slow: Whether time is in question.
        lossy: Whether accuracy is.
    """

    float_file: Path
    integer_file: Path
    runtime: str
    threads: int
    instruction_set: InstructionSet
    slow: bool
    lossy: bool


def explain(
    suspects: Suspects,
    sample: Tensors,
    batches: Iterable[Tensors],
    sensitivities: Sequence[LayerSensitivity] = (),
) -> tuple[LayerRemark, ...]:
    """Say why, layer by layer.

    Args:
        suspects: The two files.
        sample: One query, for the profiler.
        batches: Samples to emulate the integer arithmetic on; few.
        sensitivities: Layers by the error that they cause, where they were ranked.

    Raises:
        InferenceError: The engine fails on a file.
    """
    from edgeworthy.optimization.explanation import explain_loss, explain_time
    from edgeworthy.runtimes import find_runtime

    remarks: list[LayerRemark] = []
    if suspects.lossy:
        remarks += explain_loss(_saturation(suspects, batches), sensitivities)
    if suspects.slow:
        engine = find_runtime(suspects.runtime)
        profiles = [
            engine.profile(path, sample, threads=suspects.threads, run_count=_RUN_COUNT)
            for path in (suspects.float_file, suspects.integer_file)
        ]
        before, after = profiles
        if before is not None and after is not None:
            remarks += explain_time(before, after, suspects.instruction_set)
    return tuple(remarks)


def _saturation(suspects: Suspects, batches: Iterable[Tensors]) -> tuple[NodeSaturation, ...]:
    from edgeworthy.optimization.emulation import Emulator, saturation_of

    # Some operators cannot be emulated; then nothing is known of sums, and nothing is said.
    with contextlib.suppress(InferenceError):
        emulator = Emulator(suspects.integer_file.read_bytes(), suspects.instruction_set)
        for batch in batches:
            emulator.run(batch)
        return saturation_of(emulator.tallies)
    return ()
