"""Models that others trained and exported, quantized as they come: ours beside ONNX Runtime's.

There are no labels: what counts is how much of the float model's answers is kept, by the measure
that ``edgeworthy optimize`` takes for such a model (agreement of the largest entry where the model
gives one vector per sample, else the cosine of the part of the outputs that is furthest off).

Needed: a folder with a folder per model, each with ``model.onnx``, ``calibration.npz`` and
``samples.npz`` (arrays by input, the samples along the first axis). Axes that a model leaves open
get the size of the samples, for every tool. ONNX Runtime's quantizer lives in an environment of its
own::

    python -m venv WORK/onnxruntime && WORK/onnxruntime/bin/pip install onnxruntime onnx sympy

Method: as ``optimization_peers.py``. What is done already is not done again: remove a line of
``WORK/others.jsonl`` to repeat it.

Usage::

    python benchmarks/models_of_others.py MODELS WORK [--model NAME ...] [--steps make time]
        [--seconds NUMBER]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from optimization_peers import append, make, read
from peers.judging import time_files
from peers.others_tables import others_tables
from peers.tasks import Arrays, Task

from edgeworthy.datasets import array_names, rows_of
from edgeworthy.errors import EdgeworthyError
from edgeworthy.evaluation import Predictions, predict
from edgeworthy.files import digest_file
from edgeworthy.runtimes import find_runtime, run_batched
from edgeworthy.workflow.search.all_outputs import SideBySide
from edgeworthy.workflow.search.bare_samples import labelled_batches
from edgeworthy.workflow.search.judging import judge
from edgeworthy.workflow.search.sources import BareSource, Bench, open_source

FLOAT = "float"
STEPS = ("make", "time")
TOOLS = (
    "edgeworthy cleaned",
    "edgeworthy static",
    "edgeworthy static, reduced range",
    "edgeworthy static, signed",
    "edgeworthy dynamic",
    "edgeworthy weights",
    "edgeworthy float16",
    "ONNX Runtime, u8s8",
    "ONNX Runtime, u8s8 reduced",
    "ONNX Runtime, dynamic",
)
#: Files that are timed beside float.
TIMED = ("edgeworthy cleaned", "edgeworthy static", "ONNX Runtime, u8s8")


def opened(folder: Path) -> Bench:
    """The model with the sizes of its samples, and how it is judged.

    A file ``vectors`` in the folder says that outputs are no scores of classes, whatever their
    declared shape.
    """
    source = BareSource(
        model=str(folder / "model.onnx"),
        data=str(folder / "samples.npz"),
        calibration=str(folder / "calibration.npz"),
        vectors=(folder / "vectors").exists(),
    )
    return open_source(source)


def task_of(folder: Path, bench: Bench, work: Path) -> Task:
    """What every tool gets: the model with fixed sizes, and the samples."""
    pinned = work / "files" / folder.name / "pinned.onnx"
    pinned.parent.mkdir(parents=True, exist_ok=True)
    pinned.write_bytes(bench.model.proto.SerializeToString())
    return Task(
        name=folder.name,
        model=pinned,
        calibration=arrays_of(folder / "calibration.npz"),
        evaluation=arrays_of(folder / "samples.npz"),
        right=lambda found, expected: found.argmax(axis=1) == expected.argmax(axis=1),
        measure=bench.judging.basis,
    )


def arrays_of(path: Path) -> Arrays:
    """Arrays of an npz file."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def said(path: Path, task: Task, samples: Path) -> Predictions:
    """What a file answers, one sample at a time, all outputs side by side."""
    rows = rows_of(samples, array_names(samples))
    with find_runtime("onnxruntime").load(path, threads=1) as session:
        if task.measure == "agreement-classes":
            run = partial(run_batched, session)
            return predict(run, labelled_batches(rows, None, 1), output="")
        beside = SideBySide(partial(run_batched, session))
        batches = labelled_batches(rows, None, 1)
        found = predict(beside, batches, output=SideBySide.name)
        return Predictions(found.outputs, found.labels, {}, beside.shapes)


def make_missing(folder: Path, tools: list[str], results: Path, work: Path) -> None:
    """Make and judge what is missing of one model."""
    found = {line["tool"] for line in read(results) if line["task"] == folder.name}
    missing = [name for name in (FLOAT, *tools) if name not in found]
    if not missing:
        return
    try:
        bench = opened(folder)
        task = task_of(folder, bench, work)
        expected = said(task.model, task, folder / "samples.npz")
    except EdgeworthyError as error:
        append(results, {"task": folder.name, "tool": FLOAT, "failure": str(error)})
        return
    for name in missing:
        line = {"path": str(task.model)} if name == FLOAT else make(task, name, work)
        if "path" in line:
            path = Path(line["path"])
            line |= {"bytes": path.stat().st_size, "digest": digest_file(path)}
            try:
                subject = expected if name == FLOAT else said(path, task, folder / "samples.npz")
                kept = judge(subject, expected, bench.judging, confidence=0.95)[0]
                line |= {"kept": [kept.low, kept.value, kept.high], "n": kept.n}
            except EdgeworthyError as error:
                line["failure"] = f"the file does not run: {error.problem[:160]}"
        append(results, {"task": task.name, "measure": task.measure, "tool": name, **line})


def time_missing(folder: Path, results: Path, work: Path) -> None:
    """Time what runs, in turns with float and float once more."""
    lines = [line for line in read(results) if line["task"] == folder.name]
    if any(line["tool"] == "timing" for line in lines):
        return
    files = {x["tool"]: Path(x["path"]) for x in lines if "kept" in x and x["tool"] in TIMED}
    if not files:
        return
    task = task_of(folder, opened(folder), work)
    timing = time_files({FLOAT: task.model, **files}, FLOAT, task.evaluation)
    line: dict[str, Any] = {"timing": timing, "load": os.getloadavg()[0]}
    append(results, {"task": folder.name, "tool": "timing", **line})


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description="Quantize models of others, ours and a peer.")
    parser.add_argument("models", type=Path, help="folder with a folder per model")
    parser.add_argument("work", type=Path, help="environment, files and results")
    parser.add_argument("--model", nargs="*", help="names of folders; left out, all")
    parser.add_argument("--tool", nargs="*", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin nothing after this")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    results = work / "others.jsonl"
    begun_s = time.monotonic()
    names = given.model or sorted(p.parent.name for p in given.models.glob("*/model.onnx"))
    for name in names:
        folder = given.models.resolve() / name
        if time.monotonic() - begun_s > given.seconds:
            break
        if "make" in given.steps:
            make_missing(folder, given.tool, results, work)
        if "time" in given.steps:
            time_missing(folder, results, work)
    print("\n".join(others_tables(read(results), TOOLS, TIMED)))


if __name__ == "__main__":
    main()
