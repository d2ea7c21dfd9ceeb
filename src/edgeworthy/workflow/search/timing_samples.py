"""Which of the samples that judge are the inputs of timed queries.

Rules:

1. The first ones, where every sample takes as long as another: nothing more is read than they need.
2. Where work depends on the sample, ones drawn from all over the set, by a seed: how many of them
   take long counts.
3. A model with a fixed batch gets samples of its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from edgeworthy.workflow.search.sources import Bench

if TYPE_CHECKING:
    from edgeworthy.runtimes import Tensors


def first_samples(bench: Bench, limit: int) -> list[Tensors]:
    """The inputs of that many queries at most; see rule 1."""
    return list(islice(_grouped(_rows(bench), _size(bench)), limit))


def spread_samples(bench: Bench, limit: int, *, seed: int) -> list[Tensors]:
    """The same by rule 2; the samples are read twice."""
    import numpy as np

    size = _size(bench)
    total = sum(len(batch.labels) for batch in bench.evaluation())
    wanted = min(limit, total // size) * size
    drawn = np.random.default_rng(seed).choice(total, wanted, replace=False)
    places = set(drawn.tolist())
    chosen = (row for place, row in enumerate(_rows(bench)) if place in places)
    return list(_grouped(chosen, size))


def _size(bench: Bench) -> int:
    from edgeworthy.runtimes import fixed_batch_size

    return fixed_batch_size(bench.signature) or 1


def _rows(bench: Bench) -> Iterator[Tensors]:
    for batch in bench.evaluation():
        for row in range(len(batch.labels)):
            yield {name: values[row : row + 1] for name, values in batch.inputs.items()}


def _grouped(rows: Iterable[Tensors], size: int) -> Iterator[Tensors]:
    """As many rows together as a query takes; what is left over is left out."""
    import numpy as np

    pending = iter(rows)
    while len(group := list(islice(pending, size))) == size:
        yield {name: np.concatenate([each[name] for each in group]) for name in group[0]}
