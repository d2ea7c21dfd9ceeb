"""What quantizers are compared on: a model, samples to calibrate with, samples to judge by.

Each model and its samples come from a script under ``examples/``; the keyword spotter is MLPerf
Tiny's. Which rows calibrate and which judge is fixed here, so that every tool gets the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Task:
    """One model and how it is judged.

    Attributes:
        name: For tables and folders.
        model: Its file.
        calibration: Model-ready inputs, ``(n, ...)``.
        evaluation: The same, of other samples.
        right: From outputs ``(n, ...)`` of a variant and of the float model on the first ``n``
            samples to which of them the variant got right, ``(n,)`` bool.
        measure: What "right" means, in a few words.
        transformer: Whether tools that ask should be told that it is one.
        allowed_points: Points that may be lost at most.
    """

    name: str
    model: Path
    calibration: Arrays
    evaluation: Arrays
    right: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.bool_]]
    measure: str
    transformer: bool = False
    allowed_points: float = 0.3


def fashion(folder: Path, name: str) -> Task:
    """A network for clothes: 100 training images calibrate, the 10,000 test images judge."""
    with np.load(folder / "fashion.npz", allow_pickle=False) as arrays:
        pixels, kinds = arrays["pixels"], arrays["kind"]
    images = ((pixels[:, np.newaxis].astype(np.float32) - 73.0) / 90.0).astype(np.float32)
    labels = kinds[2000:]
    return Task(
        name=name,
        model=folder / "model.onnx",
        calibration={"image": images[:100]},
        evaluation={"image": images[2000:]},
        right=lambda found, _: found.argmax(axis=1) == labels[: len(found)],
        measure="accuracy",
        transformer=name.endswith("transformer"),
        allowed_points=0.5 if name.endswith("transformer") else 0.3,
    )


def keywords(folder: Path, name: str) -> Task:
    """MLPerf Tiny's keyword spotter: one half calibrates, the other judges."""
    with np.load(folder / "kws01_samples.npz", allow_pickle=False) as arrays:
        features, labels = arrays["x_int8"], arrays["y"]
    prepared = ((features.astype(np.float32) - 83.0) * 0.5847029089927673).astype(np.float32)
    halves = [slice(0, 500), slice(500, 1000)]
    calibrates, judges = halves if name.endswith("first") else halves[::-1]
    keys = {row.tobytes() for row in features[judges]}
    apart = list(prepared[calibrates][_absent(features[calibrates], keys)])
    return Task(
        name=name,
        model=folder / "kws_fp32.onnx",
        calibration={"input": np.stack(apart[:100])},
        evaluation={"input": prepared[judges]},
        right=lambda found, _: found.argmax(axis=1) == labels[judges][: len(found)],
        measure="accuracy",
    )


def _absent(features: NDArray[Any], keys: set[bytes]) -> NDArray[np.bool_]:
    """Samples that do not stand in the other half as well."""
    return np.array([row.tobytes() not in keys for row in features])


def pictures(folder: Path, name: str) -> Task:
    """EfficientNet-lite0: 100 crops calibrate, 1,000 of other pictures judge."""
    with np.load(folder / "crops.npz", allow_pickle=False) as arrays:
        pixels = arrays["pixels"]
    images = ((pixels.astype(np.float32) - 127.0) / 128.0).transpose(0, 3, 1, 2)
    return Task(
        name=name,
        model=folder / "model.onnx",
        calibration={"image": np.ascontiguousarray(images[:100])},
        evaluation={"image": np.ascontiguousarray(images[300:1300])},
        right=lambda found, expected: found.argmax(axis=1) == expected.argmax(axis=1),
        measure="agreement with float",
    )


def large_pictures(folder: Path, name: str) -> Task:
    """The same, judged on 600 large crops: right is what float says of the whole picture."""
    with np.load(folder / "large-crops.npz", allow_pickle=False) as arrays:
        pixels, kinds = arrays["pixels"], arrays["kind"]
    images = ((pixels.astype(np.float32) - 127.0) / 128.0).transpose(0, 3, 1, 2)
    return replace(
        pictures(folder, name),
        evaluation={"image": np.ascontiguousarray(images)},
        right=lambda found, _: found.argmax(axis=1) == kinds[: len(found)],
        measure="float's class of the whole picture",
    )


def sentences(folder: Path, name: str) -> Task:
    """MiniLM-L6: 100 sentences calibrate, 800 others judge, each by its nearest neighbor."""
    with np.load(folder / "sentences.npz", allow_pickle=False) as arrays:
        inputs = {key: arrays[key] for key in ("input_ids", "attention_mask")}
    return Task(
        name=name,
        model=folder / "model.onnx",
        calibration={key: values[:100] for key, values in inputs.items()},
        evaluation={key: values[240:1040] for key, values in inputs.items()},
        right=lambda found, expected: _neighbors(found) == _neighbors(expected),
        measure="nearest neighbor is float's",
        transformer=True,
        allowed_points=0.5,
    )


def _neighbors(embeddings: NDArray[Any]) -> NDArray[np.int64]:
    scores = embeddings @ embeddings.T
    np.fill_diagonal(scores, -np.inf)
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


MAKERS: dict[str, tuple[str, Callable[[Path, str], Task]]] = {
    "kws-calibrated-on-first": ("mlperf-tiny-kws", keywords),
    "kws-calibrated-on-second": ("mlperf-tiny-kws", keywords),
    "fashion-depthwise": ("fashion-depthwise", fashion),
    "fashion-transformer": ("fashion-transformer", fashion),
    "efficientnet-lite0": ("efficientnet-lite0", pictures),
    "efficientnet-lite0-large": ("efficientnet-lite0", large_pictures),
    "minilm-l6": ("minilm-l6", sentences),
}


def load_task(models: Path, name: str) -> Task:
    """The task of this name; ``models`` holds a folder per model."""
    folder, maker = MAKERS[name]
    return maker(models / folder, name)


def _first(count: int, task: Task) -> Task:
    inputs = {key: values[:count] for key, values in task.evaluation.items()}
    return replace(task, evaluation=inputs)


def _all_keywords(models: Path, count: int) -> list[Task]:
    """Both halves of the keywords: a file's arithmetic is the same on those that calibrated it."""
    names = ("kws-calibrated-on-first", "kws-calibrated-on-second")
    return [_first((count + 1) // 2, load_task(models, name)) for name in names]


def _all_sentences(models: Path, count: int) -> list[Task]:
    task = load_task(models, "minilm-l6")
    with np.load(models / "minilm-l6" / "sentences.npz", allow_pickle=False) as arrays:
        inputs = {key: arrays[key][:count] for key in task.evaluation}
    return [replace(task, evaluation=inputs)]


def _judged(name: str) -> Callable[[Path, int], list[Task]]:
    return lambda models, count: [_first(count, load_task(models, name))]


#: Where it does not matter which samples calibrated: the models, each on up to so many samples.
WHOLE: dict[str, Callable[[Path, int], list[Task]]] = {
    "kws-calibrated-on-first": _all_keywords,
    "fashion-depthwise": _judged("fashion-depthwise"),
    "fashion-transformer": _judged("fashion-transformer"),
    "minilm-l6": _all_sentences,
    "efficientnet-lite0": _judged("efficientnet-lite0"),
}
