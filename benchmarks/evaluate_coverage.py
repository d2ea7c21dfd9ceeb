"""How often the intervals of an evaluation hold the truth, where the truth is known.

Method: sets of samples are drawn from models whose true figures come from one very large draw (or
are known), and the intervals are made by the very functions that an evaluation uses. Counted is how
often an interval lies above, holds, and lies below the truth, how wide it is, and how often that of
a drop lies on the truth's side of 0: a difference that is told. Shares need no simulation:
``coverage_of_shares.py`` enumerates them.

What was counted is appended to a file, fifty sets a line, so that a run can be cut into pieces;
without ``--seconds`` it goes on to its end (about half an hour on one core)::

    python benchmarks/evaluate_coverage.py coverage.jsonl --seconds 240
    python benchmarks/evaluate_coverage.py coverage.jsonl --table

After a change to intervals, start with a new file; the old one shows what the change gained::

    python benchmarks/evaluate_coverage.py coverage.jsonl --against before.jsonl
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from coverage_worlds import WORLDS, World

from edgeworthy.documents.estimate import Estimate
from edgeworthy.statistics import clopper_pearson

_SETS_PER_PIECE = 50
_ROUNDING = 1e-9
_SAME_WIDTH = 0.05


class Piece(msgspec.Struct, frozen=True):
    """What was counted in some sets, or the truth behind them.

    Attributes:
        title: Of the world.
        n: Samples per set; 0 where this is the truth.
        first: Number of the first set.
        truths: Figure -> its true value.
        counts: Figure -> intervals above the truth, holding it, and below it.
        widths: Figure -> sum of the widths of its intervals.
        told: Figure -> intervals that lie on the truth's side of 0.
    """

    title: str
    n: int = 0
    first: int = 0
    truths: dict[str, float] = {}
    counts: dict[str, tuple[int, int, int]] = {}
    widths: dict[str, float] = {}
    told: dict[str, int] = {}


def counted(world: World, truths: Mapping[str, float], n: int, first: int) -> Piece:
    """Draw some sets and look where the intervals lie."""
    counts = {name: [0, 0, 0] for name in truths}
    widths, told = dict.fromkeys(truths, 0.0), dict.fromkeys(truths, 0)
    for at in range(first, first + _SETS_PER_PIECE):
        for name, found in world.found(n, at).items():
            if found is not None:
                counts[name][1 + _side(found, truths[name])] += 1
                widths[name] += found.high - found.low
                told[name] += found.low > 0 if truths[name] > 0 else found.high < 0
    sides = {name: (each[0], each[1], each[2]) for name, each in counts.items()}
    return Piece(world.title, n, first, counts=sides, widths=widths, told=told)


def _side(found: Estimate, truth: float) -> int:
    """-1 for an interval above the truth, 1 for one below it."""
    return int(found.high + _ROUNDING < truth) - int(found.low - _ROUNDING > truth)


def left_to_do(pieces: list[Piece], only: set[str]) -> Iterator[tuple[World, int, int]]:
    """Pieces that are missing, the first of every cell before the second of any."""
    done = {(each.title, each.n, each.first) for each in pieces}
    most = max(world.sets for world in WORLDS)
    for first in range(0, most, _SETS_PER_PIECE):
        for world in WORLDS:
            for n in world.sizes:
                wanted = first < world.sets and (not only or world.part in only)
                if wanted and (world.title, n, first) not in done:
                    yield world, n, first


def run(path: Path, seconds: float, only: set[str]) -> None:
    """Append pieces until the time is over or nothing is left."""
    pieces = read(path)
    truths = {each.title: each.truths for each in pieces if each.n == 0}
    until = time.monotonic() + seconds
    left = list(left_to_do(pieces, only))
    for done, (world, n, first) in enumerate(left):
        if time.monotonic() > until:
            print(f"{len(left) - done} pieces of {_SETS_PER_PIECE} sets are left")
            return
        if world.title not in truths:
            truths[world.title] = dict(world.truths())
            _append(path, Piece(world.title, truths=truths[world.title]))
        _append(path, counted(world, truths[world.title], n, first))
    print("nothing is left")


def read(path: Path) -> list[Piece]:
    """Pieces of a file; none where there is no file yet."""
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=Piece) for line in path.read_bytes().splitlines()]


def _append(path: Path, piece: Piece) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.encode(piece) + b"\n")


def cells_of(pieces: list[Piece]) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Figure, model and size -> intervals that held the truth, and all."""
    cells: dict[tuple[str, str, int], tuple[int, int]] = {}
    for piece in pieces:
        for figure, counts in piece.counts.items():
            held, sets = cells.get((figure, piece.title, piece.n), (0, 0))
            cells[figure, piece.title, piece.n] = held + counts[1], sets + sum(counts)
    return {cell: counts for cell, counts in cells.items() if counts[1]}


def gained(before: list[Piece], now: list[Piece]) -> Iterator[str]:
    """A row per drop whose mean width changed: widths, and how often a difference is told."""
    old, new = _widths_of(before), _widths_of(now)
    order = [world.title for world in WORLDS]
    rows: dict[tuple[str, str], list[str]] = {}
    for figure, title, n in sorted(
        old.keys() & new.keys(), key=lambda cell: (cell[0], order.index(cell[1]), cell)
    ):
        was, told_before = old[figure, title, n]
        width, told = new[figure, title, n]
        if abs(width / was - 1) > _SAME_WIDTH:
            said = f"{n:,}: {_three(was)} to {_three(width)}"
            if figure.endswith("drop"):
                said += f", {100 * told_before:.0f} to {100 * told:.0f}"
            rows.setdefault((figure, title), []).append(said)
    for (figure, title), said_of in rows.items():
        yield f"| {figure} | {title} | {'; '.join(said_of)} |"


def _three(width: float) -> str:
    """Two figures, without an exponent."""
    return f"{width:.2g}" if width >= 0.01 else f"{width:.4f}"  # noqa: PLR2004 - a layout


def _widths_of(pieces: list[Piece]) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Figure, model and size -> mean width, and share of the sets that told a difference."""
    sums: dict[tuple[str, str, int], list[float]] = {}
    for piece in pieces:
        for figure, width in piece.widths.items():
            row = sums.setdefault((figure, piece.title, piece.n), [0.0, 0.0, 0.0])
            for at, each in enumerate((width, piece.told[figure], sum(piece.counts[figure]))):
                row[at] += each
    return {cell: (row[0] / row[2], row[1] / row[2]) for cell, row in sums.items() if row[2]}


def summary(pieces: list[Piece]) -> Iterator[str]:
    """A row per part: mean coverage, and the lowest and the highest cell."""
    cells, parts = cells_of(pieces), {world.title: world.part for world in WORLDS}
    rows: dict[tuple[str, bool], list[tuple[float, tuple[str, str, int]]]] = {}
    for cell, (held, sets) in cells.items():
        family = parts[cell[1]], cell[0].endswith("drop")
        rows.setdefault(family, []).append((held / sets, cell))
    for (part, is_drop), found in sorted(rows.items()):
        mean = sum(share for share, _ in found) / len(found)
        inside = sum(0.93 <= share <= 0.97 for share, _ in found)  # noqa: PLR2004 - as asked for
        below = sum(share < 0.93 for share, _ in found)  # noqa: PLR2004 - the same
        share, (figure, title, n) = min(found)
        lowest = f"{share:.1%}: {figure.partition(',')[0]}, {title}, {n:,}".replace("%:", " %:")
        yield (
            f"| {part}{', drops' * is_drop} | {100 * mean:.1f} % | {lowest} | {below} | {inside} |"
            f" {len(found) - below - inside} |"
        )


def too_wide(pieces: list[Piece]) -> Iterator[str]:
    """A row per figure that covers surely more than 97 % somewhere: models and sizes."""
    rows: dict[str, dict[str, list[str]]] = {}
    order = [world.title for world in WORLDS]
    cells = cells_of(pieces)
    for figure, title, n in sorted(cells, key=lambda cell: (cell[0], order.index(cell[1]), cell)):
        held, sets = cells[figure, title, n]
        if clopper_pearson(held, sets, confidence=0.95).low > 0.97:  # noqa: PLR2004 - as asked for
            rows.setdefault(figure, {}).setdefault(title, []).append(f"{n:,}")
    for figure, models in rows.items():
        said = "; ".join(f"{title}: {' and '.join(sizes)}" for title, sizes in models.items())
        yield f"| {figure} | {said} |"


def table(pieces: list[Piece]) -> Iterator[str]:
    """A row per figure and model: coverage by size, with its own interval."""
    rows: dict[tuple[str, str], list[str]] = {}
    order = [world.title for world in WORLDS]
    cells = cells_of(pieces)
    for figure, title, n in sorted(
        cells, key=lambda cell: (cell[0].partition(",")[0], order.index(cell[1]), cell)
    ):
        said = f"{n:,}: {_covered(*cells[figure, title, n])}"
        rows.setdefault((figure, title), []).append(said)
    for (figure, title), said_of in rows.items():
        yield f"| {figure} | {title} | {'; '.join(said_of)} |"


def _covered(held: int, sets: int) -> str:
    found = clopper_pearson(held, sets, confidence=0.95)
    ends = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
    return f"{100 * found.value:.1f} ({ends}), {sets:,}"


def main() -> None:
    """Run for some time, or print the table."""
    parser = argparse.ArgumentParser(description="How often intervals hold the truth.")
    parser.add_argument("path", type=Path, help="file of what was counted so far")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--only", default="", help="parts, for example anomaly,conditions")
    parser.add_argument(
        "--table", action="store_true", help="print tables of what was counted so far"
    )
    parser.add_argument("--against", type=Path, help="print what changed against an earlier file")
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    known = dict.fromkeys(world.part for world in WORLDS)
    if unknown := sorted(only - set(known)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(known)}")
    if given.against:
        print("| figure | model | n: mean width, and sets in a hundred that tell a difference |")
        print("|---|---|---|", *gained(read(given.against), read(given.path)), sep="\n")
        return
    if not given.table:
        run(given.path, given.seconds, only)
        return
    pieces = read(given.path)
    print(
        "| part | mean | lowest cell | below 93 % | 93 to 97 % | above |\n|---|---|---|---|---|---|"
    )
    print(*summary(pieces), sep="\n")
    print("\n| figure | model | n: coverage at 95 %, its own interval, sets |\n|---|---|---|")
    print(*table(pieces), sep="\n")
    print("\n| surely above 97 % | model: n |\n|---|---|")
    print(*too_wide(pieces), sep="\n")


if __name__ == "__main__":
    main()
