"""The evaluation loop: its throughput beside the bare engine's, and its memory on a large set.

Throughput: the same batches in memory, a small model, one thread. The loop also checks every output
for finite numbers and collects outputs, labels and slices; the bare engine gets the batches and
drops what comes out. Both take turns, and the bare engine is also held against itself. Time is
processor time, which other work on the machine stretches least.

Memory: npz files of 1, 5 and 10 GB of pictures on the disk, read, corrupted, prepared and run. The
peak is of the whole process, in a process of its own; whether it grows with the file is the answer.
The files are deleted afterwards.

    python benchmarks/evaluation_loop.py
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.datasets import PreparedBatch, open_dataset, prepared_batches
from edgeworthy.documents.project import DataSection, InputSection
from edgeworthy.evaluation import predict
from edgeworthy.evaluation.corruptions import Condition, CorruptedDataset, corruptions_of, form_of
from edgeworthy.runtimes import find_runtime, run_batched
from edgeworthy.statistics import bootstrap

_SIDE = 224
_BATCH = 64
_GIGABYTE = 10**9


def small_model(path: Path, side: int, channels: int, width: int = 16) -> None:
    """Two convolutions and a matrix product; of 28 pixels 0.25 million multiply-accumulates.

    Twice as wide it has a million, as the smaller models of MLPerf Tiny have.
    """
    generator = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> Any:  # noqa: ANN401 - a tensor of onnx
        return numpy_helper.from_array(generator.normal(0, 0.1, shape).astype(np.float32), name)

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w1"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "w2"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["d"]),
            helper.make_node("GlobalAveragePool", ["d"], ["e"]),
            helper.make_node("Flatten", ["e"], ["f"]),
            helper.make_node("MatMul", ["f", "w3"], ["y"]),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [
            weights("w1", width, channels, 3, 3),
            weights("w2", 2 * width, width, 3, 3),
            weights("w3", 2 * width, 10),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def timed(run: Callable[[], object]) -> float:
    """Seconds of processor time of one run."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def throughput(pairs: int, width: int) -> None:
    """Ratios of samples per second, loop by engine, pair by pair."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        small_model(path, 28, 1, width)
        generator = np.random.default_rng(1)
        batches = [
            PreparedBatch(
                first=first,
                inputs={"x": generator.random((_BATCH, 1, 28, 28), dtype=np.float32)},
                labels=np.zeros(_BATCH, np.int64),
                slices={"site": ("a",) * _BATCH},
            )
            for first in range(0, 4096, _BATCH)
        ]
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        engine = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

        def bare() -> None:
            for batch in batches:
                engine.run(None, batch.inputs)

        with find_runtime("onnxruntime").load(path, threads=1) as session:

            def loop() -> None:
                predict(partial(run_batched, session), batches, output="y")

            sample_us = timed(bare) / 4096 * 1e6
            for name, second in (("loop / bare engine", loop), ("bare engine / itself", bare)):
                found = interval(ratios(bare, second, pairs))
                print(f"| {name} | {sample_us:.1f} | {found} |", flush=True)


def ratios(
    first: Callable[[], object], second: Callable[[], object], pairs: int
) -> NDArray[np.float64]:
    """Time of the first by that of the second: how many times as many samples the second does."""
    first(), second()
    found = []
    for pair in range(pairs):
        if pair % 2:
            one, two = timed(first), timed(second)
        else:
            two, one = timed(second), timed(first)
        found.append(one / two)
    return np.array(found)


def interval(found: NDArray[np.float64]) -> str:
    """Geometric mean with a 95 % interval."""
    logs = np.log(found)
    estimate = bootstrap(
        lambda weights: weights @ logs / weights.sum(axis=1), len(logs), confidence=0.95, seed=0
    )
    low, middle, high = (float(np.exp(e)) for e in (estimate.low, estimate.value, estimate.high))
    return f"{middle:.3f} ({low:.3f} to {high:.3f}), {len(logs)} pairs"


def write_pictures(path: Path, count: int) -> None:
    """An npz file of 8-bit pictures ``(count, 3, 224, 224)``, written piece by piece."""
    generator = np.random.default_rng(3)
    base = generator.integers(0, 256, (3, _SIDE, _SIDE), np.uint8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("labels.npy", "w") as member:
            np.lib.format.write_array(member, np.zeros(count, np.int64))
        with archive.open("pictures.npy", "w", force_zip64=True) as member:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *base.shape)}
            np.lib.format.write_array_header_1_0(member, header)
            for first in range(0, count, _BATCH):
                shifts = np.arange(first, min(first + _BATCH, count), dtype=np.int64) % 251
                member.write((base + shifts.astype(np.uint8)[:, None, None, None]).tobytes())


def large(gigabytes: float, file: Path) -> None:
    """Corrupt, prepare and run a set; print its size and the peak of this process."""
    section = DataSection(path=file.name, inputs={"x": "pictures"}, labels="labels")
    dataset = open_dataset(
        section, folder=file.parent, name="large", task="classification", labels=()
    )
    corruption = next(each for each in corruptions_of("image") if each.name == "brightness")
    form, facts = form_of(dataset, name="x", layout="CHW")
    corrupted = CorruptedDataset(dataset, form, facts, Condition(corruption, 2, 0), name="x")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        small_model(path, _SIDE, 3)
        inputs = InputSection(layout="NCHW", mean=(128.0,), std=(64.0,))
        with find_runtime("onnxruntime").load(path, threads=1) as session:
            prepared = prepared_batches(
                corrupted, signature=session.signature, inputs={"x": inputs}, size=_BATCH
            )
            said = predict(partial(run_batched, session), prepared, output="y")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {gigabytes:g} GB | {len(said)} | {peak:.0f} MiB |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument(
        "--sizes", type=float, nargs="*", default=[1.0, 5.0, 10.0], help="Gigabytes."
    )
    parser.add_argument("--folder", type=Path, help="Where the large files go for a while.")
    parser.add_argument("--large", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large is not None:
        large(float(options.large[0]), Path(options.large[1]))
        return
    print("| | engine, microseconds a sample | samples per second, ratio |\n|---|---|---|")
    for width in (16, 32):
        throughput(options.pairs, width)
    print("\n| set | samples | peak of the process |\n|---|---|---|", flush=True)
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            file = Path(folder) / "pictures.npz"
            write_pictures(file, round(size * _GIGABYTE / (_SIDE * _SIDE * 3)))
            command = [sys.executable, __file__, "--large", str(size), str(file)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
