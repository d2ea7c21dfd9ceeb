"""What the emulation foretells for other classes of CPU, and what ONNX Runtime gives on them.

ONNX Runtime itself runs in an emulator that plays a processor of the other class (QEMU in user
mode): it reads the emulated processor's abilities and takes the kernels for them. Every integer
file is run there and by our own arithmetic, one sample at a time. Printed are how many outputs are
equal bit for bit, how often the largest output is the same one (with the lower end of a 95 %
Clopper-Pearson interval), and the metric as foretold and as measured.

Files: single integer operators with bytes at the ends of their range; our static variants for all
classes, and those of ONNX Runtime's own quantizer, of the keyword spotter, the digits template,
networks for clothes, and the small odd architectures of the tests.

    PYTHONPATH=tests python benchmarks/emulated_processors.py operators WORK
    PYTHONPATH=tests python benchmarks/emulated_processors.py cases WORK --models MODELS
    qemu-x86_64-static -cpu Haswell PYTHON benchmarks/emulated_run.py WORK haswell
    PYTHONPATH=tests python benchmarks/emulated_processors.py table WORK haswell x86-avx2

``docs/benchmarks/processors.md`` tells how to get an Arm Python, and what was found.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
from byte_operators import operators
from emulation_actual import CLASSES, batches_of, our_files
from numpy.typing import NDArray
from onnxruntime.quantization import (  # type: ignore[import-untyped]  # it ships no types
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from peers.tasks import MAKERS, Arrays, load_task

from edgeworthy.documents.device import InstructionSet
from edgeworthy.errors import EdgeworthyError
from edgeworthy.optimization import recipes_for
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.statistics import clopper_pearson
from hostile_models.architectures import ARCHITECTURES
from hostile_models.build import Build
from hostile_models.odd import ODD

TEMPLATE = Path(__file__).parents[1] / "src/edgeworthy/templates/digits"


@dataclass(frozen=True)
class Subject:
    """A float model, samples to calibrate with and samples to compare on."""

    name: str
    model: Path
    calibration: Arrays
    samples: Arrays
    labels: NDArray[Any] | None = None


def subjects(models: Path, count: int, scratch: Path) -> Iterator[Subject]:
    """Everything that there is to compare: tasks with labels, then the odd architectures."""
    yield digits(count)
    for name in ("kws-calibrated-on-first", "fashion-depthwise", "fashion-transformer"):
        if (models / MAKERS[name][0]).is_dir():
            task = load_task(models, name)
            samples = {key: values[:count] for key, values in task.evaluation.items()}
            # Right is a matter of the largest output and of nothing else in these tasks.
            labels = _labels(task.right, len(next(iter(task.evaluation.values()))))[:count]
            yield Subject(name, task.model, task.calibration, samples, labels)
    odd = ("constant results", "results before and after a ReLU", "weights that are all zero")
    for name, build in {**ARCHITECTURES, **{name: ODD[name] for name in odd}}.items():
        yield small(name, build, scratch)


def digits(count: int) -> Subject:
    """The template's CNN, calibrated and judged on the rows that its project file names."""
    with np.load(TEMPLATE / "digits.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    values = ((images.astype(np.float32) - 4.9) / 6.0).astype(np.float32)
    return Subject(
        name="digits",
        model=TEMPLATE / "model.onnx",
        calibration={"image": values[700:1100]},
        samples={"image": values[1100 : 1100 + count]},
        labels=labels[1100 : 1100 + count],
    )


def small(name: str, build: Build, scratch: Path) -> Subject:
    """One of the tests' architectures; its weights and samples are drawn."""
    path = scratch / "float.onnx"
    path.write_bytes(build.model().SerializeToString())
    samples = build.samples(32)
    calibration = {key: values[:16] for key, values in samples.items()}
    return Subject(name, path, calibration, samples)


def _labels(right: Callable[..., NDArray[np.bool_]], count: int) -> NDArray[Any]:
    """The labels that a task judges by, asked of it one class after the other."""
    most = 20
    hits = [
        right(np.eye(most, dtype=np.float32)[np.full(count, kind)], None) for kind in range(most)
    ]
    return np.asarray(np.stack(hits).argmax(axis=0))


def files(subject: Subject) -> Iterator[tuple[str, bytes]]:
    """Integer files of a model: ours for every class, then those of the engine's own quantizer."""
    yield from our_files(subject.name, subject.model, subject.calibration, recipes_for(CLASSES)[1:])

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # of an untyped library
        def __init__(self) -> None:
            self.rows = batches_of(subject.calibration)

        def get_next(self) -> Arrays | None:
            return next(self.rows, None)

    ways: dict[str, dict[str, Any]] = {
        "ort-defaults": {},
        "ort-u8s8": {"activation_type": QuantType.QUInt8, "per_channel": True},
        "ort-u8u8": {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QUInt8},
        "ort-operators": {"quant_format": QuantFormat.QOperator},
    }
    for name, settings in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "quantized.onnx"
            try:
                quantize_static(subject.model, target, Reader(), **settings)
            except Exception as error:  # noqa: BLE001 - whatever it raises, there is no file
                print(f"{subject.name}, {name}: {type(error).__name__}: {error}")
                continue
            yield name, target.read_bytes()


def make_operators(work: Path) -> None:
    """One folder per operator, with what goes in."""
    for operator in operators():
        case = work / operator.name
        case.mkdir(parents=True, exist_ok=True)
        onnx.save(operator.model, case / "model.onnx")
        np.savez_compressed(case / "inputs.npz", **operator.inputs)


def make_cases(work: Path, models: Path, count: int) -> None:
    """One folder per file, with what goes in."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for subject in subjects(models, count, Path(scratch)):
            for name, data in files(subject):
                case = work / f"{subject.name}, {name}".replace("/", "-")
                case.mkdir(exist_ok=True)
                (case / "model.onnx").write_bytes(data)
                np.savez_compressed(case / "inputs.npz", **dict[str, Any](subject.samples))
                if subject.labels is not None:
                    np.save(case / "labels.npy", subject.labels)


def foretold(case: Path, instruction_set: InstructionSet) -> dict[str, NDArray[Any]]:
    """What our arithmetic gives, one sample after the other."""
    machine = Emulator((case / "model.onnx").read_bytes(), instruction_set)
    with np.load(case / "inputs.npz") as archive:
        inputs = dict(archive)
    count = len(next(iter(inputs.values())))
    rows = [machine.run({k: v[n : n + 1] for k, v in inputs.items()}) for n in range(count)]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def compare(case: Path, name: str, instruction_set: InstructionSet) -> dict[str, Any]:
    """How the two agree."""
    with np.load(case / f"outputs-{name}.npz") as archive:
        actual = dict(archive)
    expected = foretold(case, instruction_set)
    count = len(next(iter(actual.values())))
    equal = [(expected[key] == values).reshape(-1) for key, values in actual.items()]
    first = next(iter(actual))
    largest = [
        each[first].reshape(count, -1).argmax(axis=1) if each[first].size else np.zeros(count)
        for each in (expected, actual)
    ]
    found: dict[str, Any] = {
        "case": case.name,
        "n": count,
        "equal": float(np.concatenate(equal).mean()),
        "same": int((largest[0] == largest[1]).sum()),
        "difference": max(
            _distance(expected[key], values) for key, values in actual.items() if values.size
        ),
    }
    if (case / "labels.npy").exists():
        labels = np.load(case / "labels.npy")
        found["foretold"], found["measured"] = (float((e == labels).mean()) for e in largest)
    return found


def _distance(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """The largest difference, as a share of the largest number."""
    reach = float(np.abs(actual.astype(np.float64)).max())
    apart = float(np.abs(expected.astype(np.float64) - actual.astype(np.float64)).max())
    return apart / reach if reach else apart


def table(work: Path, name: str, instruction_set: InstructionSet) -> None:
    """Print one line per case."""
    print((work / f"processor-{name}.json").read_text(encoding="utf-8"))
    print("| case | n | same largest output | outputs equal | largest difference | metric |")
    print("|---|---|---|---|---|---|")
    total = same = 0
    for path in sorted(work.glob(f"*/outputs-{name}.npz")):
        try:
            found = compare(path.parent, name, instruction_set)
        except EdgeworthyError as error:
            print(f"| {path.parent.name} | | {error.problem} | | | |")
            continue
        total, same = total + found["n"], same + found["same"]
        low = clopper_pearson(found["same"], found["n"], confidence=0.95).low
        metric = (
            f"{found['foretold']:.4f} foretold, {found['measured']:.4f} measured"
            if "foretold" in found
            else ""
        )
        print(
            f"| {found['case']} | {found['n']} | {found['same']} (at least {low:.4f}) | "
            f"{found['equal']:.6f} | {found['difference']:.1e} | {metric} |",
            flush=True,
        )
    if total:
        low = clopper_pearson(same, total, confidence=0.95).low
        print(f"\nAll: {same} of {total} the same, at least {low:.5f}.")


def main() -> None:
    """Make cases or print a table."""
    parser = argparse.ArgumentParser(description="Hold the emulation against other processors.")
    commands = parser.add_subparsers(dest="command", required=True)
    bare = commands.add_parser("operators", help="write single operators and what goes in")
    bare.add_argument("work", type=Path)
    making = commands.add_parser("cases", help="write the files and what goes in")
    making.add_argument("work", type=Path)
    making.add_argument("--models", type=Path, required=True, help="a folder per model")
    making.add_argument("--samples", type=int, default=500, help="per file with labels")
    showing = commands.add_parser("table", help="compare with what emulated_run.py found")
    showing.add_argument("work", type=Path)
    showing.add_argument("name", help="as given to emulated_run.py")
    showing.add_argument("instruction_set", choices=get_args(InstructionSet))
    given = parser.parse_args()
    if given.command == "operators":
        make_operators(given.work)
    elif given.command == "cases":
        make_cases(given.work, given.models, given.samples)
    else:
        table(given.work, given.name, given.instruction_set)


if __name__ == "__main__":
    main()
