"""What runs in the process of a trial: bytes in, bytes out.

Rules:

1. Each function opens the source itself: nothing of the searching process's memory is needed.
2. The same arguments give the same bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from edgeworthy.documents.record import Record, canonical_json, encode_document
from edgeworthy.documents.variant import Recipe, VariantRefusal
from edgeworthy.errors import OptimizationError
from edgeworthy.workflow.search.sources import Source, open_source

MAKE = f"{__name__}:make"
ANSWER = f"{__name__}:answer"
RANK = f"{__name__}:rank"


class MakeArguments(Record, frozen=True, kw_only=True):
    """A version to make.

    Attributes:
        source: Of what.
        recipe: How.
        calibration: Digest of the calibration samples.
        seed: Of the generated inputs of the proofs.
    """

    source: Source
    recipe: Recipe
    calibration: str
    seed: int


class AnswerArguments(Record, frozen=True, kw_only=True):
    """A file to run on the samples that judge.

    Attributes:
        source: Where the samples come from.
        artifact: Path of the file.
        runtime: Engine.
        threads: Of the engine.
    """

    source: Source
    artifact: str
    runtime: str
    threads: int


def make(arguments: bytes) -> Mapping[str, bytes]:
    """Make a version: ``artifact`` and ``variant``, or ``refusal``."""
    from edgeworthy.optimization import Refusal, make_variant

    asked = msgspec.json.decode(arguments, type=MakeArguments)
    bench = open_source(asked.source)
    result = make_variant(
        bench.model,
        asked.recipe,
        calibration=bench.calibration,
        calibration_digest=asked.calibration,
        seed=asked.seed,
    )
    if isinstance(result, Refusal):
        refusal = VariantRefusal(recipe=asked.recipe, reason=result.reason)
        return {"refusal": canonical_json(refusal)}
    return {"artifact": result.data, "variant": encode_document(result.variant)}


def answer(arguments: bytes) -> Mapping[str, bytes]:
    """Run a file on the samples that judge: ``predictions``."""
    from edgeworthy.evaluation import judged_as, predict
    from edgeworthy.graph import samples_at_a_time
    from edgeworthy.runtimes import find_runtime, run_batched
    from edgeworthy.workflow.search.all_outputs import SideBySide

    asked = msgspec.json.decode(arguments, type=AnswerArguments)
    bench = open_source(asked.source)
    runtime = find_runtime(asked.runtime)
    artifact = Path(asked.artifact)
    with runtime.load(artifact, threads=asked.threads) as session:
        run = partial(run_batched, session, at_a_time=samples_at_a_time(artifact))
        answers, output = judged_as(run, bench.section)
        if bench.judging.basis == "agreement-vectors" and not output:
            beside = SideBySide(answers)
            made = predict(beside, bench.evaluation(), output=SideBySide.name)
            made = dataclasses.replace(made, shapes=beside.shapes)
        else:
            made = predict(answers, bench.evaluation(), output=output)
    return {"predictions": made.to_npz_bytes()}


def rank(arguments: bytes) -> Mapping[str, bytes]:
    """Rank layers by the error that they cause: ``sensitivities``."""
    from edgeworthy.optimization.search.sensitivity import rank_layers

    asked = msgspec.json.decode(arguments, type=MakeArguments)
    if asked.recipe.quantization is None:
        raise OptimizationError("only layers in integers can be ranked")
    bench = open_source(asked.source)
    found = rank_layers(
        bench.model, asked.recipe.quantization, calibration=bench.calibration, seed=asked.seed
    )
    return {"sensitivities": canonical_json(found)}
