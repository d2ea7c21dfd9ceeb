"""How often `edgeworthy measure A --vs B` is right: a model with itself, and with a slower copy.

Method: a model of 17 convolutions is compared with itself, and with a copy that has one more, which
makes it about 5 % slower. Each comparison is a whole one with the default budget (eight starts of
each, self-check included). Two comparisons with itself alternate with one with the slower copy, so
that both kinds meet the same disturbances. A line of JSON is written for each, so that a run that
is stopped goes on where it was.

Command (about 45 minutes)::

    nice -n 10 python benchmarks/measure_comparison.py results.jsonl --count 300
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from edgeworthy.statistics import clopper_pearson
from edgeworthy.workflow.bare_models import BareOptions, compare_files

LAYER_COUNT = 17
#: One in so many comparisons is with the slower copy.
CYCLE = 3


def convolutions(path: Path, *, layer_count: int) -> Path:
    """A model of some 3x3 convolutions on 8 channels of 16 by 16."""
    generator = np.random.default_rng(0)
    nodes, weights, value = [], [], "image"
    for layer in range(layer_count):
        kernel = generator.standard_normal((8, 8, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel{layer}"))
        nodes.append(
            helper.make_node("Conv", [value, f"kernel{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1])
        )
        value = f"c{layer}"
    nodes.append(helper.make_node("Tanh", [value], ["scores"]))
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 8, 16, 16])
        for name in ("image", "scores")
    ]
    graph = helper.make_graph(nodes, "convolutions", tensors[:1], tensors[1:], weights)
    opsets = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def run(results: Path, count: int) -> None:
    """Take the comparisons that are still missing."""
    done = len(read(results))
    with tempfile.TemporaryDirectory() as folder, results.open("a", encoding="utf-8") as stream:
        base = convolutions(Path(folder) / "base.onnx", layer_count=LAYER_COUNT)
        slower = convolutions(Path(folder) / "slower.onnx", layer_count=LAYER_COUNT + 1)
        for number in range(done, count):
            is_slower = number % CYCLE == CYCLE - 1
            subject = slower if is_slower else base
            found = compare_files(subject, base, BareOptions(seed=number))
            line = {
                "kind": "slower" if is_slower else "same",
                "verdict": found.verdict,
                "ratio": [found.ratio.low, found.ratio.value, found.ratio.high]
                if found.ratio
                else None,
                "self_check_passed": found.self_check.passed,
                "visible_difference_ratio": found.visible_difference_ratio,
                "duration_s": found.duration_s,
                "load": os.getloadavg()[0],
            }
            stream.write(json.dumps(line) + "\n")
            stream.flush()


def read(results: Path) -> list[dict[str, object]]:
    """What was found so far."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def rows(found: list[dict[str, object]]) -> Iterator[str]:
    """The table, line by line."""
    yield "| subject | n | said faster or slower | 95 % interval | median ratio | median duration |"
    yield "|---|---|---|---|---|---|"
    for kind, title in (("same", "the model itself"), ("slower", "a copy about 5 % slower")):
        own = [each for each in found if each["kind"] == kind]
        if not own:
            continue
        hits = sum(
            each["verdict"] == "slower" or (kind == "same" and each["verdict"] == "faster")
            for each in own
        )
        share = clopper_pearson(hits, len(own), confidence=0.95)
        ratio = np.median([each["ratio"][1] for each in own])  # type: ignore[index]
        duration = np.median([float(str(each["duration_s"])) for each in own])
        yield (
            f"| {title} | {len(own)} | {share.value * 100:.1f} % | {share.low * 100:.1f} to "
            f"{share.high * 100:.1f} % | {ratio:.4f} | {duration:.1f} s |"
        )
    loads = [float(str(each["load"])) for each in found]
    checks = np.mean([not each["self_check_passed"] for each in found]) * 100
    visible = np.median([float(str(each["visible_difference_ratio"])) for each in found]) * 100
    low, middle, high = np.quantile(loads, [0.05, 0.5, 0.95])
    yield ""
    yield f"Self-checks that told the baseline from itself: {checks:.1f} %."
    yield f"Median of the smallest visible difference: {visible:.2f} %."
    yield (
        f"Load average on {os.cpu_count()} cores, ours included: median {middle:.1f}, "
        f"5 to 95 %: {low:.1f} to {high:.1f}."
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    run(options.results, options.count)
    print("\n".join(rows(read(options.results))))


if __name__ == "__main__":
    main()
