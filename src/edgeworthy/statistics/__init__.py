"""Intervals, tests and sample sizes: every figure with its uncertainty.

Pure functions on counts and arrays. scipy and statsmodels check them in the tests and are not
needed at run time. The doors open lazily, so that closed-form intervals load without numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeworthy.statistics.disparity import highest_of, largest_gap, lowest_of
    from edgeworthy.statistics.distributions import normal_quantile, student_t_quantile
    from edgeworthy.statistics.fisher import fisher_upper_p_value
    from edgeworthy.statistics.jackknife import Jackknifed, block_jackknife, half_sample_bias
    from edgeworthy.statistics.mcnemar import exact_p_value
    from edgeworthy.statistics.multiplicity import benjamini_yekutieli, holm
    from edgeworthy.statistics.pairing import joined_difference
    from edgeworthy.statistics.planning import samples_to_settle
    from edgeworthy.statistics.proportions import clopper_pearson, paired_difference
    from edgeworthy.statistics.ranking import paired_area_difference, roc_area
    from edgeworthy.statistics.replicates import Replicates, clipped, unseen_share, widened
    from edgeworthy.statistics.resampling import bootstrap, replicate
    from edgeworthy.statistics.shares import share_interval

_HOMES = {
    "Jackknifed": "jackknife",
    "Replicates": "replicates",
    "benjamini_yekutieli": "multiplicity",
    "block_jackknife": "jackknife",
    "bootstrap": "resampling",
    "clipped": "replicates",
    "clopper_pearson": "proportions",
    "exact_p_value": "mcnemar",
    "fisher_upper_p_value": "fisher",
    "half_sample_bias": "jackknife",
    "highest_of": "disparity",
    "holm": "multiplicity",
    "joined_difference": "pairing",
    "largest_gap": "disparity",
    "lowest_of": "disparity",
    "normal_quantile": "distributions",
    "paired_area_difference": "ranking",
    "paired_difference": "proportions",
    "replicate": "resampling",
    "roc_area": "ranking",
    "samples_to_settle": "planning",
    "share_interval": "shares",
    "student_t_quantile": "distributions",
    "unseen_share": "replicates",
    "widened": "replicates",
}

__all__ = [
    "Jackknifed",
    "Replicates",
    "benjamini_yekutieli",
    "block_jackknife",
    "bootstrap",
    "clipped",
    "clopper_pearson",
    "exact_p_value",
    "fisher_upper_p_value",
    "half_sample_bias",
    "highest_of",
    "holm",
    "joined_difference",
    "largest_gap",
    "lowest_of",
    "normal_quantile",
    "paired_area_difference",
    "paired_difference",
    "replicate",
    "roc_area",
    "samples_to_settle",
    "share_interval",
    "student_t_quantile",
    "unseen_share",
    "widened",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a door leads to a function or a class
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
