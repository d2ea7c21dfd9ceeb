"""Train one of two small models that tell ten kinds of clothes apart, and write its samples.

What it writes into the folder that it is given:

- ``model.onnx``: input ``image`` (batch, 1, 28, 28) float32, output ``logits`` (batch, 10).
- ``fashion.npz``: ``pixels`` (12000, 28, 28) uint8, ``kind`` (12000,) int64, ``ink`` (12000,).
  Rows 0 to 2,000 are training images, for calibration; rows 2,000 to 12,000 are the test images.

Two networks: ``depthwise`` is a MobileNetV2 in small (inverted residuals, ReLU6, batch
normalization; Sandler et al. 2018), ``transformer`` a vision transformer in small (Dosovitskiy et
al. 2021; mean instead of a class token).

Data: Fashion-MNIST, Xiao, Rasul and Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist
(MIT), in the copy that Debian ships: ``apt-get install dataset-fashion-mnist``.

How to run it (ten to twenty minutes on one core)::

    pip install ".[train]"
    python examples/fashion/train.py depthwise my-clothes

Rules:

1. One seed and one thread: the same machine and the same versions give the same bytes.
2. The network sees training images alone; nothing is chosen by a look at the test images.
3. The exporter folds the batch normalizations into the convolutions, as any deployment would.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import torch  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from torch import nn  # type: ignore[import-not-found,unused-ignore]

Pixels: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]

SEED = 20
BATCH_SIZE = 128
EPOCHS = {"depthwise": 10, "transformer": 12}
LEARNING_RATE = {"depthwise": 1e-2, "transformer": 3e-3}
LABEL_SMOOTHING = 0.05
CALIBRATION_COUNT = 2000
SHIFT = 2
DATA = Path("/usr/share/datasets/fashion-mnist")
# Rounded figures of the training images. edgeworthy.toml repeats them.
MEAN, STD = 73.0, 90.0
OPSET = 18


def load(part: str, folder: Path) -> tuple[Pixels, Labels]:
    """Read the images ``(n, 28, 28)`` and labels ``(n,)`` of a part, ``train`` or ``t10k``."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as stream:
        pixels = np.frombuffer(stream.read(), dtype=np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as stream:
        labels = np.frombuffer(stream.read(), dtype=np.uint8, offset=8)
    return pixels, labels.astype(np.int64)


def save_samples(training: tuple[Pixels, Labels], test: tuple[Pixels, Labels], path: Path) -> None:
    """Write the first training images and all test images, with how dark each is."""
    pixels = np.concatenate([training[0][:CALIBRATION_COUNT], test[0]])
    kinds = np.concatenate([training[1][:CALIBRATION_COUNT], test[1]])
    means = pixels.mean(axis=(1, 2))
    border = np.median(means[:CALIBRATION_COUNT])
    ink = np.where(means > border, "much", "little")
    np.savez_compressed(path, pixels=pixels, kind=kinds, ink=ink)


class InvertedResidual(nn.Module):  # type: ignore[misc,unused-ignore]
    """Widen, filter each channel by itself, narrow; around it a short cut where shapes allow."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            *convolution(inputs, hidden),
            *convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, values: Any) -> Any:  # noqa: ANN401 - torch is not installed with the checks
        """``(n, inputs, height, width)`` to ``(n, outputs, ...)``."""
        return values + self.layers(values) if self.shortcut else self.layers(values)


def convolution(
    inputs: int, outputs: int, *, kernel: int = 1, stride: int = 1, groups: int = 1
) -> list[Any]:
    """Make a convolution, batch normalization and ReLU6."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    ]


def build_depthwise() -> Any:  # noqa: ANN401 - as above
    """Build a MobileNetV2 for 28 x 28 pixels."""
    return nn.Sequential(
        *convolution(1, 16, kernel=3),
        InvertedResidual(16, 24, stride=2, expansion=1),
        InvertedResidual(24, 24, stride=1, expansion=3),
        InvertedResidual(24, 48, stride=2, expansion=4),
        InvertedResidual(48, 48, stride=1, expansion=4),
        InvertedResidual(48, 80, stride=1, expansion=4),
        InvertedResidual(80, 80, stride=1, expansion=4),
        *convolution(80, 240),
        nn.AvgPool2d(7),
        nn.Flatten(),
        nn.Linear(240, 10),
    ).to(memory_format=torch.channels_last)


class Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """Attention between patches, then a network on each; both add to what was there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.network = nn.Sequential(
            nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width)
        )

    def forward(self, values: Any) -> Any:  # noqa: ANN401 - as above
        """``(n, patches, width)`` to the same."""
        count, patches, width = values.shape
        three = self.queries_keys_values(self.before_attention(values))
        three = three.reshape(count, patches, 3, self.heads, width // self.heads)
        queries, keys, contents = three.permute(2, 0, 3, 1, 4).unbind(0)
        scores = queries @ keys.transpose(2, 3) * (width // self.heads) ** -0.5
        mixed = (scores.softmax(dim=3) @ contents).transpose(1, 2)
        values = values + self.output(mixed.reshape(count, patches, width))
        return values + self.network(self.before_network(values))


class Transformer(nn.Module):  # type: ignore[misc,unused-ignore]
    """A vision transformer of three blocks on 49 patches of 4 x 4 pixels."""

    def __init__(self, width: int = 48, heads: int = 4, depth: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, 4)
        self.places = nn.Parameter(0.02 * torch.randn(1, 49, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.last = nn.LayerNorm(width)
        self.scores = nn.Linear(width, 10)

    def forward(self, image: Any) -> Any:  # noqa: ANN401 - as above
        """``(n, 1, 28, 28)`` to ``(n, 10)``."""
        values = self.patches(image).flatten(2).transpose(1, 2) + self.places
        return self.scores(self.last(self.blocks(values)).mean(dim=1))


def prepare(pixels: Pixels) -> Any:  # noqa: ANN401 - as above
    """Turn pixels ``(n, 28, 28)`` into the network's input, as edgeworthy.toml does."""
    values = torch.from_numpy((pixels[:, np.newaxis].astype(np.float32) - MEAN) / STD)
    return values.to(memory_format=torch.channels_last)


def batches(pixels: Pixels, labels: Labels, generator: np.random.Generator) -> Iterator[Any]:
    """Every image once, in random order; each batch mirrored or not, and shifted a little."""
    order = generator.permutation(len(labels))
    padded = np.pad(pixels, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    for chosen in np.array_split(order, -(-len(order) // BATCH_SIZE)):
        down, right = generator.integers(0, 2 * SHIFT + 1, size=2)
        images = padded[chosen, down : down + 28, right : right + 28]
        mirrored = generator.random(len(chosen)) < 0.5  # noqa: PLR2004 - half of them
        images[mirrored] = images[mirrored, :, ::-1]
        yield prepare(images), torch.from_numpy(labels[chosen])


def train(name: str, pixels: Pixels, labels: Labels, epochs: int) -> Any:  # noqa: ANN401 - as above
    """Train and return the network, ready to export."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    generator = np.random.default_rng(SEED)
    network = build_depthwise() if name == "depthwise" else Transformer()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE[name], weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=LEARNING_RATE[name],
        total_steps=epochs * -(-len(labels) // BATCH_SIZE),
    )
    for epoch in range(epochs):
        losses = []
        for images, wanted in batches(pixels, labels, generator):
            loss: Any = nn.functional.cross_entropy(
                network(images), wanted, label_smoothing=LABEL_SMOOTHING
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1} of {epochs}: loss {np.mean(losses):.4f}", flush=True)
    return network.eval()


def export(network: Any, path: Path, name: str) -> None:  # noqa: ANN401 - as above
    """Write one ONNX file with a free batch axis and no trace of the machine that made it."""
    program: Any = torch.onnx.export(
        network,
        (torch.zeros(2, 1, 28, 28),),
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
    model.graph.name = f"fashion-{name}"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def accuracy(network: Any, pixels: Pixels, labels: Labels) -> float:  # noqa: ANN401 - as above
    """Compute the share of images whose kind the network names."""
    with torch.no_grad():
        parts = [network(prepare(part)).argmax(dim=1) for part in np.array_split(pixels, 40)]
    return float((torch.cat(parts).numpy() == labels).mean())


def main() -> None:
    """Train, export and say how good it is."""
    parser = argparse.ArgumentParser(description="Train a small model on Fashion-MNIST.")
    parser.add_argument("network", choices=sorted(EPOCHS))
    parser.add_argument("folder", type=Path, help="where model.onnx and fashion.npz go")
    parser.add_argument("--data", type=Path, default=DATA, help="where the four .gz files are")
    parser.add_argument("--epochs", type=int, default=0, help="instead of the usual number")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no folder {given.data}: apt-get install dataset-fashion-mnist, or --data FOLDER")
    given.folder.mkdir(parents=True, exist_ok=True)
    training, test = load("train", given.data), load("t10k", given.data)
    save_samples(training, test, given.folder / "fashion.npz")
    network = train(given.network, *training, given.epochs or EPOCHS[given.network])
    export(network, given.folder / "model.onnx", given.network)
    print(f"training: {len(training[1])} images, {accuracy(network, *training):.4f}")
    print(f"    test: {len(test[1])} images, {accuracy(network, *test):.4f}")


if __name__ == "__main__":
    main()
