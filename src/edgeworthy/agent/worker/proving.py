"""Self-tests on the thread of the engine, and what is said when one does not come back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edgeworthy.agent.worker.engine_threads import EngineThreads
from edgeworthy.agent.worker.loaded_model import LoadedModel
from edgeworthy.agent.worker.self_test import run_self_test, unfinished
from edgeworthy.documents.self_test import SelfTest
from edgeworthy.documents.worker_control import Report, SelfTestCommand, SelfTested


class Proving:
    """Runs self-tests.

    Args:
        model: Which.
        engine: Where.
        report: Who is told.
    """

    def __init__(
        self, model: LoadedModel, engine: EngineThreads, report: Callable[[Report], None]
    ) -> None:
        self._model = model
        self._engine = engine
        self._report = report
        self._running: SelfTestCommand | None = None

    def begin(self, command: SelfTestCommand) -> None:
        """Run a self-test."""
        self._running = command
        work = partial(
            run_self_test,
            self._model,
            reason=command.reason,
            time_limit_seconds=command.time_limit_seconds,
        )
        self._engine.submit(work, self._done, command.time_limit_seconds)

    def hangs(self) -> None:
        """Say that the self-test does not come back, if it was one that hangs."""
        if self._running is not None:
            limit = self._running.time_limit_seconds
            result = unfinished(self._model, reason=self._running.reason, time_limit_seconds=limit)
            self._report(SelfTested(result=result))

    def _done(self, result: SelfTest | None, error: BaseException | None) -> None:
        self._running = None
        if result is None:
            raise RuntimeError("the self-test itself is defective") from error
        self._report(SelfTested(result=result))
