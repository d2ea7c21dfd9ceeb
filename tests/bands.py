"""A small real project: a model that was never trained but is right, and samples for it.

The model tells which of three horizontal bands of a 6 x 6 picture is bright, by a convolution and
a matrix product, so that its accuracy is known and int8 has something to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.release import create_key
from edgeworthy.workflow.project import Project

PASSPHRASE = b"correct horse battery staple"

PROJECT_FILE = """\
[project]
name = "bands"
version = "1.0.0"

[model]
path = "model.onnx"
task = "classification"
labels = ["top", "middle", "bottom"]

[model.inputs.picture]
layout = "NCHW"
mean = [0.5]
std = [0.5]

[data.calibration]
path = "calibration.npz"
inputs = { picture = "pictures" }
labels = "bands"

[data.evaluation]
path = "evaluation.npz"
inputs = { picture = "pictures" }
labels = "bands"
slices = ["light"]

[targets.host]

[measure]
query_count = 30
budget_s = 0.02

[[require]]
metric = "accuracy"
at_least = 0.9

[[require]]
metric = "size_kib"
at_most = 64.0

[release]
key = "keys/release"
"""


def band_model(path: Path) -> None:
    """A model that is right by construction."""
    mean_filter = np.full((4, 1, 2, 6), 1.0 / 12.0, dtype=np.float32)
    mean_filter *= np.array([0.5, 1.0, 1.5, 2.0], dtype=np.float32)[:, None, None, None]
    weights = np.zeros((12, 3), dtype=np.float32)
    for channel in range(4):
        for band in range(3):
            weights[channel * 3 + band, band] = 2.0
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["picture", "filter"], ["bands"], strides=[2, 6], name="conv"),
            helper.make_node("Reshape", ["bands", "shape"], ["flat"], name="flatten"),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"], name="sum"),
        ],
        "bands",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 1, 6, 6])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])],
        [
            numpy_helper.from_array(mean_filter, "filter"),
            numpy_helper.from_array(np.array([0, 12], dtype=np.int64), "shape"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def band_samples(path: Path, *, count: int, seed: int) -> None:
    """Pictures with one bright band each; every tenth has a wrong label's worth of noise."""
    generator = np.random.default_rng(seed)
    bands = np.arange(count, dtype=np.int64) % 3
    pictures = generator.uniform(0.0, 0.4, size=(count, 1, 6, 6)).astype(np.float32)
    for index, band in enumerate(bands):
        pictures[index, 0, band * 2 : band * 2 + 2] += 0.5
    light = np.where(pictures.mean(axis=(1, 2, 3)) > 0.36, "bright", "dim")
    np.savez(path, pictures=pictures, bands=bands, light=light)


@dataclass(frozen=True)
class ProjectFolder:
    """A project on the disk.

    Attributes:
        path: Its folder.
        passphrase_file: Opens its signing key.
    """

    path: Path
    passphrase_file: Path

    @property
    def file(self) -> Path:
        return self.path / "edgeworthy.toml"

    def edit(self, old: str, new: str) -> None:
        """Replace a part of the project file that stands there."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def load(self) -> Project:
        return Project.load(self.path, passphrase=PASSPHRASE)


def make_project_folder(path: Path) -> ProjectFolder:
    path.mkdir(parents=True, exist_ok=True)
    (path / "edgeworthy.toml").write_text(PROJECT_FILE)
    band_model(path / "model.onnx")
    band_samples(path / "calibration.npz", count=60, seed=1)
    band_samples(path / "evaluation.npz", count=120, seed=2)
    create_key(path / "keys" / "release", PASSPHRASE)
    passphrase_file = path / "keys" / "passphrase"
    passphrase_file.write_bytes(PASSPHRASE + b"\n")
    return ProjectFolder(path, passphrase_file)
