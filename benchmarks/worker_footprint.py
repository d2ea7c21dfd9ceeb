"""What a model's worker weighs on a device, with MLPerf Tiny's keyword spotter.

Method: a worker is started anew as often as asked. Each start is timed from the creation of the
process to the first answer over its Unix socket: load, self-test with 16 golden samples, first
inference. PSS is Linux's own (``/proc/PID/smaps_rollup``): pages that processes share are divided
among them, so a second Python on the device makes the first cheaper; the private part is printed
too. Idle CPU is the processor time of a worker that serves and is asked nothing, heartbeats once a
second included. The model's file is not part of this tree; the folder that holds ``kws_fp32.onnx``
is the argument (see ``examples/keyword_spotting/README.md``).

Command (about two minutes)::

    PYTHONPATH=tests python benchmarks/worker_footprint.py FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

from agent.worker.clients import UnixConnection
from agent.worker.releases import bounds_here, release_of
from agent.worker.supervising import WorkerProcess, listen_on_path
from edgeworthy.runtimes import find_runtime

_MIB = 1 << 20
_KIB = 1 << 10
GOLDEN_COUNT = 16


def write_release(model: Path, folder: Path) -> Path:
    """A release of the keyword spotter whose golden outputs are this machine's."""
    samples = np.random.default_rng(0).standard_normal((GOLDEN_COUNT, 49, 10, 1))
    with find_runtime("onnxruntime").load(model) as session:
        (tensor,) = session.signature.inputs
        inputs = {tensor.name: samples.astype(np.float32)}
        made = release_of(model.read_bytes(), inputs, session.run, name="kws")
    golden = msgspec.structs.replace(made.manifest.golden, tolerance=0.02, bounds=(bounds_here(),))
    made.manifest = msgspec.structs.replace(made.manifest, golden=golden)
    return made.write(folder)


def memory_mib(process_id: int) -> tuple[float, float]:
    """PSS and private memory."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.strip().endswith("kB"):
            fields[name] = int(rest.split()[0])
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return fields["Pss"] / _KIB, private / _KIB


def cpu_seconds(process_id: int) -> float:
    """Processor time so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(path: Path) -> None:
    """One inference."""
    tensor = {"name": "input", "shape": [1, 49, 10, 1], "datatype": "FP32", "data": [0.5] * 490}
    client = UnixConnection(str(path))
    client.request("POST", "/v2/models/kws/infer", json.dumps({"inputs": [tensor]}))
    response = client.getresponse()
    data = response.read()
    client.close()
    if b'"outputs"' not in data:
        sys.exit(f"refused: {data[:300]!r}")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--starts", type=int, default=11)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    options = parser.parse_args()
    model = options.folder / "kws_fp32.onnx"
    starts, pss, private, idle = [], [], [], 0.0
    with tempfile.TemporaryDirectory() as name:
        release = write_release(model, Path(name) / "release")
        for number in range(options.starts):
            path = Path(name) / f"s{number}"
            began = time.perf_counter()
            with listen_on_path(path) as listener:
                worker = WorkerProcess(release, [listener])
                worker.loaded()
                if not worker.self_test().passed:
                    sys.exit("the self-test failed")
                worker.serve()
                ask(path)
                starts.append(time.perf_counter() - began)
                if number == options.starts - 1:
                    before = cpu_seconds(worker.process.pid)
                    time.sleep(options.idle_seconds)
                    idle = (cpu_seconds(worker.process.pid) - before) / options.idle_seconds
                found = memory_mib(worker.process.pid)
                pss.append(found[0])
                private.append(found[1])
                worker.end()
    size = model.stat().st_size / _MIB
    print(f"{options.starts} starts, model of {size:.2f} MiB\n")
    print("| figure | median | lowest | highest |\n|---|---|---|---|")
    for title, figures, unit in (
        ("start of the process to the first answer", starts, "s"),
        ("PSS, serving and idle", pss, "MiB"),
        ("private memory of it", private, "MiB"),
    ):
        cells = (statistics.median(figures), min(figures), max(figures))
        print(f"| {title} | " + " | ".join(f"{cell:.2f} {unit}" for cell in cells) + " |")
    print(f"| idle CPU over {options.idle_seconds:g} s | {100 * idle:.3f} % | | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
