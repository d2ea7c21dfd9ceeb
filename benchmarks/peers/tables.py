"""What was found, as tables of Markdown.

Rules:

1. A table per task, a row per file, in the order in which they were made.
2. A failure of a tool is a row that says so.
3. What our own file once more took against itself stands below: what a ratio of 1 looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

FLOAT, OURS = "float", "edgeworthy static"
AGAIN = f"{OURS} (again)"
_HEADINGS = (
    "file",
    "right",
    "points lost (95 %)",
    "mean cosine",
    "points lost without VNNI, foretold",
    "latency / ours (95 %)",
    "ms",
    "size / float",
    "tool s",
    "digest",
)


def tables(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A table per task."""
    foretold = {line["of"]: line["emulated"] for line in found if line["tool"] == "emulation"}
    for name in dict.fromkeys(line["task"] for line in found):
        of_task = [line for line in found if line["task"] == name]
        lines = {x["tool"]: x for x in of_task if x["tool"] not in ("timing", "emulation")}
        turns = timings(found, name)
        timing = {tool: each for turn in turns for tool, each in turn.items()}
        first = lines[FLOAT]
        few = max(
            (x.get("n", 0) for of, x in foretold.items() if of.startswith(f"{name}/")), default=0
        )
        yield f"### {name}: {first['measure']}, n = {first['n']} (foretold: the first {few})"
        yield ""
        yield _row(_HEADINGS)
        yield _row(["---"] * len(_HEADINGS))
        for tool, line in lines.items():
            yield _file(line, timing.get(tool), foretold.get(f"{name}/{tool}"), first["bytes"])
        for turn in turns:
            again = turn[AGAIN]
            cells = ["our file once more", *[""] * 4, interval(again["ratio"]), _ms(again)]
            yield _row([*cells, *[""] * 3])
        yield ""


def timings(found: Sequence[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """What was timed of a task, a record per turn."""
    return [x["timing"] for x in found if x["task"] == task and x["tool"] == "timing"]


def interval(values: Sequence[float], *, scale: float = 1.0, digits: int = 3) -> str:
    """A value with its interval."""
    low, value, high = (each * scale for each in values)
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _file(
    line: dict[str, Any],
    timing: dict[str, Any] | None,
    foretold: dict[str, Any] | None,
    float_bytes: int,
) -> str:
    if "right" not in line:
        return _row([line["tool"], line["failure"], *[""] * (len(_HEADINGS) - 2)])
    timed = timing or {}
    return _row(
        [
            line["tool"],
            f"{line['right']:.4f}",
            "" if line["tool"] == FLOAT else interval(line["drop"], scale=100.0, digits=2),
            f"{line['cosine']:.5f}",
            _foretold(foretold),
            interval(timed["ratio"]) if timed.get("ratio") else "1" if timed else "",
            _ms(timed) if timed else "",
            f"{line['bytes'] / float_bytes:.2f}",
            f"{line['seconds']:.1f}" if "seconds" in line else "",
            line["digest"].removeprefix("sha256:")[:12],
        ]
    )


def _foretold(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    return interval(found["drop"], scale=100.0, digits=2) if "drop" in found else found["failure"]


def _ms(timing: dict[str, Any]) -> str:
    return f"{timing['median_ms']:.3f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
