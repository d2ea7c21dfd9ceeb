"""What an examination is: units of work that are done once, and what they add to an evaluation.

Rules:

1. All work is done in units, each a step of the cache: whoever kills the evaluation loses the unit
   that was being done and nothing else.
2. What the units are depends on the case and the allotment alone, never on the clock.
3. ``joined`` only reads what the units made; it adds to the evaluation and takes nothing away.
4. An examination that does not suit a case has no units for it.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.project import ExaminationName
from edgeworthy.workflow.examinations.profiles import Allotment
from edgeworthy.workflow.stages.data import SampleSet
from edgeworthy.workflow.stages.evaluation import Judgment
from edgeworthy.workflow.stages.inference import Reading
from edgeworthy.workflow.stages.subjects import Subject
from edgeworthy.workflow.steps import Step
from edgeworthy.workflow.workspace import Workspace

if TYPE_CHECKING:
    from edgeworthy.evaluation import EvaluationSettings


@dataclass(frozen=True)
class Case:
    """One artefact on one target, evaluated already.

    Attributes:
        workspace: The project and the means to work on it.
        judgment: What is judged: target, artefact, original, predictions and settings.
        reading: How both are run.
        samples: Every data set of the project, by name.
        mac_count: Multiply-accumulates of one inference of the original.
        evaluation: What is known so far.
        label: What steps call it; left out, by its target and name.
    """

    workspace: Workspace
    judgment: Judgment
    reading: Reading
    samples: Mapping[str, SampleSet]
    mac_count: int
    evaluation: Evaluation
    label: str = ""

    @property
    def subject(self) -> Subject:
        """The artefact."""
        return self.judgment.subject

    @property
    def settings(self) -> EvaluationSettings:
        """How outputs are read."""
        return self.judgment.settings

    @property
    def key(self) -> str:
        """Which case it is, for names of steps."""
        return self.label or f"{self.judgment.target}/{self.subject.name}"


@dataclass(frozen=True)
class Unit:
    """A piece of work that is done once.

    Attributes:
        step: What is done.
        cost_s: Seconds that it is thought to take; only the time left is told from it.
    """

    step: Step
    cost_s: float


class Examination(abc.ABC):
    """Something that an evaluation can look into.

    Attributes:
        name: As in ``--only``.
        weight: Its share of a profile's budget, against the others'.
    """

    name: ClassVar[ExaminationName]
    weight: ClassVar[float]

    @abc.abstractmethod
    def units(self, case: Case, allotment: Allotment) -> Sequence[Unit]:
        """The work, in order; empty where there is nothing to examine.

        Args:
            case: What is examined.
            allotment: What it may cost.
        """

    @abc.abstractmethod
    def joined(
        self, case: Case, evaluation: Evaluation, results: Sequence[Mapping[str, str]]
    ) -> Evaluation:
        """The evaluation with what was found.

        Args:
            case: What was examined.
            evaluation: With what other examinations found.
            results: Digests of each unit's outputs, in the order of ``units``.
        """
