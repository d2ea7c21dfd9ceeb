"""Which trial is chosen, and why.

Rules:

1. Only float, and what may take its place, can be chosen. Cleaned float is no better than the
   model as it was given when it is shown to be slower, unless the smallest file is asked for.
2. ``latency``: the lowest ratio to the original. Those whose intervals overlap with it are as fast
   for all we know, and the smallest file of them is taken. ``size``: the smallest file.
   ``accuracy``: the smallest loss.
3. Where nothing may take the place of float, float is chosen, and the reason names what came
   closest and what kept it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgeworthy.documents.search import Trial
from edgeworthy.documents.variant import ORIGINAL
from edgeworthy.release.harm import EQUALLY_FAST_RATIO
from edgeworthy.release.requirements import format_figure


def choose(trials: Sequence[Trial], prefer: str) -> tuple[Trial, str]:
    """The trial to ship, and the reason.

    Args:
        trials: Of a search, the original first.
        prefer: ``latency``, ``size`` or ``accuracy``.
    """
    sound = [each for each in trials if not each.failure and each.name != ORIGINAL]
    slower = [each for each in sound if each.harm is None and _is_slower(each, prefer)]
    eligible = [
        each for each in sound if (each.harm is None or each.harm.harmless) and each not in slower
    ]
    if not eligible:
        reason = "nothing that was tried may take the place of the model as it was given"
        said = "".join(f"; {each.name} is slower, x {_ratio(each)}" for each in slower)
        return trials[0], f"{reason}{said}{_closest(sound)}"
    chosen = _best(eligible, prefer)
    if chosen.harm is None:
        return chosen, f"no version may take the place of float{_closest(sound)}"
    return chosen, f"it may take the place of float: {chosen.harm.sentence}"


def _is_slower(trial: Trial, prefer: str) -> bool:
    return prefer != "size" and trial.ratio is not None and trial.ratio.low > EQUALLY_FAST_RATIO


def _ratio(trial: Trial) -> str:
    ratio = trial.ratio
    return format_figure(ratio.value) if ratio else ""


def _best(eligible: Sequence[Trial], prefer: str) -> Trial:
    if prefer == "size":
        return min(eligible, key=lambda each: (each.size_bytes, each.name))
    if prefer == "accuracy":
        return min(eligible, key=lambda each: (_loss(each), each.size_bytes, each.name))
    timed = [each for each in eligible if each.ratio is not None]
    if not timed:
        return min(eligible, key=lambda each: (each.size_bytes, each.name))
    fastest = min(timed, key=lambda each: each.ratio.value if each.ratio else 1.0)
    reach = fastest.ratio.high if fastest.ratio else 1.0
    level = [each for each in timed if each.ratio and each.ratio.low <= reach]
    return min(level, key=lambda each: (each.size_bytes, each.name))


def _loss(trial: Trial) -> float:
    return trial.loss.value if trial.loss else 0.0


def closest(trials: Iterable[Trial]) -> Trial | None:
    """The version that came closest to taking the place of float; None when there is none.

    Of those that lose too much for all we know, it is the one that was seen to lose the least.
    """

    def distance(trial: Trial) -> tuple[bool, bool, float, float]:
        harm = trial.harm
        inferior, worse = (not harm.not_inferior, not harm.better) if harm else (True, True)
        loss = max(_loss(trial), 0.0) if inferior else 0.0
        return inferior, worse, loss, trial.ratio.value if trial.ratio else 9.0

    rivals = [each for each in trials if each.harm is not None and not each.failure]
    return min(rivals, key=distance, default=None)


def has_layers(trial: Trial) -> bool:
    """Whether its layers can be held against those of float one by one."""
    return trial.recipe is None or trial.recipe.precision != "int8-cascade"


def _closest(sound: Sequence[Trial]) -> str:
    """What came closest, and what kept it out."""
    nearest = closest(sound)
    if nearest is None or nearest.harm is None:
        return "; nothing else could be made"
    return f"; {nearest.name} came closest: {nearest.harm.sentence}"
