"""Our quantizer beside its peers: loss, latency, size and time of the tool, on the same samples.

Needed: a folder with a folder per model (``peers/tasks.py`` says which; the scripts under
``examples/`` make them, MLPerf Tiny's keyword spotter is not part of this tree), and one Python
environment per peer under the work folder::

    python -m venv WORK/onnxruntime && WORK/onnxruntime/bin/pip install onnxruntime onnx sympy
    python -m venv WORK/nncf && WORK/nncf/bin/pip install nncf onnx onnxruntime
    python -m venv WORK/quark && WORK/quark/bin/pip install amd-quark torch onnx onnxruntime
    python -m venv WORK/aimet && WORK/aimet/bin/pip install aimet-onnx torch

Method: every tool gets the same calibration samples and one thread, in a process of its own; its
time is that process's processor time from reading the samples to the written file. All files are
judged on the same other samples by ONNX Runtime, one sample at a time, and timed in turns. What is
done already is not done again: remove a line of ``WORK/results.jsonl`` to repeat it.

Usage::

    python benchmarks/optimization_peers.py MODELS WORK [--task NAME ...] [--tool NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from peers.judging import AGAIN, answers, score, time_files
from peers.tasks import MAKERS, Task, load_task

from edgeworthy.files import digest_file

HERE = Path(__file__).parent / "peers"
FLOAT, OURS = "float", "edgeworthy static"
#: Script, environment and setting by the name in the table; ``transformer`` where only those.
TOOLS: dict[str, tuple[str, str]] = {
    OURS: ("edgeworthy", "static"),
    "edgeworthy dynamic": ("edgeworthy", "dynamic"),
    "ONNX Runtime, defaults": ("onnxruntime", "defaults"),
    "ONNX Runtime, u8s8 reduced": ("onnxruntime", "u8s8-r7"),
    "ONNX Runtime, u8s8 reduced, percentile": ("onnxruntime", "u8s8-r7-percentile"),
    "ONNX Runtime, u8u8": ("onnxruntime", "u8u8"),
    "ONNX Runtime, dynamic reduced": ("onnxruntime", "dynamic-r7"),
    "NNCF": ("nncf", "default"),
    "NNCF, transformer": ("nncf", "transformer"),
    "Quark, U8S8_AAWS": ("quark", "U8S8_AAWS"),
    "Quark, S8S8_AAWS": ("quark", "S8S8_AAWS"),
    "AIMET, min-max": ("aimet", "min_max"),
}
TRANSFORMERS_ONLY = ("edgeworthy dynamic", "ONNX Runtime, dynamic reduced", "NNCF, transformer")
TOOL_TIMEOUT_S = 1200.0


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


def run(task: Task, names: list[str], work: Path, results: Path) -> None:
    """Make, judge and time what is missing of one task."""
    found = {line["tool"]: line for line in read(results) if line["task"] == task.name}
    expected = answers(task.model, task.evaluation)
    for name in [FLOAT, *names]:
        if name in found:
            continue
        line = {"path": str(task.model)} if name == FLOAT else make(task, name, work)
        if "path" in line:
            path = Path(line["path"])
            line |= {"bytes": path.stat().st_size, "digest": digest_file(path)}
            try:
                line |= score(task, answers(path, task.evaluation), expected)
            except Exception as error:  # noqa: BLE001 - whatever a foreign file does is a result
                line["failure"] = f"the file does not run: {str(error).splitlines()[0][:160]}"
        found[name] = {"task": task.name, "measure": task.measure, "tool": name, **line}
        append(results, found[name])
    if "timing" not in found:
        files = {n: Path(f["path"]) for n, f in found.items() if "right" in f}
        timing = time_files(files, OURS, task.evaluation)
        append(results, {"task": task.name, "tool": "timing", "timing": timing})


def append(results: Path, line: dict[str, Any]) -> None:
    """Add a line, at once."""
    with results.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def read(results: Path) -> list[dict[str, Any]]:
    """What was found so far."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def tables(found: list[dict[str, Any]]) -> Iterator[str]:
    """A table per task."""
    for name in dict.fromkeys(line["task"] for line in found):
        lines = {line["tool"]: line for line in found if line["task"] == name}
        timing = lines.pop("timing", {}).get("timing", {})
        first = next(iter(lines.values()))
        yield f"### {name}: {first['measure']}, n = {first.get('n', 0)}"
        yield ""
        yield (
            "| file | right | points lost (95 %) | mean cosine | latency / ours (95 %) | ms "
            "| size / float | tool s | digest |"
        )
        yield "|---|---|---|---|---|---|---|---|---|"
        size = lines[FLOAT]["bytes"]
        yield from (row(line, timing.get(line["tool"], {}), size) for line in lines.values())
        again = timing.get(AGAIN)
        if again:
            yield f"| our file once more | | | | {interval(again['ratio'])} | {ms(again)} | | | |"
        yield ""


def row(line: dict[str, Any], timing: dict[str, Any], float_bytes: int) -> str:
    """One file."""
    if "right" not in line:
        return f"| {line['tool']} | {line['failure']} | | | | | | | |"
    seconds = f"{line['seconds']:.1f}" if "seconds" in line else ""
    cells = (
        line["tool"],
        f"{line['right']:.4f}",
        interval(line["drop"], scale=100.0, digits=2) if line["tool"] != FLOAT else "",
        f"{line['cosine']:.5f}",
        interval(timing["ratio"]) if timing.get("ratio") else "1",
        ms(timing) if timing else "",
        f"{line['bytes'] / float_bytes:.2f}",
        seconds,
        line["digest"].removeprefix("sha256:")[:12],
    )
    return f"| {' | '.join(cells)} |"


def interval(values: list[float], *, scale: float = 1.0, digits: int = 3) -> str:
    """A value with its interval."""
    low, value, high = (each * scale for each in values)
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ms(timing: dict[str, Any]) -> str:
    """Median latency."""
    return f"{timing['median_ms']:.3f}"


def main() -> None:
    """Run what is missing, then print all tables."""
    parser = argparse.ArgumentParser(description="Compare our quantizer with its peers.")
    parser.add_argument("models", type=Path, help="folder with a folder per model")
    parser.add_argument("work", type=Path, help="environments, files and results")
    parser.add_argument("--task", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--tool", nargs="*", default=list(TOOLS), choices=list(TOOLS))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    results = given.work / "results.jsonl"
    for name in given.task:
        task = load_task(given.models, name)
        wanted = [t for t in given.tool if task.transformer or t not in TRANSFORMERS_ONLY]
        run(task, wanted, given.work, results)
    print("\n".join(tables(read(results))))
    versions = {line["version"] for line in read(results) if "version" in line}
    print(f"Versions: {', '.join(sorted(versions))}. Load average now: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
