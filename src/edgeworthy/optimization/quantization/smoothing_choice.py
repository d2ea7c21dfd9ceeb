"""How far the outliers of each tensor move into the weights that they meet.

Rules:

1. Each channel is divided by ``peak**alpha``; of a row of alphas the one with the least noise
   behind the products is taken, for each tensor on its own.
2. The noise is worked out, not measured. Rounding to steps of ``s`` adds ``s**2 / 12`` to a number:
   activations have one step, weights have one per output channel.
3. Noise of weights counts four times. Even channels all end at the edge of the range, where inputs
   that calibration did not see are cut off; that error is not in the sum, and leaning to the other
   side keeps it small.
4. A tensor is left alone where that does not halve its noise, or where it causes less than a
   hundredth of the noise of all of them, each against the signal behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Reals: TypeAlias = NDArray[np.float64]
ALPHAS = tuple(step / 10 for step in range(2, 11))
_WEIGHTS_COUNT = 4.0
_WORTH_RATIO = 2.0
_WORTH_SHARE = 0.01
_STEPS = 255.0
_LARGEST = 127.0
#: A channel smaller than this, against the largest, is taken for silent.
_SILENT = 1e-5


@dataclass
class Channels:
    """What was seen of the channels of a tensor.

    Attributes:
        highest: Largest value of each, at least 0.
        lowest: Smallest value of each, at most 0.
        squares: Sum of squares of each.
        count: Numbers seen of each.
    """

    highest: Reals
    lowest: Reals
    squares: Reals
    count: int

    @classmethod
    def unseen(cls, channels: int) -> Channels:
        """Before the first number."""
        return cls(np.zeros(channels), np.zeros(channels), np.zeros(channels), 0)

    def add(
        self, highest: NDArray[Any], lowest: NDArray[Any], squares: NDArray[Any], count: int
    ) -> None:
        """Take in what one run showed."""
        self.highest = np.maximum(self.highest, highest)
        self.lowest = np.minimum(self.lowest, lowest)
        self.squares = self.squares + squares
        self.count += count

    @property
    def peaks(self) -> Reals:
        """Largest absolute value of each channel."""
        return np.maximum(self.highest, -self.lowest)

    @property
    def power(self) -> Reals:
        """Mean square of each channel."""
        return self.squares / max(1, self.count)


def peaks_of_rows(weights: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Of each input channel, the largest absolute weight in any of the matrices."""
    return np.asarray(np.max([np.abs(each).max(axis=1) for each in weights], axis=0))


def chosen_factors(
    seen: Mapping[str, Channels], weights: Mapping[str, Sequence[NDArray[Any]]]
) -> dict[str, Reals]:
    """By tensor, what each channel is divided by; tensors that are left alone are absent.

    Args:
        seen: What the tensors look like.
        weights: What they meet, ``(channels in, channels out)`` each.
    """
    plain, best = {}, {}
    for tensor, channels in seen.items():
        own = np.abs(np.concatenate(weights[tensor], axis=1, dtype=np.float32))
        signal = float(channels.power @ (own**2).sum(axis=1)) or 1.0
        ones = np.ones_like(channels.peaks)
        plain[tensor] = noise_of(channels, own, ones) / signal
        tried = [_powers(channels.peaks, alpha) for alpha in ALPHAS]
        noises = [noise_of(channels, own, factors) / signal for factors in tried]
        least = int(np.argmin(noises))
        best[tensor] = (noises[least], tried[least])
    total = sum(plain.values())
    return {
        tensor: factors
        for tensor, (noise, factors) in best.items()
        if plain[tensor] >= max(_WORTH_RATIO * noise, _WORTH_SHARE * total) > 0.0
    }


def noise_of(channels: Channels, weights: NDArray[np.floating[Any]], factors: Reals) -> float:
    """Mean square error behind the products, added up over their outputs (rules 2 and 3).

    >>> channels = Channels(np.array([255.0]), np.zeros(1), np.array([12.0]), 1)
    >>> noise_of(channels, np.array([[127.0]]), np.ones(1)) == 127.0**2 / 12 + 4.0
    True
    """
    rows = weights * factors.astype(weights.dtype)[:, None]
    step = ((channels.highest / factors).max() - (channels.lowest / factors).min()) / _STEPS
    weight_steps = np.abs(rows).max(axis=0).astype(np.float64) / _LARGEST
    of_activations = step**2 / 12 * float(np.vdot(rows, rows))
    of_weights = (weight_steps**2).sum() / 12 * (channels.power / factors**2).sum()
    return float(of_activations + _WEIGHTS_COUNT * of_weights)


def _powers(peaks: Reals, alpha: float) -> Reals:
    """Their geometric mean is 1; silent channels are left as they are."""
    heard = peaks > _SILENT * peaks.max(initial=0.0)
    factors = np.ones_like(peaks)
    if heard.any():
        logarithms = alpha * np.log(peaks[heard])
        factors[heard] = np.exp(logarithms - logarithms.mean())
    return factors
