"""All examinations there are, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Sequence

from edgeworthy.documents.project import (
    EvaluateSection,
    ExaminationName,
    ProfileName,
    RequirementSection,
)
from edgeworthy.errors import UsageError
from edgeworthy.workflow.examinations.base import Examination
from edgeworthy.workflow.examinations.confidence import ConfidenceExamination
from edgeworthy.workflow.examinations.corruptions import CorruptionsExamination
from edgeworthy.workflow.examinations.slices import SlicesExamination

EXAMINATIONS: tuple[Examination, ...] = (
    ConfidenceExamination(),
    SlicesExamination(),
    CorruptionsExamination(),
)
#: What takes seconds; a build without ``[evaluate]`` does these.
_EVERY_BUILD: tuple[ExaminationName, ...] = ("confidence", "slices")
#: How the metrics begin that only the examination of corruptions gives.
_UNDER_CORRUPTION = ("corruption_", "relative_corruption_")
_DEFAULT_PROFILE: ProfileName = "quick"


def wanted(
    section: EvaluateSection, requirements: Sequence[RequirementSection] = ()
) -> tuple[ProfileName, tuple[Examination, ...]]:
    """The profile and the examinations that a project, or a command, asks for.

    Args:
        section: ``[evaluate]``, as it is or as the command line changed it.
        requirements: What is required; figures that only an examination gives are asked for too.
    """
    names: Sequence[ExaminationName] = section.only
    if not names:
        every = tuple(each.name for each in EXAMINATIONS)
        names = every if section.profile else _EVERY_BUILD
    if any(each.metric.startswith(_UNDER_CORRUPTION) for each in requirements):
        names = (*names, "corruptions")
    chosen = tuple(each for each in EXAMINATIONS if each.name in names)
    return section.profile or _DEFAULT_PROFILE, chosen


def named(text: str) -> tuple[ExaminationName, ...]:
    """The examinations of a list with commas, as on the command line.

    Raises:
        UsageError: There is no such examination.

    >>> named("confidence")
    ('confidence',)
    """
    known: tuple[ExaminationName, ...] = tuple(each.name for each in EXAMINATIONS)
    asked = [each.strip() for each in text.split(",") if each.strip()]
    unknown = [each for each in asked if each not in known]
    if unknown or not asked:
        raise UsageError(
            "there is nothing of that name to look into",
            where="--only",
            expected=f"a list of {', '.join(f'`{each}`' for each in known)}",
            found=f"`{unknown[0] if unknown else text}`",
        )
    return tuple(name for name in known if name in asked)
