"""What goes wrong between the world and a model: pictures, sound, series, tables, features.

A corruption acts on raw samples, as the sensor gives them, before anything that the device does to
them. Each has five severities, draws its random numbers from the sample itself, and stands in a
file of its own.
"""

from edgeworthy.evaluation.corruptions.base import SEVERITIES, Corruption, Facts, Scene
from edgeworthy.evaluation.corruptions.dataset import Condition, CorruptedDataset, ThinnedDataset
from edgeworthy.evaluation.corruptions.draws import Draws, SampleKeys
from edgeworthy.evaluation.corruptions.figures import (
    Question,
    Scored,
    corruption_figures,
    corruption_findings,
)
from edgeworthy.evaluation.corruptions.forms import Form, form_of
from edgeworthy.evaluation.corruptions.registry import (
    AnyCorruption,
    chosen_corruptions,
    corruptions_of,
    every_corruption,
    selectable_names,
)
from edgeworthy.evaluation.corruptions.scoring import (
    RELATIVE_ERROR,
    Scoring,
    corruption_metrics,
    scoring_of,
)

__all__ = [
    "RELATIVE_ERROR",
    "SEVERITIES",
    "AnyCorruption",
    "Condition",
    "CorruptedDataset",
    "Corruption",
    "Draws",
    "Facts",
    "Form",
    "Question",
    "SampleKeys",
    "Scene",
    "Scored",
    "Scoring",
    "ThinnedDataset",
    "chosen_corruptions",
    "corruption_figures",
    "corruption_findings",
    "corruption_metrics",
    "corruptions_of",
    "every_corruption",
    "form_of",
    "scoring_of",
    "selectable_names",
]
