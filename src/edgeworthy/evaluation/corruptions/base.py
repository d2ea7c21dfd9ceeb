"""What a corruption is: five severities of one thing that goes wrong between the world and a model.

Rules:

1. Shape and dtype are kept, what comes out is finite, and the input is not changed.
2. All randomness comes from :class:`~edgeworthy.evaluation.corruptions.draws.Draws`: what happens
   to a sample does not depend on the samples around it.
3. The severities of one sample share their random draws, so that a higher one does more of the
   same and not something else.
4. What has a range (pictures, sound) keeps it.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeworthy.documents.project import SampleKind
from edgeworthy.evaluation.corruptions.draws import Draws

#: Samples in the form that corruptions work on: float32, the samples along the first axis.
Samples: TypeAlias = NDArray[np.float32]
LevelT = TypeVar("LevelT")

SEVERITIES = (1, 2, 3, 4, 5)
_CHUNK_VALUES = 1 << 18


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of the data set as a whole.

    Attributes:
        mean: ``(channels,)``: per channel, column or coefficient.
        std: ``(channels,)``: the same; never 0.
        pool: ``(m, ...)``: a few samples of the set, for corruptions that mix others in.
        sample_rate_hz: Of sound.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    pool: Samples
    sample_rate_hz: int = 16_000


@dataclass(frozen=True, eq=False)
class Scene:
    """What a corruption may use besides the samples; most need one of the two.

    Attributes:
        draws: Random numbers, one stream per sample.
        facts: Of the data set.
    """

    draws: Draws
    facts: Facts


class Corruption(abc.ABC, Generic[LevelT]):
    """One thing that goes wrong, in five severities.

    Attributes:
        name: As in the project file.
        kind: The samples that it applies to.
        group: What causes it, for example ``blur``.
        title: For people.
        source: Paper, standard or data sheet that it follows.
        bounds: Range of the values; absent where there is none.
        least_channels: Samples with fewer channels are left out.
        moves_content: Things are elsewhere afterwards, so that boxes and maps of pixels would not
            fit any more.
        levels: What each severity means.
    """

    name: ClassVar[str]
    kind: ClassVar[SampleKind]
    group: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    bounds: ClassVar[tuple[float, float] | None] = None
    least_channels: ClassVar[int] = 1
    moves_content: ClassVar[bool] = False
    levels: tuple[LevelT, LevelT, LevelT, LevelT, LevelT]

    @abc.abstractmethod
    def apply(self, samples: Samples, level: LevelT, scene: Scene) -> Samples:
        """Corrupt some samples.

        Args:
            samples: ``(n, ...)``, axes as the kind says; not to be changed.
            level: Of the severity.
            scene: Random numbers for these samples, and facts of the data set.
        """

    def corrupt(self, samples: Samples, severity: int, draws: Draws, facts: Facts) -> Samples:
        """Samples of a severity; 0 leaves them as they are. The rules of this module are checked.

        Args:
            samples: ``(n, ...)``, axes as the kind says.
            severity: 0 to 5.
            draws: As many streams as samples.
            facts: Of the data set.
        """
        if severity == 0:
            return samples
        level = self.levels[severity - 1]
        # Few values at a time stay in the processor's cache; by rule 2 the result is the same.
        step = max(1, _CHUNK_VALUES // max(1, samples[0].size))
        result = np.empty_like(samples)
        for first in range(0, len(samples), step):
            part = slice(first, first + step)
            made = self.apply(samples[part], level, Scene(draws.part(part), facts))
            self._check(made, samples[part])
            if self.bounds is None:
                result[part] = made
            else:
                np.clip(made, *self.bounds, out=result[part])
        return result

    def _check(self, made: Samples, samples: Samples) -> None:
        if made.shape != samples.shape or made.dtype != np.float32 or not _finite(made):
            message = f"corruption {self.name} broke its contract: {made.dtype} {made.shape}"
            raise AssertionError(message)


def _finite(values: Samples) -> bool:
    """Whether all are finite: a sum is only finite if its parts are, and needs no second array."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum(dtype=np.float64)))


def fewest(chances: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """The places with the lowest chances, one at least; a higher share holds those of a lower.

    Args:
        chances: ``(n, places)``.
        share: Of the places.
    """
    count = max(1, round(share * chances.shape[1]))
    limit = np.partition(chances, count - 1, axis=1)[:, count - 1 : count]
    return np.asarray(chances <= limit)
