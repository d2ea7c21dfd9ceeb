"""What the emulation foretells for this CPU, and what ONNX Runtime then gives on it.

Every integer file of a task is run twice on the same samples: by our own arithmetic for the class
of this machine's CPU, and by ONNX Runtime. Printed are how often the largest output is the same one
(with the lower end of a 95 % Clopper-Pearson interval), how many outputs are equal bit for bit, and
the metric as foretold and as measured. Our own variants are those of all classes of CPU, so that
files which saturate here are among them; files of peers are taken from the work folder of
``optimization_peers.py`` where it has some.

Usage::

    python benchmarks/emulation_actual.py MODELS WORK [--task NAME ...] [--samples COUNT]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from peers.judging import answers, emulated
from peers.tasks import MAKERS, Arrays, Task, load_task

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import EdgeworthyError
from edgeworthy.files import digest_bytes
from edgeworthy.graph import load_model
from edgeworthy.optimization import Refusal, make_variant, recipes_for
from edgeworthy.optimization.recipes import dynamic_recipe
from edgeworthy.statistics import clopper_pearson

CLASSES: tuple[InstructionSet, ...] = ("x86-vnni", "x86-avx2", "arm-dotprod")
BATCH = 8


def batches_of(samples: Arrays) -> Iterator[Arrays]:
    """The samples, some at a time."""
    for first in range(0, len(next(iter(samples.values()))), BATCH):
        yield {name: values[first : first + BATCH] for name, values in samples.items()}


def our_files(
    title: str, model: Path, calibration: Arrays, recipes: Sequence[Recipe]
) -> Iterator[tuple[str, bytes]]:
    """What our recipes make of a model; what one refuses is printed."""
    for recipe in recipes:
        made = make_variant(
            load_model(model),
            recipe,
            calibration=partial(batches_of, calibration),
            calibration_digest=digest_bytes(b""),
            seed=0,
        )
        if isinstance(made, Refusal):
            print(f"{title}, {recipe.name}: {made.reason}")
        else:
            yield recipe.name, made.data


def variants(task: Task, work: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the integer files: ours for every class, then the peers'."""
    recipes = list(recipes_for(CLASSES)[1:])
    if task.transformer:
        recipes.append(dynamic_recipe("x86-avx2"))
    yield from our_files(task.name, task.model, task.calibration, recipes)
    for path in sorted((work / "files" / task.name).glob("*.onnx")):
        if not path.name.startswith("edgeworthy"):
            yield path.stem.replace("-", " "), path.read_bytes()


def this_class() -> InstructionSet:
    """The class of this machine's CPU, from its flags."""
    return host_fingerprint(runtime_versions=()).instruction_set


def row(task: Task, name: str, data: bytes, expected: NDArray[Any], scratch: Path) -> str:
    """One file, one line of the table."""
    inputs = {key: values[: len(expected)] for key, values in task.evaluation.items()}
    scratch.write_bytes(data)
    try:
        foretold, actual = emulated(data, this_class(), inputs), answers(scratch, inputs)
    except EdgeworthyError as error:
        return f"| {task.name} | {name} | {error.problem} | | | | |"
    flat = [each.reshape(len(expected), -1) for each in (foretold, actual)]
    same = flat[0].argmax(axis=1) == flat[1].argmax(axis=1)
    low = clopper_pearson(int(same.sum()), len(same), confidence=0.95).low
    equal = float((flat[0] == flat[1]).mean())
    metrics = [float(task.right(each, expected).mean()) for each in (foretold, actual)]
    return (
        f"| {task.name} | {name} | {same.mean():.4f} ({same.sum()} of {len(same)}, at least "
        f"{low:.4f}) | {equal:.4f} | {metrics[0]:.4f} | {metrics[1]:.4f} | "
        f"{(metrics[0] - metrics[1]) * 100:+.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Hold the emulation against this CPU.")
    parser.add_argument("models", type=Path, help="folder with a folder per model")
    parser.add_argument("work", type=Path, help="work folder of optimization_peers.py")
    parser.add_argument("--task", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    parser.add_argument("--samples", type=int, default=500, help="per file, from the first")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    print(f"Class of this CPU: {this_class()}. Load average: {os.getloadavg()[0]:.1f}.\n")
    print("| task | file | same largest output | outputs equal | foretold | measured | points |")
    print("|---|---|---|---|---|---|---|")
    for name in given.task:
        task = load_task(given.models, name)
        inputs = {key: values[: given.samples] for key, values in task.evaluation.items()}
        expected = answers(task.model, inputs)
        for title, data in variants(task, given.work):
            print(
                row(task, title, data, expected, given.work / f"emulated-{name}.onnx"), flush=True
            )


if __name__ == "__main__":
    main()
