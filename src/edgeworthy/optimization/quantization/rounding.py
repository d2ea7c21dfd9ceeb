"""Rounding that makes each weight's error good with the weights that are still to be rounded.

Rounding each weight to the nearest step is not the best that integers can do: what counts is the
error of the output, and the errors of two weights whose inputs move together can cancel. With the
second moments of the inputs the best reaction of the other weights to one rounding is known in
closed form.

Rules:

1. Nothing is trained and nothing is drawn: a matrix is decomposed once, each weight is rounded
   once, those with the largest inputs first.
2. The scales stay as they were, and so does every promise that they keep: in a reduced range no two
   weights, or no two neighbors, of equal sign add up to more than 128 afterwards either.
3. A weight whose input is always zero is rounded to the nearest step.
4. Single precision is enough: the damping keeps a hundred thousand times its error away from zero.

Sources: Hassibi and Stork, Second Order Derivatives for Network Pruning: Optimal Brain Surgeon,
1993; Frantar et al., GPTQ, 2022 (the order of the updates). That their inverse is not needed, since
the root of the moments itself tells the best reaction, is Babai's nearest plane: On Lovasz' lattice
reduction and the nearest lattice point problem, 1986.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Singles = NDArray[np.float32]
_LARGEST = 127.0
#: Two weights of equal sign that add up to this still fit 16 bits: 255 * 128 < 2**15.
_LARGEST_PAIR = 128.0
#: Share of the mean diagonal that is added to it, so that its root exists.
_DAMPING = 0.01
#: Columns whose effect on all later ones is worked out together.
_BLOCK = 64
#: From this depth on a root is found by so many rows at a time: LAPACK's own blocks are small.
_DEEP = 768
_ROOT_BLOCK = 192


@dataclass(frozen=True)
class Bounds:
    """How small and how large each rounded weight may be.

    Attributes:
        lowest: The shape of the weights, or one number for all of them.
        highest: The shape of the weights, or one number for all of them.
    """

    lowest: Reals
    highest: Reals


#: All eight bits, without -128.
FREE_BOUNDS = Bounds(np.array(-_LARGEST), np.array(_LARGEST))


def pair_safe_bounds(rounded: Reals) -> Bounds:
    """Bounds that keep any two weights of equal sign within 128.

    Args:
        rounded: ``(..., channels, depth)``: weights that keep that promise already.

    >>> bounds = pair_safe_bounds(np.array([[100.0, 20.0, -3.0]]))
    >>> bounds.highest.tolist(), bounds.lowest.tolist()
    ([[100.0, 28.0, 28.0]], [[-64.0, -64.0, -64.0]])
    """
    return Bounds(-_one_sided(-rounded), _one_sided(rounded))


def neighbor_safe_bounds(rounded: Reals) -> Bounds:
    """Bounds that keep neighbors of equal sign within 128: the slack of each two is shared.

    Args:
        rounded: ``(..., channels, depth)``: weights that keep that promise already.

    >>> bounds = neighbor_safe_bounds(np.array([[100.0, 20.0, -3.0]]))
    >>> bounds.highest.tolist(), bounds.lowest.tolist()
    ([[104.0, 24.0, 64.0]], [[-64.0, -64.0, -65.0]])
    """
    return Bounds(-_beside(-rounded), _beside(rounded))


def _beside(rounded: Reals) -> Reals:
    depth = rounded.shape[-1]
    positive = np.maximum(rounded, 0.0)
    if depth % 2:
        positive = np.concatenate([positive, np.zeros_like(positive[..., :1])], axis=-1)
    slack = _LARGEST_PAIR - positive[..., 0::2] - positive[..., 1::2]
    bounds = np.empty_like(positive)
    bounds[..., 0::2] = positive[..., 0::2] + np.floor(slack / 2)
    bounds[..., 1::2] = positive[..., 1::2] + np.ceil(slack / 2)
    return np.asarray(np.minimum(bounds[..., :depth], _LARGEST))


def _one_sided(rounded: Reals) -> Reals:
    half = _LARGEST_PAIR / 2
    top = rounded.max(axis=-1, keepdims=True)
    bounds = np.where(top > half, _LARGEST_PAIR - top, half) * np.ones_like(rounded)
    first = rounded.argmax(axis=-1)[..., None]
    np.put_along_axis(bounds, first, np.maximum(top, half), axis=-1)
    # A top above half leaves less than half to the others; nobody but the first may exceed that.
    return bounds


@dataclass(frozen=True)
class Reactions:
    """How best to react to the rounding of each weight; the same for all weights on one input.

    Attributes:
        order: ``(groups, depth)``: which weight stands where; the last one is rounded first.
        factors: ``(groups, depth, depth)``: in row ``i``, by how much weight ``i`` makes good the
            error of each weight behind it.
    """

    order: NDArray[np.int64]
    factors: Singles

    @classmethod
    def to(cls, moments: Reals) -> Reactions:
        """The reactions for inputs of these second moments, ``(groups, depth, depth)``."""
        largest_first = np.argsort(-np.diagonal(moments, axis1=1, axis2=2), axis=1, kind="stable")
        order = np.ascontiguousarray(largest_first[:, ::-1])
        root = _root(_ordered_square(moments.astype(np.float32), order))
        root /= np.diagonal(root, axis1=1, axis2=2)[:, :, None].copy()
        return cls(order, root)


def compensated(weights: Reals, scales: Reals, reactions: Reactions, bounds: Bounds) -> Singles:
    """Integers whose output is as near as this method gets to that of the weights.

    Args:
        weights: ``(groups, channels, depth)``.
        scales: ``(groups, channels)``.
        reactions: To the second moments of the inputs, ``E[x x']``.
        bounds: Of the integers.

    Returns:
        Integers as float32, the shape of ``weights``.
    """
    factors, order = reactions.factors, reactions.order
    # The depth comes first: what is rounded in one step lies in one piece.
    wished = _by_depth(weights / scales[..., None], order)
    lowest, highest = (
        _by_depth(each, order) if each.ndim else np.broadcast_to(np.float32(each), wished.shape)
        for each in (bounds.lowest, bounds.highest)
    )
    rounded, errors = np.empty_like(wished), np.empty_like(wished)
    for last in range(wished.shape[1], 0, -_BLOCK):
        first = max(last - _BLOCK, 0)
        block = wished[:, first:last] + factors[:, first:last, last:] @ errors[:, last:]
        for row in range(last - 1, first - 1, -1):
            behind = slice(row + 1, last)
            own = factors[:, row, None, behind] @ errors[:, behind]
            integers = np.rint(block[:, row - first] + own[:, 0])
            np.maximum(integers, lowest[:, row], out=integers)
            rounded[:, row] = np.minimum(integers, highest[:, row], out=integers)
            errors[:, row] = wished[:, row] - integers
    back = np.argsort(order, axis=1)
    result = np.empty(weights.shape, dtype=np.float32)
    for stored, found, places in zip(result, rounded, back, strict=True):
        stored[:] = found[places].T
    return result


def _by_depth(values: Reals, order: NDArray[np.int64]) -> Singles:
    """``(groups, channels, depth)`` as ``(groups, depth, channels)``, the depth in this order."""
    rows = np.ascontiguousarray(np.swapaxes(values, 1, 2), dtype=np.float32)
    for row, places in zip(rows, order, strict=True):
        row[:] = row[places]
    return rows


def _ordered_square(moments: Singles, order: NDArray[np.int64]) -> Singles:
    ordered = np.empty_like(moments)
    for found, given, places in zip(ordered, moments, order, strict=True):
        np.take(given.take(places, axis=0), places, axis=1, out=found)
    return ordered


def _root(moments: Singles) -> Singles:
    """Upper triangular ``R`` with ``R' R`` the damped moments."""
    diagonal = np.diagonal(moments, axis1=1, axis2=2)
    damping = _DAMPING * diagonal.mean(axis=1)
    damping = np.where(damping > 0.0, damping, 1.0)
    damped = moments.copy()
    every = np.arange(moments.shape[1])
    damped[:, every, every] += damping[:, None]
    try:
        return _by_blocks(damped)
    except np.linalg.LinAlgError:
        return _by_blocks(_positive(damped, damping))


def _by_blocks(squares: Singles) -> Singles:
    """The root of positive matrices."""
    depth = squares.shape[1]
    if depth < _DEEP:
        return np.asarray(np.linalg.cholesky(squares, upper=True))
    squares = squares.copy()
    for first in range(0, depth, _ROOT_BLOCK):
        here, later = slice(first, first + _ROOT_BLOCK), slice(first + _ROOT_BLOCK, None)
        own = np.linalg.cholesky(squares[:, here, here], upper=True)
        squares[:, here, here] = own
        squares[:, later, here] = 0.0
        beside = np.swapaxes(np.linalg.inv(own), 1, 2) @ squares[:, here, later]
        squares[:, here, later] = beside
        squares[:, later, later] -= np.swapaxes(beside, 1, 2) @ beside
    return squares


def _positive(moments: Singles, damping: Singles) -> Singles:
    """The nearest moments in which no direction has less than the damping.

    Inputs that hardly change, such as white paper, have covariances below the precision of the
    sums that they come from, and directions of negative energy.
    """
    energies, directions = np.linalg.eigh(moments)
    raised = np.maximum(energies, damping[:, None])
    found: Singles = (directions * raised[:, None, :]) @ np.swapaxes(directions, 1, 2)
    return found


def error_growth(before: Reals, after: Reals, moments: NDArray[np.floating[Any]]) -> float:
    """By how much the outputs' mean square error grows from one change of the weights to another.

    Args:
        before: One change, ``(groups, channels, depth)``, in the unit of the weights.
        after: Another one.
        moments: ``(groups, depth, depth)``, symmetric: one product tells what two errors would.
    """
    change, both = (each.astype(np.float32) for each in (after - before, after + before))
    return float(np.vdot(change @ moments.astype(np.float32, copy=False), both))


def as_float32(integers: NDArray[np.floating[Any]], scales: Reals) -> NDArray[Any]:
    """Weights that stand exactly on the steps."""
    return (integers.astype(np.float32) * scales.astype(np.float32)[..., None]).astype(np.float32)
