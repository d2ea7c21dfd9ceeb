"""Our SingleStream and Server against MLPerf LoadGen's, on the same model, session and process.

Method: one ONNX Runtime session of 60 convolutions (about 0.3 ms). Rounds alternate between our
load generator and LoadGen's Python binding, in an order drawn for each round; both call the same
function. Each figure is the median over the rounds of the ratio ours / LoadGen's, with its
signed-rank interval. Server runs at 15 % of the capacity. Overhead is that of an engine
that does nothing. LoadGen says of itself how many queries its early stopping needs.

Needs ``pip install mlcommons-loadgen``, which is no dependency of ours.

Command (about seven minutes)::

    python benchmarks/measure_loadgen.py --rounds 30
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlperf_loadgen as lg  # type: ignore[import-not-found,unused-ignore]  # see above
import numpy as np
from measure_comparison import convolutions

from edgeworthy.measurement.load import Arrivals, poisson_arrivals_ns, run_server
from edgeworthy.measurement.scenario import garbage_collection_paused, run_single_stream
from edgeworthy.runtimes import find_runtime, random_inputs
from edgeworthy.statistics.order_statistics import queries_needed_early_stopping
from edgeworthy.statistics.paired_ratio import RatioComparison, paired_ratio

Run = Callable[[Any], Any]
SAMPLE_COUNT = 8
#: Short runs, so that the two of a pair meet the same disturbances.
QUERY_COUNT = 600
#: So many that the random arrivals of two runs differ by about 2 % in their rate.
SERVER_QUERY_COUNT = 2000
#: So low that the load of others does not make a queue that never empties.
SERVER_LOAD = 0.15
NS_PER_MS = 1_000_000
NANOSECONDS = 1_000_000_000


def loadgen(run: Run, samples: list[Any], configure: Callable[[Any], None]) -> str:
    """One run of LoadGen: its summary."""

    def issue(queries: list[Any]) -> None:
        for query in queries:
            run(samples[query.index])
            lg.QuerySamplesComplete([lg.QuerySampleResponse(query.id, 0, 0)])

    settings = lg.TestSettings()
    settings.mode = lg.TestMode.PerformanceOnly
    settings.min_duration_ms = 0
    configure(settings)
    sut = lg.ConstructSUT(issue, lambda: None)
    library = lg.ConstructQSL(len(samples), len(samples), lambda _: None, lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        output = lg.LogOutputSettings()
        output.outdir = folder
        output.copy_summary_to_stdout = False
        log = lg.LogSettings()
        log.log_output = output
        log.enable_trace = False
        lg.StartTestWithLogSettings(sut, library, settings, log)
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text(encoding="utf-8")
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
    return summary


def single_stream(percentile: float, count: int) -> Callable[[Any], None]:
    """LoadGen's settings for SingleStream."""

    def configure(settings: Any) -> None:  # noqa: ANN401 - untyped library
        settings.scenario = lg.TestScenario.SingleStream
        settings.single_stream_expected_latency_ns = 100_000
        settings.single_stream_target_latency_percentile = percentile
        settings.min_query_count = settings.max_query_count = count

    return configure


def server(rate_hz: float, count: int, *, seed: int) -> Callable[[Any], None]:
    """LoadGen's settings for Server."""

    def configure(settings: Any) -> None:  # noqa: ANN401 - untyped library
        settings.scenario = lg.TestScenario.Server
        settings.server_target_qps = rate_hz
        settings.schedule_rng_seed = seed
        settings.server_target_latency_ns = 100_000_000
        settings.min_query_count = settings.max_query_count = count

    return configure


def figure(summary: str, label: str) -> float:
    """A figure of a summary."""
    found = re.search(rf"^{re.escape(label)}\s*:\s*([\d.]+)", summary, re.MULTILINE)
    if found is None:
        raise ValueError(f"no `{label}` in:\n{summary}")
    return float(found[1])


def in_turn(
    title: str, rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> str:
    """Pairs in random order; a line of the table."""
    generator = np.random.default_rng(0)
    pairs = []
    for number in range(rounds):
        found = {}
        for name in generator.permutation(["ours", "theirs"]).tolist():
            found[name] = (ours if name == "ours" else theirs)(number)
        pairs.append((found["ours"], found["theirs"]))
    own, other = np.array(pairs).T
    compared = paired_ratio(own, other)
    if not isinstance(compared, RatioComparison):
        raise TypeError(compared.reason)
    ratio = compared.ratio
    return (
        f"| {title} | {np.median(own):.4g} | {np.median(other):.4g} | "
        f"{ratio.value:.4f} | {ratio.low:.4f} to {ratio.high:.4f} | {ratio.n} |"
    )


class Contest:
    """Both load generators on one session."""

    def __init__(self, model: Path) -> None:
        session = find_runtime("onnxruntime").load(model)
        generator = np.random.default_rng(0)
        self.run: Run = session.run
        self.samples: list[Any] = [
            random_inputs(session.signature, batch=1, generator=generator)
            for _ in range(SAMPLE_COUNT)
        ]
        self.our_p90_ms(0)
        self.rate_hz = SERVER_LOAD * 1000 / np.median([self.our_p90_ms(0) for _ in range(3)])

    def our_p90_ms(self, number: int) -> float:
        """SingleStream."""
        with garbage_collection_paused():
            found = run_single_stream(self.run, self.samples, first=number, count=QUERY_COUNT)
        return float(np.quantile(found, 0.9, method="inverted_cdf")) / NS_PER_MS

    def their_p90_ms(self, _number: int) -> float:
        """SingleStream."""
        with garbage_collection_paused():
            summary = loadgen(self.run, self.samples, single_stream(0.9, QUERY_COUNT))
        return figure(summary, "90.00 percentile latency (ns)") / NS_PER_MS

    def our_rate(self, number: int) -> float:
        """Server, per second."""
        count = SERVER_QUERY_COUNT
        due_ns = poisson_arrivals_ns(self.rate_hz, count, seed=number).tolist()
        arrivals = Arrivals(due_ns=due_ns, bound_ns=NANOSECONDS, over_allowed=count)
        with garbage_collection_paused():
            found = run_server(self.run, self.samples, arrivals)
        return count * NANOSECONDS / found.elapsed_ns

    def their_rate(self, number: int) -> float:
        """Server, per second."""
        with garbage_collection_paused():
            summary = loadgen(
                self.run, self.samples, server(self.rate_hz, SERVER_QUERY_COUNT, seed=number + 1)
            )
        return figure(summary, "Completed samples per second")

    def our_overhead_us(self, _number: int) -> float:
        """SingleStream of an engine that does nothing."""
        begun_s = time.perf_counter()
        run_single_stream(nothing, self.samples, first=0, count=QUERY_COUNT)
        return (time.perf_counter() - begun_s) / QUERY_COUNT * 1e6

    def their_overhead_us(self, _number: int) -> float:
        """SingleStream of an engine that does nothing."""
        summary = loadgen(nothing, self.samples, single_stream(0.9, QUERY_COUNT))
        return 1e6 / figure(summary, "QPS w/ loadgen overhead")


def nothing(_inputs: object) -> None:
    """An engine that does nothing."""


def rows(model: Path, rounds: int) -> Iterator[str]:
    """The tables, line by line."""
    contest = Contest(model)
    yield "| figure | ours | LoadGen | ratio | 95 % interval | rounds |"
    yield "|---|---|---|---|---|---|"
    yield in_turn("SingleStream p90, ms", 5 * rounds, contest.our_p90_ms, contest.their_p90_ms)
    title = f"Server, achieved per second at {contest.rate_hz:.0f}"
    yield in_turn(title, rounds, contest.our_rate, contest.their_rate)
    yield in_turn(
        "overhead per query, us", rounds, contest.our_overhead_us, contest.their_overhead_us
    )
    yield ""
    yield "| percentile | queries that early stopping needs: ours | LoadGen |"
    yield "|---|---|---|"
    for percent in (90.0, 99.0, 99.9):
        summary = loadgen(nothing, contest.samples, single_stream(percent / 100, 10))
        found = re.search(r"process at least (\d+) queries", summary)
        said = found[1] if found else "?"
        yield f"| p{percent:g} | {queries_needed_early_stopping(percent)} | {said} |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = convolutions(Path(folder) / "model.onnx", layer_count=60)
        for line in rows(model, options.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
