"""What a search is asked for, and the facts about its inputs that name its steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeworthy.documents.device import HostFingerprint, InstructionSet
from edgeworthy.documents.variant import Recipe
from edgeworthy.workflow.search.sources import Source

DEFAULT_CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class SearchLimits:
    """How far a search may go.

    Attributes:
        budget_s: Seconds of trials after which none is begun; None for no limit.
        trial_count: Trials at most, the original not counted; None for no limit.
        trial_limit_s: Seconds after which a single trial is ended and passed over.
        measure_s: Seconds of timed queries per version.
    """

    budget_s: float | None = None
    trial_count: int | None = None
    trial_limit_s: float = 1800.0
    measure_s: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is searched for.

    Attributes:
        source: The model and its samples.
        model: The model's file.
        original: Digest of the model.
        original_size_bytes: Its size, external data included.
        signature: Digest of everything that turns samples into inputs.
        calibration: Digest of the samples that ranges come from; empty when there are none.
        dataset: Digest of the samples that judge.
        target: Name of the target.
        instruction_set: Its class of CPU.
        runtimes: Its engines, the usual one first.
        threads: Of the engine.
        prefer: ``latency``, ``size`` or ``accuracy``.
        margin: Largest loss that still counts as none; None for the usual.
        confidence: Of the interval of the loss.
        seed: Of everything random.
        host: This machine.
        limits: How far to go.
        own_recipes: Recipes of the user.
    """

    source: Source
    model: Path
    original: str
    original_size_bytes: int
    signature: str
    calibration: str
    dataset: str
    target: str
    instruction_set: InstructionSet
    runtimes: tuple[str, ...]
    threads: int
    prefer: str
    margin: float | None
    confidence: float
    seed: int
    host: HostFingerprint
    limits: SearchLimits
    own_recipes: tuple[Recipe, ...] = ()
