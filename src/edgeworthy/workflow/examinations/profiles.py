"""How much work an evaluation may be: three profiles, and what each examination gets of one.

Rules:

1. A profile is a budget in seconds for a whole evaluation: all targets, all artefacts, all that is
   looked into. It is shared out by fixed weights.
2. Seconds become amounts (samples, pairs of columns) by a fixed rate of arithmetic, never by the
   clock: the same project gives the same records on a fast machine and on a slow one. The budgets
   are meant for a small model on two cores; elsewhere they are only amounts.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeworthy.documents.project import ProfileName

#: Seconds of each profile.
BUDGETS_S: dict[ProfileName, float] = {"quick": 60.0, "standard": 600.0, "thorough": 3600.0}

# What one core of a small board does without haste, so that budgets hold elsewhere too.
_MACS_PER_S = 1e9
_S_PER_SAMPLE = 1e-4


@dataclass(frozen=True)
class Allotment:
    """What one examination of one artefact may cost.

    Attributes:
        profile: Name of the profile.
        seconds: Its share of the budget.
    """

    profile: ProfileName
    seconds: float

    def inferences(self, mac_count: int) -> int:
        """How many samples may be run, at least 1.

        Args:
            mac_count: Multiply-accumulates of one inference.

        >>> Allotment("quick", 6.0).inferences(500_000)
        10000
        """
        return max(1, round(self.seconds / inference_s(mac_count)))


def inference_s(mac_count: int) -> float:
    """Seconds that one inference is taken to cost (rule 2)."""
    return mac_count / _MACS_PER_S + _S_PER_SAMPLE


def allotted(profile: ProfileName, weight: float, weights: float, artifact_count: int) -> Allotment:
    """The share of one examination of one artefact.

    Args:
        profile: Whose budget is shared out.
        weight: Of the examination.
        weights: Of all that are wanted, together.
        artifact_count: Artefacts, counted once for every target.
    """
    return Allotment(profile, BUDGETS_S[profile] * weight / weights / artifact_count)
