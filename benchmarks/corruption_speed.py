"""Corrupting pictures: our time against the ``imagecorruptions`` package's, kind by kind.

The same pictures, the same kinds, severities 1 to 5, 8-bit pictures in and out, one thread,
processor time, which other work on the machine stretches least. The
package runs in an environment of its own::

    python -m venv peer
    peer/bin/pip install imagecorruptions==1.1.2 "numpy<2.3" opencv-python-headless numba setuptools
    taskset -c 0 python benchmarks/corruption_speed.py --peer peer/bin/python

Both take turns on one core, so that neither gets the one with the quieter neighbor. The order
within a pair changes from pair to pair, and the last kind is also held against itself: that ratio
says what the machine can tell.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, RawBatch
from edgeworthy.evaluation.corruptions.base import SEVERITIES
from edgeworthy.evaluation.corruptions.dataset import Condition, CorruptedDataset
from edgeworthy.evaluation.corruptions.forms import form_of
from edgeworthy.evaluation.corruptions.registry import AnyCorruption, corruptions_of
from edgeworthy.statistics import bootstrap

#: Their name for each of ours.
PEER_NAMES = {
    "gaussian_noise": "gaussian_noise",
    "shot_noise": "shot_noise",
    "impulse_noise": "impulse_noise",
    "speckle_noise": "speckle_noise",
    "defocus_blur": "defocus_blur",
    "gaussian_blur": "gaussian_blur",
    "glass_blur": "glass_blur",
    "motion_blur": "motion_blur",
    "zoom_blur": "zoom_blur",
    "fog": "fog",
    "frost": "frost",
    "snow": "snow",
    "brightness": "brightness",
    "contrast": "contrast",
    "saturation": "saturate",
    "elastic": "elastic_transform",
    "pixelate": "pixelate",
    "jpeg": "jpeg_compression",
}
#: A kind that takes longer for one pass is done three times only.
_SLOW_S = 20.0
_PEER = """
import json, sys, time
import cv2
import numpy as np
cv2.setNumThreads(1)
np.float_ = np.float64  # removed from NumPy since the package was published
import imagecorruptions.corruptions as kinds
from imagecorruptions import corrupt
# scikit-image has renamed an argument since the package was published.
blur = kinds.gaussian
kinds.gaussian = lambda image, *sigma, multichannel=False, **rest: blur(
    image, *sigma, channel_axis=-1 if multichannel else None, **rest
)
pictures = np.load(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    name = line.strip()
    begun = time.process_time()
    for severity in range(1, 6):
        for picture in pictures:
            corrupt(picture, corruption_name=name, severity=severity)
    print(json.dumps(time.process_time() - begun), flush=True)
"""


class Pictures(Dataset):
    """Pictures in memory."""

    data_format = "image-folder"
    axes = "HWC"

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def batches(self, size: int) -> Iterator[RawBatch]:
        """Views of the pictures."""
        for first in range(0, len(self), size):
            part = self._pictures[first : first + size]
            yield RawBatch(first, {"": part}, np.zeros(len(part), np.int64), {})


def drawn_pictures(count: int, side: int) -> NDArray[np.uint8]:
    """Color pictures of shaded shapes with some grain: as smooth and as rough as photographs."""
    generator = np.random.default_rng(20)
    y, x = np.mgrid[0:side, 0:side] / side
    pictures = np.empty((count, side, side, 3))
    for picture in pictures:
        for channel in range(3):
            a, b, c = generator.uniform(0, 6, 3)
            picture[..., channel] = 0.5 + 0.3 * np.sin(a * x + b * y + c)
        for _ in range(12):
            u, v, r = generator.uniform(0, 1, 3)
            inside = (x - u) ** 2 + (y - v) ** 2 < (0.02 + 0.15 * r) ** 2
            picture[inside] = 0.6 * picture[inside] + 0.4 * generator.uniform(0, 1, 3)
    pictures += generator.normal(0, 0.02, pictures.shape)
    return np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)


def ours(pictures: NDArray[np.uint8]) -> Callable[[str], float]:
    """Seconds for all pictures at all severities, by name."""
    dataset = Pictures(pictures)
    form, facts = form_of(dataset, name="", layout="")
    by_name: dict[str, AnyCorruption] = {each.name: each for each in corruptions_of("image")}

    def run(name: str) -> float:
        begun = time.process_time()
        for severity in SEVERITIES:
            condition = Condition(by_name[name], severity, 0)
            for _ in CorruptedDataset(dataset, form, facts, condition).batches(64):
                pass
        return time.process_time() - begun

    return run


def theirs(process: subprocess.Popen[str], replies: IO[str]) -> Callable[[str], float]:
    """The same in the package's own process."""

    def run(name: str) -> float:
        assert process.stdin is not None  # noqa: S101 - opened as a pipe
        process.stdin.write(f"{PEER_NAMES[name]}\n")
        process.stdin.flush()
        return float(json.loads(replies.readline()))

    return run


def ratio_of(
    name: str, first: Callable[[str], float], second: Callable[[str], float], pairs: int
) -> tuple[NDArray[np.float64], float, float]:
    """Ratios of time, first by second, and the median time of each."""
    slowest = max(first(name), second(name))
    pairs = pairs if slowest < _SLOW_S else 3
    times = np.empty((pairs, 2))
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 else (1, 0):
            times[pair, which] = (first, second)[which](name)
    return times[:, 0] / times[:, 1], float(np.median(times[:, 0])), float(np.median(times[:, 1]))


def interval(ratios: NDArray[np.float64]) -> str:
    """Geometric mean with a 95 % interval."""
    logs = np.log(ratios)
    estimate = bootstrap(
        lambda weights: weights @ logs / weights.sum(axis=1),
        len(logs),
        confidence=0.95,
        seed=0,
    )
    low, middle, high = (float(np.exp(e)) for e in (estimate.low, estimate.value, estimate.high))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="Python with imagecorruptions.")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--count", type=int, default=8, help="Pictures.")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--only", nargs="*", default=list(PEER_NAMES))
    options = parser.parse_args()
    pictures = drawn_pictures(options.count, options.side)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.npy"
        np.save(path, pictures)
        command: list[Any] = [options.peer, "-W", "ignore", "-c", _PEER, path]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None  # noqa: S101 - opened as a pipe
            assert process.stdin is not None  # noqa: S101 - the same
            process.stdout.readline()
            mine, other = ours(pictures), theirs(process, process.stdout)
            print("| kind | processor time, ours / theirs | ours, ms a picture | theirs |")
            print("|---|---|---|---|")
            scale = 1000 / (options.count * len(SEVERITIES))
            for name in options.only:
                ratios, own, peer = ratio_of(name, mine, other, options.pairs)
                row = f"{own * scale:.2f} | {peer * scale:.2f}"
                print(f"| {name} | {interval(ratios)} | {row} |", flush=True)
            name = options.only[-1]
            ratios, own, _ = ratio_of(name, mine, mine, options.pairs)
            process.stdin.close()
            print(f"| {name}, ours / ours | {interval(ratios)} | {own * scale:.2f} | |")


if __name__ == "__main__":
    main()
