"""Our SingleStream and Server against MLPerf LoadGen's, on the same model, session and process.

Method: one ONNX Runtime session of 60 convolutions (about 0.3 ms). Rounds alternate between our
load generator and LoadGen's Python binding, in an order drawn for each round; both call the same
function. Each figure is the median over the rounds of the ratio ours / LoadGen's, with its
signed-rank interval. Server runs at half of the capacity. Overhead is that of an engine that does
nothing. LoadGen says of itself how many queries its early stopping needs.

Needs ``pip install mlcommons-loadgen``, which is no dependency of ours.

Command (about three minutes)::

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
QUERY_COUNT = 3000
SERVER_QUERY_COUNT = 2000
NANOSECONDS = 1_000_000_000


def loadgen(run: Run, samples: list[Any], configure: Callable[[Any], None]) -> tuple[str, float]:
    """One run of LoadGen: its summary, and the seconds that it took."""

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
        begun_s = time.perf_counter()
        lg.StartTestWithLogSettings(sut, library, settings, log)
        elapsed_s = time.perf_counter() - begun_s
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text(encoding="utf-8")
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
    return summary, elapsed_s


def single_stream(percentile: float, count: int) -> Callable[[Any], None]:
    """LoadGen's settings for SingleStream."""

    def configure(settings: Any) -> None:  # noqa: ANN401 - untyped library
        settings.scenario = lg.TestScenario.SingleStream
        settings.single_stream_expected_latency_ns = 100_000
        settings.single_stream_target_latency_percentile = percentile
        settings.min_query_count = settings.max_query_count = count

    return configure


def server(rate_hz: float, count: int) -> Callable[[Any], None]:
    """LoadGen's settings for Server."""

    def configure(settings: Any) -> None:  # noqa: ANN401 - untyped library
        settings.scenario = lg.TestScenario.Server
        settings.server_target_qps = rate_hz
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
    rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> RatioComparison:
    """Pairs in random order, and their ratio."""
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
    print_ratio.values = (float(np.median(own)), float(np.median(other)))  # type: ignore[attr-defined]
    return compared


def print_ratio(title: str, unit: str, scale: float, compared: RatioComparison) -> str:
    """A line of the table."""
    own, other = print_ratio.values  # type: ignore[attr-defined]
    ratio = compared.ratio
    return (
        f"| {title} | {own * scale:.4g} {unit} | {other * scale:.4g} {unit} | "
        f"{ratio.value:.4f} | {ratio.low:.4f} to {ratio.high:.4f} | {ratio.n} |"
    )


def rows(model: Path, rounds: int) -> Iterator[str]:
    """The table, line by line."""
    session = find_runtime("onnxruntime").load(model)
    generator = np.random.default_rng(0)
    samples = [
        random_inputs(session.signature, batch=1, generator=generator) for _ in range(SAMPLE_COUNT)
    ]
    run = session.run
    run_single_stream(run, samples, first=0, count=QUERY_COUNT)

    def our_p90(number: int) -> float:
        with garbage_collection_paused():
            found = run_single_stream(run, samples, first=number, count=QUERY_COUNT)
        return float(np.quantile(found, 0.9, method="inverted_cdf"))

    def their_p90(_: int) -> float:
        with garbage_collection_paused():
            summary, _elapsed_s = loadgen(run, samples, single_stream(0.9, QUERY_COUNT))
        return figure(summary, "90.00 percentile latency (ns)")

    yield "| figure | ours | LoadGen | ratio | 95 % interval | rounds |"
    yield "|---|---|---|---|---|---|"
    yield print_ratio("SingleStream p90", "ms", 1e-6, in_turn(rounds, our_p90, their_p90))
    rate_hz = 0.5 * NANOSECONDS / float(np.median([our_p90(0) for _ in range(3)]))

    def our_rate(number: int) -> float:
        due_ns = poisson_arrivals_ns(rate_hz, SERVER_QUERY_COUNT, seed=number).tolist()
        arrivals = Arrivals(due_ns=due_ns, bound_ns=NANOSECONDS, over_allowed=SERVER_QUERY_COUNT)
        with garbage_collection_paused():
            found = run_server(run, samples, arrivals)
        return len(found.latencies_ns) * NANOSECONDS / found.elapsed_ns

    def their_rate(number: int) -> float:
        def configure(settings: Any) -> None:  # noqa: ANN401 - untyped library
            server(rate_hz, SERVER_QUERY_COUNT)(settings)
            settings.schedule_rng_seed = number + 1

        with garbage_collection_paused():
            summary, _elapsed_s = loadgen(run, samples, configure)
        return figure(summary, "Completed samples per second")

    compared = in_turn(rounds, our_rate, their_rate)
    yield print_ratio(f"Server, achieved at {rate_hz:.0f}/s", "/s", 1.0, compared)

    def nothing(_inputs: object) -> None:
        return None

    def our_overhead(_: int) -> float:
        begun_s = time.perf_counter()
        run_single_stream(nothing, samples, first=0, count=QUERY_COUNT)
        return (time.perf_counter() - begun_s) / QUERY_COUNT

    def their_overhead(_: int) -> float:
        summary, _elapsed_s = loadgen(nothing, samples, single_stream(0.9, QUERY_COUNT))
        return 1 / figure(summary, "QPS w/ loadgen overhead")

    yield print_ratio(
        "overhead per query", "us", 1e6, in_turn(rounds, our_overhead, their_overhead)
    )
    yield ""
    yield "| percentile | queries that early stopping needs: ours | LoadGen |"
    yield "|---|---|---|"
    for percent in (90.0, 99.0, 99.9):
        summary, _elapsed_s = loadgen(nothing, samples, single_stream(percent / 100, 10))
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
