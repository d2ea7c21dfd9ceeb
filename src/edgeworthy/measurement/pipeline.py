"""The whole way of a sample: decode, pre-process, infer, post-process.

Rules:

1. A query starts from the bytes that a device would receive, and ends with the answer that a person
   or a program reads: a class and its confidence, or a figure.
2. The four stages follow each other without a gap, and their times add up to that of the query.
3. It is SingleStream: the next query is sent when the last one was answered.
4. Decoding is what reading the data set does, and the answer is what evaluating would say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.encoded import EncodedSample, PipelinePlan
from edgeworthy.documents.measurement import PIPELINE_STAGES
from edgeworthy.measurement.scenario import ClockNs, Run
from edgeworthy.runtimes.base import Tensors

#: What a query gives in the end: a class and its confidence, or figures.
Answer: TypeAlias = tuple[str, float] | tuple[float, ...]
Outputs: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Pipeline:
    """The four stages of one query.

    Attributes:
        decode: From bytes to raw values.
        prepare: From raw values to tensors.
        run: The engine.
        read: From outputs to an answer.
    """

    decode: Callable[[EncodedSample], Any]
    prepare: Callable[[Any], Tensors]
    run: Run
    read: Callable[[Outputs], Answer]


@dataclass(frozen=True)
class PipelineRun:
    """What some queries showed.

    Attributes:
        stage_ns: ``(queries, 4)``: time of each stage in nanoseconds.
        kept: Outputs that were to be checked, by the position of their query.
        last_answer: Of the last query.
    """

    stage_ns: NDArray[np.int64]
    kept: Mapping[int, Outputs]
    last_answer: Answer


def run_pipeline(
    pipeline: Pipeline,
    samples: Sequence[EncodedSample],
    *,
    first: int,
    count: int,
    keep: frozenset[int] = frozenset(),
    clock: ClockNs = time.perf_counter_ns,
) -> PipelineRun:
    """Run queries one after the other.

    Args:
        pipeline: The stages.
        samples: As they arrive, taken in turn.
        first: Position of the first query in the cycle of samples.
        count: Number of queries, at least 1.
        keep: Queries, from 0, whose outputs are kept, for checking them later.
        clock: Read between the stages.
    """
    decode, prepare, run, read = pipeline.decode, pipeline.prepare, pipeline.run, pipeline.read
    stamps = np.empty((count, len(PIPELINE_STAGES) + 1), dtype=np.int64)
    kept: dict[int, Outputs] = {}
    answer: Answer = ()
    for index in range(count):
        sample = samples[(first + index) % len(samples)]
        begun = clock()
        raw = decode(sample)
        decoded = clock()
        tensors = prepare(raw)
        prepared = clock()
        outputs = run(tensors)
        inferred = clock()
        answer = read(outputs)
        stamps[index] = (begun, decoded, prepared, inferred, clock())
        if index in keep:
            # A model of a fixed batch repeats the sample; the first row answers it.
            kept[first + index] = {name: tensor[:1] for name, tensor in outputs.items()}
        del raw, tensors, outputs
    return PipelineRun(np.diff(stamps, axis=1), kept, answer)


def reader_of(plan: PipelinePlan) -> Callable[[Outputs], Answer]:
    """How an answer is read out of the outputs."""

    def output_of(outputs: Outputs) -> NDArray[Any]:
        values = outputs[plan.output] if plan.output else next(iter(outputs.values()))
        return np.ravel(values[0])

    if plan.task != "classification":
        return lambda outputs: tuple(output_of(outputs).tolist())
    is_logits, labels = plan.scores == "logits", plan.labels

    def choose(outputs: Outputs) -> Answer:
        scores = output_of(outputs).astype(np.float64)
        if len(scores) == 1:
            # One output is the logit or the probability of class 1 of two.
            scores = np.array([-scores[0], scores[0]]) / 2 if is_logits else _both(scores[0])
        chosen = int(np.argmax(scores))
        highest = float(scores[chosen])
        confidence = 1.0 / float(np.exp(scores - highest).sum()) if is_logits else min(highest, 1.0)
        return labels[chosen] if labels else str(chosen), confidence

    return choose


def _both(probability: float) -> NDArray[np.float64]:
    return np.array([1.0 - probability, probability])
