"""What a cascade loses and how long it takes, beside float and the integers that answer first.

A cascade's time depends on the sample, so that latencies are compared by means over many samples,
of each sample's own median. Float, integers and cascades take turns in one family of processes, and
float runs once more in the same turns.

Needed: the models' folders, see ``peers/tasks.py``.

Usage::

    python benchmarks/cascades.py MODELS WORK [--task NAME ...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from peers.judging import answers, plans_of, score
from peers.tasks import Task, load_task

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.measurement import Measurement
from edgeworthy.files import digest_file
from edgeworthy.measurement import Circumstances, MeasurementSettings, measure
from edgeworthy.statistics.shares import share_interval

TASKS = (
    "kws-calibrated-on-first",
    "kws-calibrated-on-second",
    "fashion-depthwise",
    "fashion-transformer",
    "efficientnet-lite0",
    "efficientnet-lite0-large",
)
RECIPES = {
    "integers": "static",
    "cascade": "cascade",
    "integers, reduced range": "static-r7",
    "cascade, reduced range": "cascade-r7",
}
FLOAT, AGAIN = "float", "float once more"
TIMED_COUNT = 200
SETTINGS = MeasurementSettings(
    query_count=6 * TIMED_COUNT,
    budget_s=20.0,
    minimum_s=3.0,
    launches=6,
    warm_up_limit_s=0.3,
    percents=(50.0, 90.0),
)
CONFIDENCE = 0.95


def make(task: Task, folder: Path) -> dict[str, Path]:
    """The files of a task by name, made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = folder / "calibration.npz"
    np.savez(samples, allow_pickle=False, **task.calibration)
    tool = Path(__file__).parent / "peers" / "tool_edgeworthy.py"
    files = {FLOAT: task.model}
    for name, recipe in RECIPES.items():
        files[name] = folder / f"{recipe}.onnx"
        command = [sys.executable, tool, task.model, samples, files[name], recipe]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return files


def asked_share(cascade: NDArray[Any], integers: NDArray[Any]) -> str:
    """Of how many samples float gave the answer, with its interval, in per cent."""
    asked = int((cascade != integers).any(axis=1).sum())
    found = share_interval(asked, len(cascade), confidence=CONFIDENCE)
    return f"{100 * found.value:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def timed(task: Task, files: dict[str, Path]) -> dict[str, Measurement]:
    """Latencies of all files on evenly spread samples."""
    count = len(next(iter(task.evaluation.values())))
    places = np.linspace(0, count - 1, min(TIMED_COUNT, count)).astype(int)
    samples = [{key: v[n : n + 1] for key, v in task.evaluation.items()} for n in places]
    host = host_fingerprint(runtime_versions=[f"onnxruntime {onnxruntime.__version__}"])
    plans = plans_of({**files, AGAIN: files[FLOAT]}, FLOAT)
    circumstances = Circumstances(host=host, clock=lambda: datetime.now(UTC))
    found = measure(plans, SETTINGS, circumstances, inputs=samples)
    return {each.variant: each for each in found}


def row(name: str, cells: dict[str, Any], asked: str, time: Measurement, digest: str) -> str:
    """A line of the table."""
    low, value, high = (100 * each for each in cells["drop"])
    ratio = time.against_original.ratio if time.against_original else None
    by_percent = {each.percent: each.latency_ms for each in time.percentiles}
    median, slow = (by_percent[percent] for percent in SETTINGS.percents)
    return (
        f"| {name} | {cells['agreement']:.4f} | {value:.2f} ({low:.2f} to {high:.2f}) | {asked} | "
        + (f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})" if ratio else "1")
        + f" | {median.value if median else 0:.3f} | {slow.value if slow else 0:.3f} | "
        f"{time.size_kib.value / 1024:.1f} | {digest} |"
    )


def main() -> None:
    """Print a table per task."""
    parser = argparse.ArgumentParser(description="Cascades beside float and integers.")
    parser.add_argument("models", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--task", action="append", choices=TASKS)
    asked = parser.parse_args()
    for name in asked.task or TASKS:
        task = load_task(asked.models, name)
        files = make(task, asked.work / name)
        found = {each: answers(path, task.evaluation) for each, path in files.items()}
        times = timed(task, files)
        print(f"\n{name}: {task.measure}, n = {len(found[FLOAT])}\n")
        print(
            "| file | agrees with float | points lost (95 %) | asks float, % | mean time / float "
            "(95 %) | p50 ms | p90 ms | MiB | digest |\n|---|---|---|---|---|---|---|---|---|"
        )
        for each, path in files.items():
            cells = score(task, found[each], found[FLOAT])
            first = each.replace("cascade", "integers")
            share = asked_share(found[each], found[first]) if first != each else ""
            digest = digest_file(path).removeprefix("sha256:")[:12]
            print(row(each, cells, share, times[each], digest), flush=True)
        again = times[AGAIN].against_original
        if again:
            low, value, high = again.ratio.low, again.ratio.value, again.ratio.high
            print(f"| {AGAIN} | | | | {value:.3f} ({low:.3f} to {high:.3f}) | | | | |", flush=True)


if __name__ == "__main__":
    main()
