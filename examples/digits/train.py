"""Train the model of the template ``digits``: a small CNN that reads handwritten digits.

What it writes into the folder that it is given:

- ``model.onnx``: input ``image`` (batch, 1, 8, 8) float32, output ``logits`` (batch, 10).
- ``digits.npz``: every sample once, in the order training, calibration, evaluation, with slice
  columns, and with ``source_index``, the position in scikit-learn's copy.

Data: Optical Recognition of Handwritten Digits by E. Alpaydin and C. Kaynak, UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49, CC BY 4.0; the 1,797 images that scikit-learn ships.

How to run it (about half a minute on one core)::

    pip install ".[train,examples]"
    python examples/digits/train.py my-digits

Rules:

1. One seed and one thread: the same machine and the same versions give the same bytes.
2. The network never sees a sample of the calibration or evaluation part, and the number of
   epochs was not chosen on them.
3. The parts share no image, pixel for pixel.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import torch  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped,unused-ignore]
from sklearn.model_selection import (  # type: ignore[import-untyped,unused-ignore]
    train_test_split,
)
from torch import nn  # type: ignore[import-not-found,unused-ignore]

Images: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]

SEED = 20
TRAINING_COUNT = 700
CALIBRATION_COUNT = 400
EPOCHS = 60
BATCH_SIZE = 32
LEARNING_RATE = 4e-3
# Raw pixels run from 0 to 16. edgeworthy.toml repeats these two figures.
PIXEL_MEAN = 4.9
PIXEL_STD = 6.0
OPSET = 18


@dataclass(frozen=True)
class Samples:
    """Digits in the order in which they are stored.

    Attributes:
        images: ``(n, 1, 8, 8)``, 0 is paper and 16 is ink.
        labels: ``(n,)``, 0 to 9.
        source_index: ``(n,)``, position in ``sklearn.datasets.load_digits()``.
    """

    images: Images
    labels: Labels
    source_index: Labels


def load_samples() -> Samples:
    """Shuffle the digits so that each part holds the ten classes in equal shares."""
    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    _, distinct = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    distinct.sort()
    training, others = train_test_split(
        distinct, train_size=TRAINING_COUNT, stratify=labels[distinct], random_state=SEED
    )
    calibration, evaluation = train_test_split(
        others, train_size=CALIBRATION_COUNT, stratify=labels[others], random_state=SEED
    )
    order = np.concatenate([training, calibration, evaluation]).astype(np.int64)
    return Samples(images[order], labels[order], order)


def stroke_thickness(images: Images) -> NDArray[np.str_]:
    """Name each image's tercile of mean ink, which stands in for the thickness of the stroke."""
    ink = images.mean(axis=(1, 2, 3))
    tercile = np.digitize(ink, np.quantile(ink, [1 / 3, 2 / 3]))
    return np.asarray(np.array(["thin", "medium", "thick"])[tercile], dtype=np.str_)


def save_samples(samples: Samples, path: Path) -> None:
    """Write the npz that ``[data.*]`` in edgeworthy.toml selects rows from."""
    np.savez_compressed(
        path,
        images=samples.images,
        labels=samples.labels,
        thickness=stroke_thickness(samples.images),
        digit=samples.labels.astype(np.str_),
        source_index=samples.source_index,
    )


def block(inputs: int, outputs: int, *, kernel: int, groups: int = 1) -> list[Any]:
    """Make a convolution, batch normalization and ReLU that keep height and width."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def build_network() -> Any:  # noqa: ANN401 - torch is not installed where types are checked
    """Build a CNN of 32,500 weights with one depthwise-separable block.

    The depthwise convolution is there on purpose: its channels differ widely in range, which is
    what makes quantization per channel worth having.
    """
    return nn.Sequential(
        *block(1, 32, kernel=3),
        *block(32, 32, kernel=3, groups=32),
        *block(32, 48, kernel=1),
        nn.MaxPool2d(2),
        *block(48, 64, kernel=3),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 2 * 2, 10),
    )


def prepare(images: Images) -> Any:  # noqa: ANN401 - as above
    """Turn raw pixels into the network's input, as edgeworthy.toml does."""
    return torch.from_numpy((images.astype(np.float32) - PIXEL_MEAN) / PIXEL_STD)


def augment(images: Images, generator: np.random.Generator) -> Images:
    """Move each digit by up to one pixel and change its ink a little."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    moved = np.empty_like(images)
    for index, (down, right) in enumerate(generator.integers(0, 3, size=(len(images), 2))):
        moved[index] = padded[index, :, down : down + 8, right : right + 8]
    strength = generator.uniform(0.8, 1.2, size=(len(images), 1, 1, 1))
    noise = generator.normal(0.0, 0.7, size=images.shape)
    return np.clip(np.rint(moved * strength + noise), 0, 16).astype(np.uint8)


def train(images: Images, labels: Labels) -> Any:  # noqa: ANN401 - as above
    """Train on the training part alone and return the network, ready to export."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    generator = np.random.default_rng(SEED)
    network = build_network()
    batches = -(-len(images) // BATCH_SIZE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LEARNING_RATE, total_steps=EPOCHS * batches
    )
    for _ in range(EPOCHS):
        order = generator.permutation(len(images))
        for chosen in np.array_split(order, batches):
            logits = network(prepare(augment(images[chosen], generator)))
            loss: Any = nn.functional.cross_entropy(logits, torch.from_numpy(labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def export(network: Any, path: Path) -> None:  # noqa: ANN401 - as above
    """Write one ONNX file with a free batch axis and no trace of the machine that made it."""
    program: Any = torch.onnx.export(
        network,
        (torch.zeros(2, 1, 8, 8),),
        dynamo=True,
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=OPSET,
        verbose=False,
    )
    model = program.model_proto
    # The exporter notes source paths and stack traces; they are nobody's business but ours.
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
    model.graph.name = "digits"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def accuracy(network: Any, images: Images, labels: Labels) -> float:  # noqa: ANN401 - as above
    """Compute the share of images that the network reads right."""
    with torch.no_grad():
        predicted = network(prepare(images)).argmax(dim=1).numpy()
    return float((predicted == labels).mean())


def main() -> None:
    """Train, export and say how good it is."""
    parser = argparse.ArgumentParser(description="Train the model of the template `digits`.")
    parser.add_argument("folder", type=Path, help="where model.onnx and digits.npz go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    samples = load_samples()
    save_samples(samples, folder / "digits.npz")
    network = train(samples.images[:TRAINING_COUNT], samples.labels[:TRAINING_COUNT])
    export(network, folder / "model.onnx")
    bounds = [0, TRAINING_COUNT, TRAINING_COUNT + CALIBRATION_COUNT, len(samples.labels)]
    for name, first, last in zip(
        ("training", "calibration", "evaluation"), bounds, bounds[1:], strict=False
    ):
        share = accuracy(network, samples.images[first:last], samples.labels[first:last])
        print(f"{name:>12}: rows {first} to {last}, accuracy {share:.4f}")


if __name__ == "__main__":
    main()
