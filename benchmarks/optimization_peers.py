"""Our quantizer beside its peers: loss, latency, size and time of the tool, on the same samples.

Both classes of x86 are shown: what ONNX Runtime gives on the CPU that runs this (``this CPU``), and
what our exact emulation says of the class without VNNI, where sums of bytes saturate.

Needed: a folder with a folder per model (``peers/tasks.py`` says which; the scripts under
``examples/`` make them, MLPerf Tiny's keyword spotter is not part of this tree), and one Python
environment per peer under the work folder::

    python -m venv WORK/onnxruntime && WORK/onnxruntime/bin/pip install onnxruntime onnx sympy
    python -m venv WORK/nncf && WORK/nncf/bin/pip install nncf onnx onnxruntime
    python -m venv WORK/quark && WORK/quark/bin/pip install amd-quark torch onnx onnxruntime
    python -m venv WORK/aimet && WORK/aimet/bin/pip install aimet-onnx torch

Method: every tool gets the same calibration samples and one thread, in a process of its own; its
time is that process's processor time from reading the samples to the written file. All files are
judged on the same other samples by ONNX Runtime, one sample at a time, and timed in turns, a few
at once and ours among them each time. What is done already is not done again: remove a line of
``WORK/results.jsonl`` to repeat it. Making files bears other work on the machine, timing does not:
``--steps`` does one without the other, and ``--seconds`` begins nothing new after a while.

Usage::

    python benchmarks/optimization_peers.py MODELS WORK [--task NAME ...] [--tool NAME ...]
        [--steps make emulate time] [--seconds NUMBER] [--emulated COUNT]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from peers.judging import answers, emulated, score, time_files
from peers.tables import FLOAT, OURS, tables, timings
from peers.tasks import MAKERS, Task, load_task

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.device import InstructionSet
from edgeworthy.errors import EdgeworthyError
from edgeworthy.files import digest_file

HERE = Path(__file__).parent / "peers"
OURS_REDUCED = "edgeworthy static, reduced range"
#: Script, environment and setting by the name in the table; ``transformer`` where only those.
TOOLS: dict[str, tuple[str, str]] = {
    OURS: ("edgeworthy", "static"),
    OURS_REDUCED: ("edgeworthy", "static-r7"),
    "edgeworthy dynamic": ("edgeworthy", "dynamic"),
    "edgeworthy dynamic, reduced range": ("edgeworthy", "dynamic-r7"),
    "edgeworthy cascade": ("edgeworthy", "cascade"),
    "edgeworthy cascade, reduced range": ("edgeworthy", "cascade-r7"),
    "edgeworthy static, signed": ("edgeworthy", "signed"),
    "edgeworthy cleaned": ("edgeworthy", "cleaned"),
    "edgeworthy weights": ("edgeworthy", "weights"),
    "edgeworthy float16": ("edgeworthy", "float16"),
    "ONNX Runtime, defaults": ("onnxruntime", "defaults"),
    "ONNX Runtime, u8s8": ("onnxruntime", "u8s8"),
    "ONNX Runtime, u8s8 reduced": ("onnxruntime", "u8s8-r7"),
    "ONNX Runtime, u8s8 reduced, percentile": ("onnxruntime", "u8s8-r7-percentile"),
    "ONNX Runtime, u8u8": ("onnxruntime", "u8u8"),
    "ONNX Runtime, dynamic": ("onnxruntime", "dynamic"),
    "ONNX Runtime, dynamic reduced": ("onnxruntime", "dynamic-r7"),
    "NNCF": ("nncf", "default"),
    "NNCF, transformer": ("nncf", "transformer"),
    "Quark, U8S8_AAWS": ("quark", "U8S8_AAWS"),
    "Quark, S8S8_AAWS": ("quark", "S8S8_AAWS"),
    "AIMET, min-max": ("aimet", "min_max"),
}
TRANSFORMERS_ONLY = tuple(name for name in TOOLS if "dynamic" in name or "transformer" in name)
#: Asked for by name alone.
_BY_NAME = (
    "edgeworthy cascade",
    "edgeworthy cascade, reduced range",
    "edgeworthy static, signed",
    "edgeworthy cleaned",
    "edgeworthy weights",
    "edgeworthy float16",
)
USUAL = tuple(name for name in TOOLS if name not in _BY_NAME)
TOOL_TIMEOUT_S = 1200.0
STEPS = ("make", "emulate", "time")
#: Files that are timed together beside ours.
TIMED_TOGETHER = 4
WITHOUT_VNNI: InstructionSet = "x86-avx2"


def make(task: Task, name: str, work: Path) -> dict[str, Any]:
    """Let one tool make its file; what went wrong is a result as well."""
    script, setting = TOOLS[name]
    folder = work / "files" / task.name
    folder.mkdir(parents=True, exist_ok=True)
    samples, output = folder / "calibration.npz", folder / f"{name.replace(' ', '-')}.onnx"
    np.savez(samples, allow_pickle=False, **task.calibration)
    python = sys.executable if script == "edgeworthy" else str(work / script / "bin" / "python")
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [python, str(HERE / f"tool_{script}.py"), str(task.model), str(samples), str(output)]
    try:
        done = subprocess.run(
            [*command, setting],
            env={**os.environ, **limits},
            capture_output=True,
            text=True,
            timeout=TOOL_TIMEOUT_S,
            check=False,
            cwd=folder,
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"not done within {TOOL_TIMEOUT_S:.0f} s"}
    if done.returncode or not output.exists():
        lines = (done.stderr.strip() or done.stdout.strip() or "no file").splitlines()
        return {"failure": lines[-1][:200]}
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return {**told, "path": str(output)}


def make_missing(task: Task, names: list[str], results: Path, work: Path) -> None:
    """Make and judge what is missing of one task."""
    found = lines_of(task, results)
    expected = answers(task.model, task.evaluation)
    for name in [FLOAT, *names]:
        if name in found:
            continue
        line = {"path": str(task.model)} if name == FLOAT else make(task, name, work)
        if "path" in line:
            path = Path(line["path"])
            line |= {"bytes": size_of(path), "digest": digest_file(path)}
            try:
                line |= score(task, answers(path, task.evaluation), expected)
            except Exception as error:  # noqa: BLE001 - whatever a foreign file does is a result
                line["failure"] = f"the file does not run: {str(error).splitlines()[0][:160]}"
        append(results, {"task": task.name, "measure": task.measure, "tool": name, **line})


def size_of(path: Path) -> int:
    """Bytes of a model and of the weights beside it."""
    beside = path.with_name(f"{path.name}.data")
    return path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)


def emulate_missing(task: Task, results: Path, count: int) -> None:
    """Foretell what CPUs without VNNI make of each integer file."""
    done = {line["of"] for line in read(results) if line["tool"] == "emulation"}
    inputs = {key: values[:count] for key, values in task.evaluation.items()}
    expected = answers(task.model, inputs)
    for name, line in lines_of(task, results).items():
        key = f"{task.name}/{name}"
        if "right" not in line or name == FLOAT or key in done:
            continue
        try:
            found = emulated(Path(line["path"]).read_bytes(), WITHOUT_VNNI, inputs)
            told = score(task, found, expected)
        except EdgeworthyError as error:
            told = {"failure": error.problem}
        append(results, {"task": task.name, "tool": "emulation", "of": key, "emulated": told})


def time_missing(task: Task, results: Path, begun_s: float, seconds: float) -> None:
    """Time what is not timed yet, a few files at once and ours each time."""
    files = {n: Path(f["path"]) for n, f in lines_of(task, results).items() if "right" in f}
    done = {n for turn in timings(read(results), task.name) for n in turn}
    missing = [name for name in files if name not in done and name != OURS]
    for first in range(0, len(missing), TIMED_TOGETHER):
        if time.monotonic() - begun_s > seconds:
            return
        some = {name: files[name] for name in (OURS, *missing[first : first + TIMED_TOGETHER])}
        timing = time_files(some, OURS, task.evaluation)
        line = {"timing": timing, "load": os.getloadavg()[0]}
        append(results, {"task": task.name, "tool": "timing", **line})


def lines_of(task: Task, results: Path) -> dict[str, dict[str, Any]]:
    """What was made for a task, by tool."""
    lines = [line for line in read(results) if line["task"] == task.name]
    return {line["tool"]: line for line in lines if line["tool"] not in ("timing", "emulation")}


def append(results: Path, line: dict[str, Any]) -> None:
    """Add a line, at once."""
    with results.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def read(results: Path) -> list[dict[str, Any]]:
    """What was found so far."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Run what is missing, then print all tables."""
    parser = argparse.ArgumentParser(description="Compare our quantizer with its peers.")
    parser.add_argument("models", type=Path, help="folder with a folder per model")
    parser.add_argument("work", type=Path, help="environments, files and results")
    parser.add_argument("--task", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--tool", nargs="*", default=list(USUAL), choices=list(TOOLS))
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin nothing after this")
    parser.add_argument("--emulated", type=int, default=200, help="samples that are emulated")
    given = parser.parse_args()
    work = given.work.resolve()  # tools run in folders of their own
    work.mkdir(parents=True, exist_ok=True)
    results = work / "results.jsonl"
    begun_s = time.monotonic()
    for name in given.task:
        task = load_task(given.models.resolve(), name)
        wanted = [t for t in given.tool if task.transformer or t not in TRANSFORMERS_ONLY]
        if "make" in given.steps:
            make_missing(task, wanted, results, work)
        if "emulate" in given.steps:
            emulate_missing(task, results, given.emulated)
        if "time" in given.steps:
            time_missing(task, results, begun_s, given.seconds)
    print("\n".join(tables(read(results))))
    versions = {line["version"] for line in read(results) if "version" in line}
    this_class = host_fingerprint(runtime_versions=()).instruction_set
    print(f"Versions: {', '.join(sorted(versions))}. Class of this CPU: {this_class}.")


if __name__ == "__main__":
    main()
