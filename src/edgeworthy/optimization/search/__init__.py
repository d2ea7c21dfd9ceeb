"""What to try next when looking for the version of a model that suits a target best.

Pure: nothing is made, run or measured here; whoever searches does that and says what was found.
"""

from edgeworthy.optimization.search.bisection import Tried, fewest, next_count
from edgeworthy.optimization.search.ladder import (
    Attempt,
    Found,
    Situation,
    mixed_recipe,
    next_wave,
    wants_sensitivity,
)
from edgeworthy.optimization.search.pareto import Point, front

__all__ = [
    "Attempt",
    "Found",
    "Point",
    "Situation",
    "Tried",
    "fewest",
    "front",
    "mixed_recipe",
    "next_count",
    "next_wave",
    "wants_sensitivity",
]
