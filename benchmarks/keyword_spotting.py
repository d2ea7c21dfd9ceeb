"""What int8 costs MLPerf Tiny's keyword spotter, calibrated on each half and judged on the other.

Prints a Markdown table. The model and its 1,000 samples are not part of this tree; the folder that
holds ``kws_fp32.onnx`` and ``kws01_samples.npz`` is the argument (see
``examples/keyword_spotting/README.md`` for where they come from).

Method: the two projects of ``examples/keyword_spotting``, built up to the gate in a temporary
folder, nothing reused. Accuracy with its 95 % interval, the drop with its 95 % score
interval for paired proportions, both on the 500 samples that calibration has not seen; size of the
file against the float file; latency ratio from interleaved starts.

Usage: ``python benchmarks/keyword_spotting.py FOLDER``
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from edgeworthy import Project
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.measurement import Measurement

EXAMPLE = Path(__file__).parent.parent / "examples" / "keyword_spotting"
HALVES = {"first": "last 500", "second": "first 500"}


def main(arguments: list[str]) -> int:
    """Build both projects and print what came out."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    print("| judged on | variant | accuracy | drop | file / float | latency / float | digest |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        prepare = [sys.executable, str(EXAMPLE / "prepare.py"), arguments[0], name]
        subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL)
        for half, judged_on in HALVES.items():
            project = Project.load(Path(name) / f"calibrate-{half}-half.toml")
            measurements = {each.variant: each for each in project.measure()}
            for evaluation in project.evaluate():
                measurement = measurements[evaluation.variant]
                original = measurements["original"]
                print(_row(judged_on, evaluation, measurement, original))
    return 0


def _row(
    judged_on: str, evaluation: Evaluation, measurement: Measurement, original: Measurement
) -> str:
    accuracy = next(
        each for each in evaluation.metrics if (each.metric, each.slice) == ("accuracy", "")
    )
    paired = measurement.against_original
    cells = (
        f"{judged_on} (n = {accuracy.estimate.n})",
        evaluation.variant,
        _figure(accuracy.estimate),
        _figure(accuracy.drop) if accuracy.drop else "",
        f"{measurement.size_kib.value / original.size_kib.value:.3f}",
        f"{_figure(paired.ratio)}, {paired.verdict}" if paired else "",
        evaluation.artifact.removeprefix("sha256:")[:12],
    )
    return f"| {' | '.join(cells)} |"


def _figure(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
