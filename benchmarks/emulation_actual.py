"""What the emulation foretells for this CPU, and what ONNX Runtime then gives on it.

Every integer file of a task is run twice on the same samples, one at a time, because floats are
added up in another order where samples run together: by our own arithmetic for the class of this
machine's CPU, and by ONNX Runtime. Kept are how often the largest output is the same one (with the
lower end of a 95 % Clopper-Pearson interval), how many outputs are equal bit for bit, and the
metric as foretold and as measured. Our own variants are those of all classes of CPU, so that files
which saturate here are among them; files of peers are taken from the work folder of
``optimization_peers.py`` where it has some.

What is done is kept in ``WORK/emulated.jsonl`` by the digest of the file and is not done again, so
that a run goes on where it was stopped. With ``--page`` the table takes the place of the one that
stands behind the mark ``<!-- emulation_actual.py -->`` on that page.

Usage::

    python benchmarks/emulation_actual.py MODELS WORK [--task NAME ...] [--samples COUNT]
        [--page FILE]
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from peers.emulation_table import put_on_page, table
from peers.judging import answers, emulated
from peers.tasks import WHOLE, Arrays, Task

from edgeworthy.devices import host_fingerprint
from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import Recipe
from edgeworthy.errors import EdgeworthyError
from edgeworthy.files import digest_bytes
from edgeworthy.graph import load_model
from edgeworthy.optimization import Refusal, make_variant, recipes_for
from edgeworthy.optimization.recipes import cascade_recipe, dynamic_recipe

CLASSES: tuple[InstructionSet, ...] = ("x86-vnni", "x86-avx2", "arm-dotprod")
WITHOUT_CLASSES = ("minilm-l6",)
BATCH = 8
RESULTS: Final = "emulated.jsonl"


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
        recipes += [dynamic_recipe(each) for each in ("x86-vnni", "x86-avx2")]
    if task.name not in WITHOUT_CLASSES:
        recipes += [cascade_recipe(each) for each in recipes_for(["x86-vnni", "x86-avx2"])[1:]]
    yield from our_files(task.name, task.model, task.calibration, recipes)
    for path in sorted((work / "files" / task.name).glob("*.onnx")):
        if not path.name.startswith("edgeworthy"):
            yield path.stem.replace("-", " "), path.read_bytes()


def this_class() -> InstructionSet:
    """The class of this machine's CPU, from its flags."""
    return host_fingerprint(runtime_versions=()).instruction_set


def compared(tasks: Sequence[Task], name: str, data: bytes, work: Path) -> dict[str, Any]:
    """One file on the samples of all these tasks, which share a model."""
    done: dict[str, Any] = {
        "task": tasks[0].name,
        "file": name,
        "digest": digest_bytes(data).removeprefix("sha256:"),
        "class": this_class(),
    }
    scratch = work / f"emulated-{os.getpid()}.onnx"
    scratch.write_bytes(data)
    try:
        parts = [_compared_on(task, data, scratch) for task in tasks]
    except EdgeworthyError as error:
        return {**done, "failure": error.problem}
    finally:
        scratch.unlink()
    totals = {key: sum(part[key] for part in parts) for key in parts[0]}
    return {**done, **totals, "largest": max(part["largest"] for part in parts)}


def _compared_on(task: Task, data: bytes, path: Path) -> dict[str, Any]:
    expected = answers(task.model, task.evaluation)
    foretold, actual = emulated(data, this_class(), task.evaluation), answers(path, task.evaluation)
    flat = [each.reshape(len(expected), -1) for each in (foretold, actual)]
    return {
        "n": len(expected),
        "same": int((flat[0].argmax(axis=1) == flat[1].argmax(axis=1)).sum()),
        "numbers": flat[0].size,
        "equal": int((flat[0] == flat[1]).sum()),
        "largest": float(np.abs(flat[0].astype(np.float64) - flat[1]).max()),
        "foretold": _right(task, foretold, expected),
        "measured": _right(task, actual, expected),
    }


def _right(task: Task, found: NDArray[Any], expected: NDArray[Any]) -> int:
    return int(task.right(found, expected).sum())


def read(path: Path) -> list[dict[str, Any]]:
    """The rows so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description="Hold the emulation against this CPU.")
    parser.add_argument("models", type=Path, help="folder with a folder per model")
    parser.add_argument("work", type=Path, help="work folder of optimization_peers.py")
    parser.add_argument("--task", nargs="*", default=list(WHOLE), choices=list(WHOLE))
    parser.add_argument("--samples", type=int, default=1000, help="per file, from the first")
    parser.add_argument("--results", type=Path, help=f"default WORK/{RESULTS}")
    parser.add_argument("--page", type=Path, help="put the table there")
    given = parser.parse_args()
    results = given.results or given.work / RESULTS
    results.parent.mkdir(parents=True, exist_ok=True)
    found = read(results)
    for name in given.task:
        tasks = WHOLE[name](given.models, given.samples)
        for title, data in variants(tasks[0], given.work):
            digest = digest_bytes(data).removeprefix("sha256:")
            if any(row["task"] == name and row["digest"] == digest for row in found):
                continue
            found.append({**compared(tasks, title, data, results.parent), "task": name})
            with results.open("a") as lines:
                lines.write(f"{json.dumps(found[-1])}\n")
            print(f"{name}, {title}: done", flush=True)
    host = host_fingerprint(runtime_versions=[])
    lines_of_table = list(table(found, host))
    print("\n".join(lines_of_table))
    if given.page:
        put_on_page(given.page, lines_of_table)


if __name__ == "__main__":
    main()
