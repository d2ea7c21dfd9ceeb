"""What threads and batch do to latency and throughput."""

from __future__ import annotations

from edgeworthy.documents.sweep import Sweep, SweepPoint
from edgeworthy.reports.blocks import Block, Cell, Heading, Note, Row, Section, Table
from edgeworthy.reports.formatting import estimate_text, sample_text, value_text
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.marks import share_mark
from edgeworthy.reports.wording import plain, plural


def sweeps_section(index: BuildIndex) -> Section | None:
    """A table per chosen variant, the knee marked."""
    blocks: list[Block] = []
    for sweep in index.record.sweeps:
        blocks += [Heading(plain(sweep.variant), note=plain(sweep.runtime)), *_blocks(sweep)]
    if not blocks:
        return None
    return Section(
        key="sweep",
        title="Threads and batch",
        lead="Settings that took turns. The knee is the lowest latency that still has nine tenths "
        "of the best throughput: beyond it, waiting longer buys next to nothing.",
        blocks=tuple(blocks),
    )


def _blocks(sweep: Sweep) -> list[Block]:
    best = max(each.throughput_hz.value for each in sweep.points)
    knee = next(each for each in sweep.points if each.is_knee)
    blocks: list[Block] = [
        Note(
            f"Knee at {plural(knee.threads, 'thread')} and batch {knee.batch}: "
            f"{estimate_text(knee.throughput_hz)}."
        ),
        Table(
            caption=f"Settings of {plain(sweep.variant)}",
            columns=("Threads", "Batch", "Latency of a query", "Throughput"),
            rows=tuple(_row(each, best) for each in sweep.points),
        ),
    ]
    if sweep.disturbances:
        said = " ".join(plain(each) for each in sweep.disturbances)
        blocks.append(Note(f"The machine was not quiet. {said}", tone="caution"))
    return blocks


def _row(point: SweepPoint, best: float) -> Row:
    throughput = point.throughput_hz
    return Row(
        (
            Cell(str(point.threads), note="the knee" if point.is_knee else ""),
            Cell(str(point.batch), note=_processors(point), tone="number"),
            Cell(estimate_text(point.latency_ms), hint=sample_text(point.latency_ms)),
            Cell(
                value_text(throughput),
                mark=share_mark(throughput.value, best),
                hint=sample_text(throughput),
            ),
        ),
        emphasis=point.is_knee,
    )


def _processors(point: SweepPoint) -> str:
    listed = ", ".join(map(str, point.processors))
    return f"on processors {listed}" if listed else ""
