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
_OF_LOSS = frozenset({"saturation", "output-error"})


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """What is to be explained.

    Attributes:
        float_file: The float file that stays.
        integer_file: The file that did not take its place.
        runtime: Engine of both.
        threads: Of the engine.
        instruction_set: Class of CPU of this machine and of the target.
    """

    float_file: Path
    integer_file: Path
    runtime: str
    threads: int
    instruction_set: InstructionSet


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

    remarks = explain_loss(_saturation(suspects, batches), sensitivities)
    engine = find_runtime(suspects.runtime)
    before, after = (
        engine.profile(path, sample, threads=suspects.threads, run_count=_RUN_COUNT)
        for path in (suspects.float_file, suspects.integer_file)
    )
    if before is None or after is None:  # the engine has no profiler
        return remarks
    return (*remarks, *explain_time(before, after, suspects.instruction_set))


def in_question(
    remarks: Sequence[LayerRemark], *, slow: bool, lossy: bool
) -> tuple[LayerRemark, ...]:
    """The remarks that answer why: about accuracy where that is in question, else about time.

    Args:
        remarks: All that was found.
        slow: Whether the version is not shown to be better at what was asked for.
        lossy: Whether its loss is not shown to be small.
    """
    return tuple(each for each in remarks if (lossy if each.kind in _OF_LOSS else slow))


def _saturation(suspects: Suspects, batches: Iterable[Tensors]) -> tuple[NodeSaturation, ...]:
    from edgeworthy.optimization.emulation import Emulator, saturation_of

    # Some operators cannot be emulated; then nothing is known of sums, and nothing is said.
    with contextlib.suppress(InferenceError):
        emulator = Emulator(suspects.integer_file.read_bytes(), suspects.instruction_set)
        for batch in batches:
            emulator.run(batch)
        return saturation_of(emulator.tallies)
    return ()
