"""What was found of models of others, as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from peers.tables import interval

_FLOAT = "float"
_SHORT = {"agreement-classes": "agreement", "agreement-vectors": "cosine"}


def others_tables(
    found: Sequence[dict[str, Any]], tools: Sequence[str], timed: Sequence[str]
) -> Iterator[str]:
    """What is kept of float, how fast and how large the files are, and what was refused."""
    lines = {(line["task"], line["tool"]): line for line in found}
    names = list(dict.fromkeys(line["task"] for line in found))
    sound = [name for name in names if "kept" in lines[name, _FLOAT]]
    tools = [each for each in tools if any((name, each) in lines for name in sound)]
    yield from _table(
        ["model", "measure", "n", *tools],
        [
            [name, *_measure(lines[name, _FLOAT]), *(_kept(lines.get((name, t))) for t in tools)]
            for name in sound
        ],
    )
    yield from _table(
        ["model", "float ms", *timed, "float once more", "size: static", "size: ONNX Runtime"],
        [_speed(name, lines, timed) for name in sound if (name, "timing") in lines],
    )
    yield from _table(
        ["model", "file", "digest"],
        [
            [name, tool, line["digest"].removeprefix("sha256:")[:12]]
            for (name, tool), line in lines.items()
            if "digest" in line and tool in {_FLOAT, "edgeworthy static"}
        ],
    )
    yield from _table(
        ["model", "file", "why there is none"],
        [
            [name, tool, line["failure"].replace("|", "/").replace("\n", " ")]
            for (name, tool), line in lines.items()
            if "failure" in line
        ],
    )


def _measure(line: dict[str, Any]) -> list[str]:
    return [_SHORT[line["measure"]], str(line["n"])]


def _kept(line: dict[str, Any] | None) -> str:
    if line is None or "kept" not in line:
        return "" if line is None else "-"
    return interval(line["kept"], digits=4)


def _speed(
    name: str, lines: dict[tuple[str, str], dict[str, Any]], timed: Sequence[str]
) -> list[str]:
    timing = lines[name, "timing"]["timing"]
    again = next(each for tool, each in timing.items() if tool.endswith("(again)"))
    ratios = [
        interval(timing[tool]["ratio"], digits=2) if tool in timing else "-" for tool in timed
    ]
    float_bytes = lines[name, _FLOAT]["bytes"]
    sizes = [
        f"{line['bytes'] / float_bytes:.2f}" if line and "kept" in line else "-"
        for line in (lines.get((name, tool)) for tool in (timed[1], timed[2]))
    ]
    return [
        name,
        f"{timing[_FLOAT]['median_ms']:.2f}",
        *ratios,
        interval(again["ratio"], digits=2),
        *sizes,
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (headings, ["---"] * len(headings), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""
