"""The pipeline inside of the measured process; imports the decoders.

Rules:

1. It is imported where a pipeline is really run: decoders are memory that bare inference does not
   need.
2. A model whose batch is fixed gets one sample and copies of it, as in bare inference.
3. Every turn of the pipeline has one of bare inference beside it, before or after, so that the two
   meet the same machine.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeworthy.datasets.decoding import decode_sample, plans_from, prepare_sample
from edgeworthy.documents.encoded import PipelinePlan
from edgeworthy.measurement.pipeline import Pipeline, PipelineRun, reader_of, run_pipeline
from edgeworthy.measurement.scenario import garbage_collection_paused, run_single_stream
from edgeworthy.measurement.wire import PipelinePrepared, RunPipeline
from edgeworthy.runtimes import Session, Tensors, fixed_batch_size

_WARM_UP_NS = 20_000_000
_WARM_UP_COUNT = 3


class MeasuredPipeline:
    """A pipeline and the bare inference beside it.

    Args:
        plan: The way from bytes to answers.
        session: The loaded artefact.
        samples: The same samples as bare inference takes them.
    """

    def __init__(self, plan: PipelinePlan, session: Session, samples: Sequence[Tensors]) -> None:
        self._encoded = plan.samples
        self._session = session
        self._samples = samples
        self._pipeline = pipeline_of(plan, session)

    def prepare(self, import_ns: int) -> PipelinePrepared:
        """The first query, and a few more until decoders and caches are warm.

        Args:
            import_ns: Time that it took to import this module.
        """
        first = self._run(first=0, count=1)
        end_ns = time.perf_counter_ns() + _WARM_UP_NS
        some = self._run(first=1, count=_WARM_UP_COUNT)
        while time.perf_counter_ns() < end_ns:
            some = self._run(first=1, count=_WARM_UP_COUNT)
        gc.collect()
        gc.freeze()
        return PipelinePrepared(
            import_ns=import_ns,
            stage_ns=tuple(first.stage_ns[0].tolist()),
            latency_ns=int(np.median(some.stage_ns.sum(axis=1))),
        )

    def run(self, request: RunPipeline, *, keep: frozenset[int]) -> tuple[PipelineRun, list[int]]:
        """One turn: the pipeline's queries, and the latencies of as many bare ones."""
        settle, count = request.settle_count, request.count
        with garbage_collection_paused():
            bare_ns = self._bare(request) if request.bare_first else []
            self._run(first=request.first - settle, count=settle)
            found = self._run(first=request.first, count=count, keep=keep)
            bare_ns = bare_ns or self._bare(request)
        return found, bare_ns

    def _bare(self, request: RunPipeline) -> list[int]:
        run, settle = self._session.run, request.settle_count
        run_single_stream(run, self._samples, first=request.first - settle, count=settle)
        return run_single_stream(run, self._samples, first=request.first, count=request.count)

    def _run(self, *, first: int, count: int, keep: frozenset[int] = frozenset()) -> PipelineRun:
        return run_pipeline(self._pipeline, self._encoded, first=first, count=count, keep=keep)


def pipeline_of(plan: PipelinePlan, session: Session) -> Pipeline:
    """The stages for one artefact.

    Args:
        plan: The way from bytes to answers.
        session: The loaded artefact.
    """
    plans = plans_from(plan.inputs)
    size = fixed_batch_size(session.signature)

    def prepare(raw: Any) -> Tensors:  # noqa: ANN401 - what decoding gives
        tensors = prepare_sample(raw, plans)
        if size is None or size == 1:
            return tensors
        return {name: np.repeat(tensor, size, axis=0) for name, tensor in tensors.items()}

    return Pipeline(decode=decode_sample, prepare=prepare, run=session.run, read=reader_of(plan))
