"""Where quantized files and float disagree: by how far float's first class leads.

A crop on which float's two best classes are nearly level is decided by the last bits of the sums,
and by whatever rounds them. Agreement on such crops says how small the noise is; agreement on the
others says whether the model still answers what it answered.

Needed: the models and the files that ``optimization_peers.py`` has made.

Usage::

    python benchmarks/close_calls.py MODELS WORK [--task NAME]
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from optimization_peers import lines_of
from peers.judging import answers
from peers.tables import FLOAT
from peers.tasks import load_task

from edgeworthy.statistics.shares import share_interval

#: Bounds of the lead of float's first class over its second, in logits.
LEADS = (0.0, 0.1, 0.25, 0.5, 1.0, np.inf)


def leads_of(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the first class leads, ``(n,)``."""
    best = np.sort(logits, axis=1)
    return np.asarray(best[:, -1] - best[:, -2])


def row(name: str, same: NDArray[np.bool_], leads: NDArray[np.float32]) -> str:
    """A row of the table: right of all, by lead."""
    cells = []
    for low, high in pairwise(LEADS):
        chosen = same[(leads >= low) & (leads < high)]
        found = share_interval(int(chosen.sum()), len(chosen), confidence=0.95)
        cells.append(f"{chosen.sum()} ({100 * found.low:.1f} to {100 * found.high:.1f} %)")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Agreement by how close float's call is.")
    parser.add_argument("models", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--task", default="efficientnet-lite0")
    asked = parser.parse_args()
    task = load_task(asked.models, asked.task)
    expected = answers(task.model, task.evaluation)
    leads = leads_of(expected)
    bounds = list(pairwise(LEADS))
    counts = [int(((leads >= low) & (leads < high)).sum()) for low, high in bounds]
    titles = [
        f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more" for low, high in bounds
    ]
    heads = [f"{title}, n = {count}" for title, count in zip(titles, counts, strict=True)]
    print(f"| file | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name, line in lines_of(task, asked.work / "results.jsonl").items():
        if name != FLOAT and "right" in line:
            found = answers(Path(line["path"]), task.evaluation)
            print(row(name, found.argmax(axis=1) == expected.argmax(axis=1), leads), flush=True)


if __name__ == "__main__":
    main()
