"""The evaluation loop: its throughput beside the bare engine's, and its memory on a large set.

Throughput: the same batches in memory, a small model, one thread. The loop also checks every output
for finite numbers and collects outputs, labels and slices; the bare engine gets the batches and
drops what comes out. Both take turns, and the bare engine is also held against itself.

Memory: a set of 10 GB of pictures that are made as they are read, prepared, corrupted and run. The
peak is of the whole process, in a process of its own; a set of a tenth of the size beside it says
whether memory grows with the set.

    python benchmarks/evaluation_loop.py
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.datasets import Dataset, PreparedBatch, RawBatch, prepared_batches
from edgeworthy.documents.project import InputSection
from edgeworthy.evaluation import predict
from edgeworthy.evaluation.corruptions import Condition, CorruptedDataset, corruptions_of, form_of
from edgeworthy.runtimes import find_runtime, run_batched
from edgeworthy.statistics import bootstrap

_SIDE = 224
_BATCH = 64
_GIGABYTE = 10**9


def small_model(path: Path, side: int, channels: int) -> None:
    """Two convolutions and a matrix product: about a million multiply-accumulates at 28 pixels."""
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
        [weights("w1", 16, channels, 3, 3), weights("w2", 32, 16, 3, 3), weights("w3", 32, 10)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def timed(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def throughput(pairs: int) -> None:
    """Ratios of samples per second, loop by engine, pair by pair."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        small_model(path, 28, 1)
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

            print("| | samples per second, ratio |\n|---|---|")
            print(f"| loop / bare engine | {interval(ratios(bare, loop, pairs))} |")
            print(f"| bare engine / itself | {interval(ratios(bare, bare, pairs))} |")


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


class MadePictures(Dataset):
    """Pictures of 8 bits that are made as they are read."""

    data_format = "image-folder"
    axes = "HWC"

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def batches(self, size: int) -> Iterator[RawBatch]:
        """New arrays each time, as a decoder gives them."""
        generator = np.random.default_rng(3)
        base = generator.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
        for first in range(0, self._count, size):
            count = min(size, self._count - first)
            shifts = (np.arange(first, first + count) % 251).astype(np.uint8)
            pictures = base + shifts[:, None, None, None]
            yield RawBatch(first, {"": pictures}, np.zeros(count, np.int64), {})


def large(gigabytes: float) -> None:
    """Prepare, corrupt and run a set; print its size and the peak of this process."""
    count = round(gigabytes * _GIGABYTE / (_SIDE * _SIDE * 3))
    dataset = MadePictures(count)
    corruption = next(each for each in corruptions_of("image") if each.name == "contrast")
    form, facts = form_of(dataset, name="", layout="CHW")
    corrupted = CorruptedDataset(dataset, form, facts, Condition(corruption, 2, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        small_model(path, _SIDE, 3)
        section = InputSection(layout="NCHW", mean=(128.0,), std=(64.0,))
        with find_runtime("onnxruntime").load(path, threads=1) as session:
            prepared = prepared_batches(
                corrupted, signature=session.signature, inputs={"x": section}, size=_BATCH
            )
            said = predict(partial(run_batched, session), prepared, output="y")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {gigabytes:g} GB | {len(said)} | {peak:.0f} MiB |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--sizes", type=float, nargs="*", default=[1.0, 10.0], help="Gigabytes.")
    parser.add_argument("--large", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.large is not None:
        large(options.large)
        return
    throughput(options.pairs)
    print("\n| set | samples | peak of the process |\n|---|---|---|", flush=True)
    for size in options.sizes:
        subprocess.run([sys.executable, __file__, "--large", str(size)], check=True)


if __name__ == "__main__":
    main()
