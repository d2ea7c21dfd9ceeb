"""Our SingleStream and Server against MLPerf LoadGen's, on the same model, session and process.

Method: models of convolutions of about 0.3, 1 and 5 ms, one ONNX Runtime session each. Rounds
alternate between our load generator and LoadGen's Python binding, in an order drawn for each
round; both call the same function. Each figure is the median over the rounds of the ratio ours /
LoadGen's, with its signed-rank interval, so that the two of a pair met the same disturbances.


- *as reported*: p90 that each load generator gives. LoadGen's latency runs from before its call
  into Python to after the answer came back, so it holds the work of its binding.
- *same boundary*: p90 of a stopwatch around the engine's call in both, so that what is left is what
  a load generator does to the engine: caches, threads of its own.
- Server: LoadGen draws its arrivals from ``std::mt19937`` and ``std::exponential_distribution``
  with a seed; ours come from the same seed by the same arithmetic, so both meet the same queries.
  It runs at 15 % of the capacity, so low that the load of others makes no queue that never empties.
- Overhead is that of an engine that does nothing. LoadGen says of itself how many queries its early
  stopping needs.

Needs ``pip install mlcommons-loadgen``, which is no dependency of ours.

Command (the budget is the whole time; 7 minutes unless told)::

    python benchmarks/measure_loadgen.py --budget-s 420
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlperf_loadgen as lg  # type: ignore[import-not-found,unused-ignore]  # see above
import numpy as np
from measure_comparison import convolutions

from edgeworthy.measurement.load import Arrivals, run_server
from edgeworthy.measurement.scenario import garbage_collection_paused, run_single_stream
from edgeworthy.runtimes import find_runtime, random_inputs
from edgeworthy.statistics.order_statistics import queries_needed_early_stopping
from edgeworthy.statistics.paired_ratio import RatioComparison, paired_ratio

Run = Callable[[Any], Any]
SAMPLE_COUNT = 8
#: Target latencies of the models and queries of a run: short runs, so that the two of a pair meet
#: the same disturbances.
SIZES = ((0.3, 601), (1.0, 401), (5.0, 101))
SERVER_QUERY_COUNT = 500
SERVER_LOAD = 0.15
FEWEST_ROUNDS = 6
#: Shares of the budget: three models, Server, overhead.
SHARES = (0.22, 0.2, 0.28, 0.22, 0.03)
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


def loadgen_arrivals_ns(rate_hz: float, count: int, *, seed: int) -> list[int]:
    """LoadGen's arrivals: ``exponential_distribution`` on ``mt19937``, as libstdc++ computes them.

    Two draws of 32 bits make a number in [0, 1); a gap is ``-log(1 - u) / rate`` in nanoseconds.
    """
    raw = np.random.RandomState(seed)._bit_generator.random_raw(2 * count)  # noqa: SLF001
    draws = raw.astype(np.float64)
    uniform = (draws[0::2] + draws[1::2] * 2.0**32) / 2.0**64
    gaps_ns = (-np.log1p(-uniform) / rate_hz * NANOSECONDS).astype(np.int64)
    arrivals: list[int] = np.cumsum(gaps_ns).tolist()
    return arrivals


def in_turn(
    budget_s: float,
    ours: Callable[[int], tuple[float, ...]],
    theirs: Callable[[int], tuple[float, ...]],
) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Pairs in random order, until the time is over."""
    generator = np.random.default_rng(0)
    end_s = time.monotonic() + budget_s
    pairs: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    while len(pairs) < FEWEST_ROUNDS or time.monotonic() < end_s:
        found = {}
        for name in generator.permutation(["ours", "theirs"]).tolist():
            found[name] = (ours if name == "ours" else theirs)(len(pairs))
        pairs.append((found["ours"], found["theirs"]))
    return pairs


def line(
    title: str, pairs: list[tuple[tuple[float, ...], tuple[float, ...]]], position: int = 0
) -> str:
    """A line of the table."""
    own, other = (
        np.array([each[side][position] for each in pairs], dtype=np.float64) for side in (0, 1)
    )
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

    def __init__(self, model: Path, query_count: int) -> None:
        session = find_runtime("onnxruntime").load(model)
        generator = np.random.default_rng(0)
        self.run: Run = session.run
        self.query_count = query_count
        self.samples: list[Any] = [
            random_inputs(session.signature, batch=1, generator=generator)
            for _ in range(SAMPLE_COUNT)
        ]
        # The fastest of some short runs: a loud machine makes a model no larger.
        few = [run_single_stream(self.run, self.samples, first=0, count=20) for _ in range(10)]
        self.latency_ms = min(float(np.median(each)) for each in few) / NS_PER_MS
        self.rate_hz = SERVER_LOAD * 1000 / self.latency_ms

    def our_p90_ms(self, number: int) -> tuple[float, float]:
        """SingleStream: as reported, which is the engine's call."""
        with garbage_collection_paused():
            found = run_single_stream(self.run, self.samples, first=number, count=self.query_count)
        return (p90_ms(found),) * 2

    def their_p90_ms(self, _number: int) -> tuple[float, float]:
        """SingleStream: as reported, and of the engine's call inside of it."""
        found_ns: list[int] = []
        run, clock = self.run, time.perf_counter_ns

        def timed(inputs: Any) -> None:  # noqa: ANN401 - tensors of any model
            start = clock()
            outputs = run(inputs)
            found_ns.append(clock() - start)
            del outputs

        with garbage_collection_paused():
            summary = loadgen(timed, self.samples, single_stream(0.9, self.query_count))
        return figure(summary, "90.00 percentile latency (ns)") / NS_PER_MS, p90_ms(found_ns)

    def our_rate(self, number: int) -> tuple[float]:
        """Server, per second."""
        count = SERVER_QUERY_COUNT
        due_ns = loadgen_arrivals_ns(self.rate_hz, count, seed=number + 1)
        arrivals = Arrivals(due_ns=due_ns, bound_ns=NANOSECONDS, over_allowed=count)
        with garbage_collection_paused():
            found = run_server(self.run, self.samples, arrivals)
        return (count * NANOSECONDS / found.elapsed_ns,)

    def their_rate(self, number: int) -> tuple[float]:
        """Server, per second."""
        with garbage_collection_paused():
            summary = loadgen(
                self.run, self.samples, server(self.rate_hz, SERVER_QUERY_COUNT, seed=number + 1)
            )
        return (figure(summary, "Completed samples per second"),)

    def our_overhead_us(self, _number: int) -> tuple[float]:
        """SingleStream of an engine that does nothing."""
        begun_s = time.perf_counter()
        run_single_stream(nothing, self.samples, first=0, count=self.query_count)
        return ((time.perf_counter() - begun_s) / self.query_count * 1e6,)

    def their_overhead_us(self, _number: int) -> tuple[float]:
        """SingleStream of an engine that does nothing."""
        summary = loadgen(nothing, self.samples, single_stream(0.9, self.query_count))
        return (1e6 / figure(summary, "QPS w/ loadgen overhead"),)


def p90_ms(latencies_ns: list[int]) -> float:
    """The percentile as LoadGen takes it: nearest rank."""
    return float(np.quantile(latencies_ns, 0.9, method="inverted_cdf")) / NS_PER_MS


def nothing(_inputs: object) -> None:
    """An engine that does nothing."""


def contests(folder: Path) -> Iterator[Contest]:
    """One for each size of model, as long as it takes on this machine."""
    first = Contest(convolutions(folder / "first.onnx", layer_count=60), 200)
    for number, (target_ms, query_count) in enumerate(SIZES):
        layers = max(1, round(60 * target_ms / first.latency_ms))
        yield Contest(convolutions(folder / f"model{number}.onnx", layer_count=layers), query_count)


def rows(folder: Path, budget_s: float) -> Iterator[str]:
    """The tables, line by line."""
    own = list(contests(folder))
    yield "| figure | ours | LoadGen | ratio | 95 % interval | rounds |"
    yield "|---|---|---|---|---|---|"
    for contest, share in zip(own, SHARES, strict=False):
        pairs = in_turn(budget_s * share, contest.our_p90_ms, contest.their_p90_ms)
        title = f"SingleStream p90 of a model of {contest.latency_ms:.2g} ms, ms"
        yield line(f"{title}, as reported", pairs)
        yield line(f"{title}, same boundary", pairs, 1)
    server_share, overhead_share = SHARES[len(own) :]
    pairs = in_turn(budget_s * server_share, own[0].our_rate, own[0].their_rate)
    yield line(f"Server, achieved per second at {own[0].rate_hz:.0f}", pairs)
    pairs = in_turn(budget_s * overhead_share, own[0].our_overhead_us, own[0].their_overhead_us)
    yield line("overhead per query, us", pairs)
    yield ""
    yield "| percentile | queries that early stopping needs: ours | LoadGen |"
    yield "|---|---|---|"
    for percent in (90.0, 99.0, 99.9):
        summary = loadgen(nothing, own[0].samples, single_stream(percent / 100, 10))
        found = re.search(r"process at least (\d+) queries", summary)
        said = found[1] if found else "?"
        yield f"| p{percent:g} | {queries_needed_early_stopping(percent)} | {said} |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget-s", type=float, default=420.0)
    options = parser.parse_args()
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as folder:
        for text in rows(Path(folder), options.budget_s):
            print(text, flush=True)
            loads.append(os.getloadavg()[0])
    print(f"\nLoad average on {os.cpu_count()} cores: {min(loads):.1f} to {max(loads):.1f}.")


if __name__ == "__main__":
    main()
