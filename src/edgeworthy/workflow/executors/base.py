"""A piece of work that can run anywhere, and the places that run it.

Rules:

1. A task is a function by name and its arguments as bytes, and results are bytes: nothing of the
   caller's memory goes along. Files that it reads are named by paths in the arguments.
2. A task that fails, crashes or runs out of time is a failure with a reason; the others go on.
3. Results come as they are finished, each exactly once.
4. Leaving the executor's block ends what still runs, whatever the reason.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes:
        key: Tells it from the others.
        function: ``module:function``; takes bytes, gives bytes by name.
        arguments: What the function gets.
        time_limit_s: Seconds after which it is ended; None for no limit.
    """

    key: str
    function: str
    arguments: bytes
    time_limit_s: float | None = None


@dataclass(frozen=True)
class Outputs:
    """What a task made.

    Attributes:
        data: Bytes by name.
        seconds: Time that it took.
    """

    data: Mapping[str, bytes]
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Why a task made nothing.

    Attributes:
        reason: One sentence without a full stop.
        seconds: Time that it took.
    """

    reason: str
    seconds: float


class Executor(abc.ABC):
    """A place where tasks run."""

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """How many tasks run side by side."""

    @abc.abstractmethod
    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outputs | Failure]]:
        """Run tasks and give each with its result as it is finished."""

    @abc.abstractmethod
    def close(self) -> None:
        """End what still runs. Closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
